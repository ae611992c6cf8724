// SPDX-License-Identifier: BSD-3-Clause
// Where frames come from: the consumer's end of one transmit ring, in the worker that owns it, and
// the counters that go with it.

#pragma once

#include "counters.h"
#include "shm_layout.h"
#include "transmit_ring.h"

#include <rte_mbuf_dyn.h>

#include <stdint.h>

struct ring_source {
	char name[sizeof(((struct rtap_shm_ring *)0)->name)];
	struct rte_ring *ring;
	struct rtap_ring_counters *counters;
	int stamp_offset; // in a frame's mbuf
	struct rtap_ring_consumer consumer;
};

// Start at the ring's tail and count what a dead worker had read and is read once more.
void ring_source_take_over(struct ring_source *s);

// Release the oldest `nb_release` frames that were read, for good, and read up to `max` new ones.
// They stay the primary's. Returns the number read, or a negative errno when the ring's indexes are
// corrupted (see rtap_ring_read()).
int ring_source_read(
	struct ring_source *s, uint32_t nb_release, struct rte_mbuf **frames, unsigned int max
);

// Look again at up to `nb` frames that were read and not released, from the `offset`-th oldest on.
// Returns their number, or a negative errno as above.
int ring_source_look_again(
	struct ring_source *s, uint32_t offset, struct rte_mbuf **frames, unsigned int nb
);

// What the primary wrote down when it received the frame.
static inline const struct rtap_packet_stamp *
ring_source_stamp(const struct ring_source *s, const struct rte_mbuf *frame) {
	return RTE_MBUF_DYNFIELD(frame, s->stamp_offset, const struct rtap_packet_stamp *);
}

// Index of the oldest frame that is not released.
static inline uint32_t ring_source_tail(const struct ring_source *s) {
	return s->consumer.tail;
}

// Frames that were read and are not released.
static inline uint32_t ring_source_in_window(const struct ring_source *s) {
	return s->consumer.in_window;
}

// Frames that lie in the ring and were not read.
static inline uint32_t ring_source_unread(const struct ring_source *s) {
	return rte_ring_count(s->ring) - s->consumer.in_window;
}
