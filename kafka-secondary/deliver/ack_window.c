// SPDX-License-Identifier: BSD-3-Clause
// Keep what became of each packet of a ring.

#include "ack_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int ack_window_init(struct ack_window *w, uint32_t capacity) {
	memset(w, 0, sizeof(*w));
	w->states = calloc(capacity, sizeof(*w->states));
	w->links = calloc(capacity, sizeof(*w->links));
	if (w->states == NULL || w->links == NULL) {
		ack_window_fini(w);
		return -ENOMEM;
	}
	w->mask = capacity - 1;
	return 0;
}

void ack_window_fini(struct ack_window *w) {
	free(w->states);
	free(w->links);
	memset(w, 0, sizeof(*w));
}

void ack_window_reset(struct ack_window *w, uint32_t tail) {
	w->tail = w->head = tail;
	memset(w->nb, 0, sizeof(w->nb));
}

void ack_window_push(struct ack_window *w, uint32_t nb) {
	for (uint32_t i = 0; i < nb; i++)
		w->states[w->head++ & w->mask] = ACK_WAITING;
	w->nb[ACK_WAITING] += nb;
}

uint32_t ack_window_advance(struct ack_window *w) {
	uint32_t from = w->tail;
	enum ack_state state;

	while (w->tail != w->head) {
		state = ack_window_get(w, w->tail);
		if (state != ACK_DELIVERED && state != ACK_FAILED)
			break;
		w->nb[state]--;
		w->tail++;
	}
	return w->tail - from;
}

static bool to_be_sent(enum ack_state state) {
	return state == ACK_WAITING || state == ACK_SUSPECT;
}

uint32_t ack_window_next_run(
	const struct ack_window *w, uint32_t *index, enum ack_state *kind, uint32_t max
) {
	uint32_t nb = 0;

	while (*index != w->head && !to_be_sent(ack_window_get(w, *index)))
		(*index)++;
	if (*index == w->head)
		return 0;
	*kind = ack_window_get(w, *index);
	while (nb < max && *index + nb != w->head && ack_window_get(w, *index + nb) == *kind)
		nb++;
	return nb;
}
