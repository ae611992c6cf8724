// SPDX-License-Identifier: BSD-3-Clause
// Read frames from a transmit ring.

#include "ring_source.h"

#include "log.h"

#define LOG_TYPE "ring"

void ring_source_take_over(struct ring_source *s) {
	uint64_t taken = rtap_counter_get(&s->counters->taken);
	uint64_t again = rtap_counter_get(&s->counters->sent_again);
	uint32_t repeated;

	rtap_ring_take_over(&s->consumer, s->ring);
	// taken - sent_again is the ring index up to which a worker had read: what lies between the
	// tail and there is read once more.
	repeated = (uint32_t)(taken - again) - s->consumer.tail;
	if (repeated > rte_ring_get_size(s->ring)) {
		// The counters were overwritten. Packets matter more: count on from the ring.
		LOG(ERR, "%s: counters and ring disagree, the balance no longer adds up", s->name);
		rtap_counter_set(&s->counters->taken, taken + (uint32_t)-repeated);
		repeated = 0;
	}
	rtap_counter_set(&s->counters->sent_again, again + repeated);
}

int ring_source_read(
	struct ring_source *s, uint32_t nb_release, struct rte_mbuf **frames, unsigned int max
) {
	int nb = rtap_ring_read(&s->consumer, nb_release, frames, max);

	if (nb > 0)
		rtap_counter_add(&s->counters->taken, (uint64_t)nb);
	return nb;
}

int ring_source_look_again(
	struct ring_source *s, uint32_t offset, struct rte_mbuf **frames, unsigned int nb
) {
	return rtap_ring_look_again(&s->consumer, offset, frames, nb);
}
