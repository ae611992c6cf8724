// SPDX-License-Identifier: BSD-3-Clause
// The idempotent producer: messages wait in the outbox until it is their partition's turn (why: see
// rdkafka_outbox.h).

#pragma once

#include "rdkafka_producer.h"

// Keep a copy of each message until its turn.
void rdkafka_turns_keep(
	struct rdkafka_producer *p, const struct message *messages, unsigned int nb
);

// Send a batch of each partition whose turn it is.
void rdkafka_turns_send(struct rdkafka_producer *p);

// A last report came of a message of `partition`. What waits after one that did not arrive goes
// back with it, or it would overtake.
void rdkafka_turns_report(
	struct rdkafka_producer *p, int32_t partition, enum sink_report report, uint64_t now_ns
);
