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

#define ACK_LINKED 0x80

struct ack_window {
	uint8_t *states; // enum ack_state | ACK_LINKED if the message goes on; by index & mask
	uint32_t *links; // ring index of the message's next packet, where ACK_LINKED is set
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
	return (enum ack_state)(w->states[index & w->mask] & ~ACK_LINKED);
}

// The packet at `next` is the one after `index` of a message that owns both.
static inline void ack_window_link(struct ack_window *w, uint32_t index, uint32_t next) {
	w->states[index & w->mask] |= ACK_LINKED;
	w->links[index & w->mask] = next;
}

// All packets of the message whose first one is at `index` are in `state` now. Those that are to be
// offered again may become parts of another message: their links end. Returns their number.
static inline uint32_t ack_window_set(struct ack_window *w, uint32_t index, enum ack_state state) {
	bool again = state == ACK_WAITING || state == ACK_SUSPECT;
	uint32_t nb = 1;

	for (;; nb++) {
		uint8_t *packet = &w->states[index & w->mask];
		uint8_t linked = *packet & ACK_LINKED;

		w->nb[*packet & ~ACK_LINKED]--;
		w->nb[state]++;
		*packet = (uint8_t)(state | (again ? 0 : linked));
		if (linked == 0)
			return nb;
		index = w->links[index & w->mask];
	}
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
