// SPDX-License-Identifier: BSD-3-Clause
// Say what partitions wait for, and the remedy. For rdkafka_health.c, whose lock is held.

#pragma once

#include "rdkafka_health.h"

#define REMEDY_NAMED 8

// Partitions of a leader that wait for the same.
struct wait_group {
	enum rtap_wait reason;
	const rd_kafka_metadata_partition_t *first; // what is known of its first one, may be NULL
	int32_t named[REMEDY_NAMED]; // the first ones
	uint32_t nb;
	uint64_t since_ns; // the longest
};

// Log one line; none for a reason that other lines name: the topic's, a missing ACL, a quota, a
// refusal, which the pause of a ring names.
void rdkafka_remedy_say(
	const struct rdkafka_health *h, const struct wait_group *g, uint64_t now_ns
);

// Log that a broker holds this client back, once a minute.
void rdkafka_remedy_say_throttle(struct rdkafka_health *h, uint64_t now_ns);
