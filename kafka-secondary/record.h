// SPDX-License-Identifier: BSD-3-Clause
// A packet as Kafka sees it: key, partition, record. Pure.

#pragma once

#include "config.h"

#include <stdint.h>

#define RECORD_KEY_BYTES 8

// The key: capture time in us since the epoch, UTC, unsigned, network byte order. Metron's FromKey
// deserializer and pycapa's consumer read exactly this, so nothing may be added to it.
void record_key(uint64_t capture_time_ns, uint8_t key[RECORD_KEY_BYTES]);

// Which partitions a ring feeds: p, p + N, p + 2N ... for ring p of N; with fewer partitions than
// rings several rings share one.
struct record_partitions {
	int32_t first;
	int32_t step;
	int32_t nb; // 0 = not known yet
};

struct record_partitions record_partitions_of_ring(
	enum rtap_partitioner partitioner, uint32_t ring, uint32_t nb_rings, int32_t nb_partitions
);

// Where a flow goes within the set; nb > 0. By the high bits: the low ones have chosen the ring.
static inline int32_t record_partition(const struct record_partitions *set, uint32_t hash) {
	return set->first + set->step * (int32_t)(((uint64_t)hash * (uint32_t)set->nb) >> 32);
}

enum kafka_offer {
	KAFKA_ACCEPTED, // its report will come
	KAFKA_QUEUE_FULL, // the client's queue is full: offer it again after some reports
	KAFKA_REFUSED, // refused for another reason: offer it again later
	KAFKA_TOO_LARGE, // above message.max.bytes: never acceptable
	KAFKA_FATAL, // the producer is dead, and so is its worker
};

struct kafka_record {
	const void *payload;
	uint32_t len;
	int32_t partition;
	uint8_t key[RECORD_KEY_BYTES]; // copied by the client
	uint64_t tag; // comes back with the report
	enum kafka_offer result; // out
};
