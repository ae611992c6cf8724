// SPDX-License-Identifier: BSD-3-Clause
// The ack window of one ring: what became of each packet between the ring's tail and the newest one
// read. Private to its worker. Reports may come in any order; the tail moves over the finished prefix.
// Pure: no EAL, no Kafka.

#pragma once

#include <stdbool.h>
#include <stdint.h>

enum ack_state {
	ACK_WAITING, // read, to be offered to the Kafka client (for the first time or again)
	ACK_SUSPECT, // to be sent by itself: its batch was refused for size or content
	ACK_IN_FLIGHT, // accepted by the client, its report is to come
	ACK_DELIVERED,
	ACK_FAILED, // proved unacceptable for good
	ACK_NB_STATES,
};

struct ack_window {
	uint8_t *states; // enum ack_state, by index & mask
	uint32_t mask;
	uint32_t tail; // ring index of the oldest packet
	uint32_t head; // ring index behind the newest one
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

static inline void ack_window_set(struct ack_window *w, uint32_t index, enum ack_state state) {
	uint8_t *old = &w->states[index & w->mask];

	w->nb[*old]--;
	w->nb[state]++;
	*old = (uint8_t)state;
}

// Move the tail over everything that is delivered or failed; returns by how many packets.
uint32_t ack_window_advance(struct ack_window *w);

// The first packet from `index` on that is waiting or suspect, and how many of the same kind follow it
// directly, at most `max`. Returns 0 when there is none.
uint32_t ack_window_next_run(
	const struct ack_window *w, uint32_t *index, enum ack_state *kind, uint32_t max
);
