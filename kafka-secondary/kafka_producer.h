// SPDX-License-Identifier: BSD-3-Clause
// One producer of one worker: offers records, hands out delivery reports, watches the topic.
// No copy of the payload is made: it must stay as it is until the record's report was seen.

#pragma once

#include "config.h"
#include "message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KAFKA_MAX_BATCH 1024

struct kafka_producer;

enum kafka_outcome {
	KAFKA_DELIVERED,
	KAFKA_SUSPECT_SIZE, // refused for its size, alone or with its batch
	KAFKA_SUSPECT_CONTENT, // refused as invalid, alone or with its batch
	KAFKA_UNSENDABLE, // above the client's own message.max.bytes: never acceptable
	KAFKA_RETURNED, // anything else: to be sent again
};

// `error` names the reason of an outcome other than KAFKA_DELIVERED; static text.
typedef void (*kafka_report_cb
)(void *arg, uint64_t tag, enum kafka_outcome outcome, size_t len, const char *error);

// Create a producer. `lone`: one message a batch and no watch of the topic. `speaks`: logs what becomes
// of brokers and topic (one worker of a secondary does). NULL with `why` set.
struct kafka_producer *kafka_producer_create(
	const struct rtap_config *cfg, unsigned int nb_rings, bool lone, bool speaks, char *why,
	size_t why_size
);

// Offer up to KAFKA_MAX_BATCH records. The order within a partition is kept; when one is refused, so are
// the later ones of its partition, unless it is too large. An idempotent producer takes them all, keeps
// them until it is their turn (rdkafka_outbox.h) and says by a report what the client refuses. Returns
// the number accepted; `*error` is set to the first refusal's reason (static text), when there was one.
unsigned int kafka_producer_offer(
	struct kafka_producer *p, struct message *records, unsigned int nb, const char **error
);

// Send what it is the turn of, hand out the reports that are there; wait up to `timeout_ms` for the first.
// Returns their number.
unsigned int
kafka_producer_poll(struct kafka_producer *p, int timeout_ms, kafka_report_cb report, void *arg);

// Partitions of the topic as last heard; 0 = not known yet. It grows when
// partitions are added and shrinks when the topic is made anew with fewer.
int32_t kafka_producer_nb_partitions(const struct kafka_producer *p);

// Whether a fatal error was raised (idempotent producer): only a new process recovers.
bool kafka_producer_is_fatal(const struct kafka_producer *p);
