// SPDX-License-Identifier: BSD-3-Clause
// A packet as Kafka sees it: key, partition, record. Pure.

#pragma once

#include "config.h"

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_KEY_BYTES 8

// The key: capture time in us (or ns) since the epoch, UTC, unsigned, network byte order. Metron's FromKey
// deserializer and pycapa's consumer read exactly this, so nothing may be added to it.
void message_key(uint64_t capture_time_ns, enum rtap_key_unit unit, uint8_t key[MESSAGE_KEY_BYTES]);

// Which partitions a ring feeds: p, p + N, p + 2N ... for ring p of N; with fewer partitions than
// rings several rings share one.
struct message_partitions {
	int32_t first;
	int32_t step;
	int32_t nb; // 0 = not known yet
};

struct message_partitions message_partitions_of_ring(
	enum rtap_partitioner partitioner, uint32_t ring, uint32_t nb_rings, int32_t nb_partitions
);

// Where a flow goes within the set; nb > 0. By the high bits: the low ones have chosen the ring.
static inline int32_t message_partition(const struct message_partitions *set, uint32_t hash) {
	return set->first + set->step * (int32_t)(((uint64_t)hash * (uint32_t)set->nb) >> 32);
}

enum kafka_offer {
	KAFKA_ACCEPTED, // its report will come
	KAFKA_QUEUE_FULL, // the client's queue is full: offer it again after some reports
	KAFKA_REFUSED, // refused for another reason: offer it again later
	KAFKA_TOO_LARGE, // above message.max.bytes: never acceptable
	KAFKA_FATAL, // the producer is dead, and so is its worker
};

// What the headers say of every packet of a ring.
struct message_origin {
	char interface[160]; // "SENSOR:PORT"
	uint8_t queue[4]; // receive queue, ring within it; 2 bytes each
	uint32_t header_bytes; // of a record's headers, about: to keep a batch below its limit
};

struct message {
	const void *payload;
	uint32_t len;
	uint32_t wire_bytes;
	uint64_t time_ns, sequence; // see struct rtap_packet_stamp
	const struct message_origin *origin; // NULL = no headers
	int32_t partition;
	uint8_t key[MESSAGE_KEY_BYTES]; // copied by the client
	uint64_t tag; // comes back with the report
	enum kafka_offer result; // out
};

// The headers of a record, `headers: basic`. Numbers are unsigned, in network byte order.
#define MESSAGE_NB_HEADERS 5
#define MESSAGE_HEADER_BYTES 48 // of all but the text of `if`
struct message_headers {
	struct message_header {
		const char *name;
		const void *value;
		size_t size;
	} items[MESSAGE_NB_HEADERS];
	uint8_t numbers[20]; // wl, seq, ts: what the items point to
};

void message_origin_init(
	struct message_origin *origin, const char *sensor, const char *port, uint64_t queue_id,
	uint64_t ring_id
);

// *h points into itself and into the record's origin. `origin` is not NULL.
void message_headers(const struct message *r, struct message_headers *h);
