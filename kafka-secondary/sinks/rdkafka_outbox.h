// SPDX-License-Identifier: BSD-3-Clause
// Keep messages until it is their partition's turn: one batch of a partition is on its way at a
// time. Pure: no EAL, no Kafka. One thread.
//
// For the idempotent producer (order: strict) only, for three reasons:
//
// - It allows one request in flight per partition once that holds five messages, and while more of
//   them are queued its broker thread polls without a pause (librdkafka 2.0.2 to 2.15,
//   rdkafka_broker.c: RD_KAFKA_IDEMP_MAX_INFLIGHT is compared with messages, after the wake-up was
//   set to "now"). What waits here costs nothing.
// - When a batch fails, nothing after it is with Kafka yet: that comes back, too, in order.
// - It takes a report of a later request for a report of all before it, because a broker refuses a
//   gap in the sequence numbers. But a broker that knows nothing yet of a producer takes any first
//   number (Kafka, ProducerAppendInfo.checkSequence): messages of a first request that was lost
//   would be reported as delivered and be nowhere. A batch may become two requests, so the first
//   record to a partition goes alone until Kafka has confirmed it. Brokers forget a producer that
//   wrote nothing for producer.id.expiration.ms (a day): long before that it starts with one again.

#pragma once

#include "message.h"
#include "now.h"

#include <stdbool.h>
#include <stdint.h>

struct outbox_partition {
	struct message *messages; // by index & mask; NULL until needed
	uint32_t mask;
	uint32_t head, tail; // after the newest one, the oldest one
	uint32_t in_flight;
	uint64_t confirmed_ns; // when Kafka confirmed the last message, 0 = never
	bool listed; // in `ready`
};

struct rdkafka_outbox {
	struct outbox_partition *partitions;
	int32_t *ready; // partitions that have messages and none in flight
	uint32_t nb_partitions, nb_ready;
	// A batch's limits; the client must be able to send it as one request.
	uint32_t batch_messages;
	uint64_t batch_bytes;
};

#define RDKAFKA_OUTBOX_IDLE_NS (600 * RTAP_SECOND_NS)

// What a record needs in a batch beside key, headers and payload, at most (rdkafka_msg.h,
// RD_KAFKAP_MESSAGE_V2_MAX_OVERHEAD is less).
#define RDKAFKA_OUTBOX_RECORD_BYTES 64

// Frees all; messages that wait are forgotten.
void rdkafka_outbox_fini(struct rdkafka_outbox *o);

// A copy of *msg waits at the end of its partition's messages. Returns 0, -ENOMEM or -EINVAL
// (negative partition).
int rdkafka_outbox_add(struct rdkafka_outbox *o, const struct message *msg);

// The next partition whose turn it is; -1: none. It comes again once something waits there and
// nothing is in flight, see rdkafka_outbox_relist().
int32_t rdkafka_outbox_next(struct rdkafka_outbox *o);

// How many of the partition's oldest messages make up the next batch.
uint32_t rdkafka_outbox_batch(struct rdkafka_outbox *o, int32_t partition, uint64_t now_ns);

// The i-th oldest message, while it waits.
const struct message *
rdkafka_outbox_look(const struct rdkafka_outbox *o, int32_t partition, uint32_t i);

static inline uint32_t rdkafka_outbox_waiting(const struct rdkafka_outbox *o, int32_t partition) {
	return (uint32_t)partition < o->nb_partitions
		? o->partitions[partition].head - o->partitions[partition].tail
		: 0;
}

// The oldest `nb` messages wait no more: `nb_in_flight` of them are in flight, the others went
// back.
void rdkafka_outbox_remove(
	struct rdkafka_outbox *o, int32_t partition, uint32_t nb, uint32_t nb_in_flight
);

// One message in flight less. `confirmed`: it is in Kafka.
void rdkafka_outbox_report(
	struct rdkafka_outbox *o, int32_t partition, bool confirmed, uint64_t now_ns
);

// Messages go through another producer from now on, of which the brokers know nothing.
void rdkafka_outbox_forget(struct rdkafka_outbox *o);

// The turn is over: let the partition have another one, now or once its reports are in.
void rdkafka_outbox_relist(struct rdkafka_outbox *o, int32_t partition);
