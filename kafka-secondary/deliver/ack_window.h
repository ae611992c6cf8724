// SPDX-License-Identifier: BSD-3-Clause
// The ack window of one ring: what became of each packet between the ring's tail and the newest one
// read. Private to its worker. Reports may come in any order; the tail moves over the finished
// prefix. A message may own several packets: they are linked, and what becomes of it becomes of all
// of them. Pure: no EAL, no Kafka.

#pragma once

#include <stdbool.h>
#include <stdint.h>

enum ack_state {
	ACK_WAITING, // read, to be offered to the sink (for the first time or again)
	ACK_SUSPECT, // to be offered by itself: it was refused together with others
	ACK_KEPT, // the sink has it, the Kafka client does not yet
	ACK_IN_FLIGHT, // the Kafka client has it, its report is to come
	ACK_DELIVERED,
	ACK_FAILED, // proved unacceptable: it will never be delivered
	ACK_NB_STATES,
};

struct ack_window {
	uint8_t *states; // enum ack_state, by index & mask
	uint32_t *links; // how far the next packet of the same message is, 0 = it is the last
	uint32_t mask;
	uint32_t tail; // ring index of the oldest packet
	uint32_t head; // ring index after the newest one
	uint32_t nb[ACK_NB_STATES];
};

// Room for `capacity` packets, a power of two. Returns 0 or -ENOMEM.
int ack_window_init(struct ack_window *w, uint32_t capacity);
void ack_window_fini(struct ack_window *w);

// Start empty at ring index `tail`.
void ack_window_reset(struct ack_window *w, uint32_t tail);

static inline uint32_t ack_window_used(const struct ack_window *w) {
	return w->head - w->tail;
}

static inline uint32_t ack_window_room(const struct ack_window *w) {
	return w->mask + 1 - ack_window_used(w);
}

// `nb` packets more, all ACK_WAITING; at most ack_window_room().
void ack_window_push(struct ack_window *w, uint32_t nb);

static inline bool ack_window_contains(const struct ack_window *w, uint32_t index) {
	return index - w->tail < ack_window_used(w);
}

static inline enum ack_state ack_window_get(const struct ack_window *w, uint32_t index) {
	return (enum ack_state)w->states[index & w->mask];
}

// The packet at `next` is the one after `index` of a message that owns both.
static inline void ack_window_link(struct ack_window *w, uint32_t index, uint32_t next) {
	w->links[index & w->mask] = next - index;
}

// All packets of the message whose first one is at `index` are in `state` now. Those that are to be
// offered again may become parts of another message: their links end. Returns their number.
static inline uint32_t ack_window_set(struct ack_window *w, uint32_t index, enum ack_state state) {
	bool again = state == ACK_WAITING || state == ACK_SUSPECT;
	uint32_t nb = 0, link;

	do {
		uint8_t *old = &w->states[index & w->mask];
		uint32_t *next = &w->links[index & w->mask];

		w->nb[*old]--;
		w->nb[state]++;
		*old = (uint8_t)state;
		link = *next;
		if (again)
			*next = 0;
		index += link;
		nb++;
	} while (link != 0);
	return nb;
}

// Packets that the sink has: no last report came yet.
static inline uint32_t ack_window_outstanding(const struct ack_window *w) {
	return w->nb[ACK_KEPT] + w->nb[ACK_IN_FLIGHT];
}

// Move the tail over everything that is delivered or failed; returns by how many packets.
uint32_t ack_window_advance(struct ack_window *w);

// The first packet from `index` on that is waiting or suspect, and how many of the same kind follow
// it directly, at most `max`. Returns 0 when there is none.
uint32_t ack_window_next_run(
	const struct ack_window *w, uint32_t *index, enum ack_state *kind, uint32_t max
);
