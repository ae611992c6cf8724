// SPDX-License-Identifier: BSD-3-Clause
// A message: what Kafka gets of a packet. Made of a frame and its stamp, before any client has seen
// it. No EAL, no Kafka.

#pragma once

#include "config.h"
#include "shm_layout.h"

#include <rte_mbuf.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message {
	const struct rte_mbuf *frame; // the primary's; may have several segments
	const void *data; // of the frame's first segment
	uint32_t len; // bytes of all segments
	uint32_t wire_bytes;
	uint64_t time_ns, sequence; // see struct rtap_packet_stamp
	const struct message_origin *origin; // NULL = no headers
	int32_t partition;
	uint16_t nb_segs; // of the frame
	uint64_t tag; // see message_tag()
};

// ---- tag: comes back with every report ----

#define MESSAGE_TAG_ALONE (UINT64_C(1) << 63)

// The packet at ring index `index` of ring `ring`; of several packets the first one
// (ack_window_link()). `alone`: to be sent by itself, since it was refused together with others.
static inline uint64_t message_tag(uint32_t ring, uint32_t index, bool alone) {
	return (alone ? MESSAGE_TAG_ALONE : 0) | (uint64_t)ring << 32 | index;
}

static inline uint32_t message_tag_ring(uint64_t tag) {
	return (uint32_t)((tag & ~MESSAGE_TAG_ALONE) >> 32);
}

static inline uint32_t message_tag_index(uint64_t tag) {
	return (uint32_t)tag;
}

static inline bool message_tag_is_alone(uint64_t tag) {
	return (tag & MESSAGE_TAG_ALONE) != 0;
}

static inline bool message_is_alone(const struct message *msg) {
	return message_tag_is_alone(msg->tag);
}

// ---- key ----

#define MESSAGE_KEY_BYTES 8

// The key: capture time in us (or ns) since the epoch, UTC, unsigned, network byte order. Metron's
// FromKey deserializer and pycapa's consumer read exactly this, so nothing may be added to it.
void message_key(uint64_t time_ns, enum rtap_key_unit unit, uint8_t key[MESSAGE_KEY_BYTES]);

// ---- headers ----

// What the headers say of every packet of a ring.
struct message_origin {
	char interface[160]; // "SENSOR:PORT"
	uint8_t queue[4]; // receive queue, ring within it; 2 bytes each
	uint32_t header_bytes; // of a message's headers, about: to keep a batch below its limit
};

// The headers of a message, `headers: basic`. Numbers are unsigned, in network byte order.
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

// *h points into itself and into the message's origin, which is not NULL.
void message_headers(const struct message *msg, struct message_headers *h);

// ---- partition ----

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

// ---- frames -> messages ----

// How the packets of one ring become messages.
struct message_maker {
	enum rtap_partitioner partitioner;
	uint32_t ring, nb_rings;
	const struct message_origin *origin; // NULL = no headers
	struct message_partitions set; // of the burst under way
	int32_t burst; // number of the burst under way, for partitioner `burst`
};

// The next burst begins, with the topic's partitions as they are now (> 0).
void message_maker_next_burst(struct message_maker *maker, int32_t nb_partitions);

// Make *msg, but for its tag, of `frame` and its stamp. Copies nothing.
void message_make(
	struct message *msg, const struct message_maker *maker, const struct rte_mbuf *frame,
	const struct rtap_packet_stamp *stamp
);
