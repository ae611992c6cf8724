// SPDX-License-Identifier: BSD-3-Clause
// One producer of librdkafka: what it is offered, what becomes due, what it reports. The parts of
// it stand in files of their own: the client (rdkafka_client.h), handing over (rdkafka_batch.h),
// turns (rdkafka_turns.h), a client that is denied (rdkafka_denied.h).

#pragma once

#include "log.h"
#include "message.h"
#include "rdkafka_batch.h"
#include "rdkafka_client.h"
#include "rdkafka_outbox.h"
#include "rdkafka_progress.h"
#include "rdkafka_topic.h"
#include "sink.h"

#include <stdbool.h>
#include <stdint.h>

struct rdkafka_producer {
	const struct sink_setup *setup;
	struct rdkafka_topic *topic; // shared by the producers of a sink, as is
	struct rdkafka_progress *progress;
	bool alone; // every message is sent by itself
	struct rdkafka_client
		client; // the topic's too, until it is denied its producer id and replaced
	rd_kafka_queue_t *events;
	bool dead;
	bool idempotent; // then messages wait in the outbox for their partition's turn
	struct rdkafka_outbox outbox;
	struct rdkafka_batch batch;
	const struct message *rest[SINK_MAX_OFFER]; // offered messages that are not yet in a batch
	struct { // see rdkafka_denied.h
		bool lately; // and nothing arrived since
		uint64_t since_ns; // of the denied client, 0 = it is not denied
		uint64_t wait_ns; // how long to wait before the next one is tried
		struct rtap_log_limit no_client; // for why there is no next one
	} denied;
};

// Open one; `setup`, `topic` and `progress` outlive it. Returns 0, or a negative errno with `why`
// set.
int rdkafka_producer_open(
	struct rdkafka_producer *p, const struct sink_setup *setup, struct rdkafka_topic *topic,
	struct rdkafka_progress *progress, bool alone, char *why, size_t why_size
);
void rdkafka_producer_close(struct rdkafka_producer *p);

// As sink_offer() and sink_serve().
void rdkafka_producer_offer(
	struct rdkafka_producer *p, const struct message *messages, unsigned int nb
);
unsigned int rdkafka_producer_serve(struct rdkafka_producer *p, int timeout_ms);

// ---- for its parts ----

// A client with the producer's properties. Returns 0, or a negative errno with `why` set.
int rdkafka_producer_open_client(
	const struct rdkafka_producer *p, struct rdkafka_client *client, char *why, size_t why_size
);

// What the client said of a message that was handed to it; notes what that means for the producer.
enum sink_report rdkafka_producer_judge(struct rdkafka_producer *p, rd_kafka_resp_err_t err);

// Report a message of `partition`. `err`: the client's error of one that is refused or came back,
// if that says what it waits for; else 0.
static inline void rdkafka_producer_report(
	const struct rdkafka_producer *p, int32_t partition, uint64_t tag, enum sink_report report,
	size_t len, rd_kafka_resp_err_t err, const char *why
) {
	if (report != SINK_SENT)
		rdkafka_progress_reported(p->progress, partition, report >= SINK_TOO_LARGE, err);
	p->setup->report(p->setup->arg, tag, report, len, why);
}
