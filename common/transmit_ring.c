// SPDX-License-Identifier: BSD-3-Clause
// Both ends of a transmit ring.

#include "transmit_ring.h"

#include <rte_branch_prediction.h>
#include <rte_ring_peek.h>
#include <rte_ring_peek_zc.h>
#include <rte_version.h>

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

// The tail is read directly (exposed layout, the same in 22.11, 24.11 and 25.11): single-word,
// written by the consumer with release order.
static_assert(sizeof(((struct rte_ring *)0)->cons.tail) == 4, "ring indexes are 32-bit");
static_assert(
	offsetof(struct rte_ring, cons) % RTE_CACHE_LINE_SIZE == 0,
	"the consumer's end has its own line"
);

void rtap_ring_producer_init(
	struct rtap_ring_producer *p, struct rte_ring *ring, struct rte_mbuf **held
) {
	*p = (struct rtap_ring_producer){
		.ring = ring,
		.held = held,
		.head = ring->prod.head,
		.freed = ring->prod.head,
		.mask = rte_ring_get_size(ring) - 1,
		.capacity = rte_ring_get_capacity(ring),
	};
}

// The producer's words lie on pages that a transmit worker can write: compare before using them.
static bool producer_words_intact(const struct rtap_ring_producer *p) {
	const struct rte_ring *r = p->ring;

	return r->prod.head == p->head && r->prod.tail == p->head && r->size == p->mask + 1
		&& r->mask == p->mask && r->capacity == p->capacity;
}

unsigned int
rtap_ring_put(struct rtap_ring_producer *p, struct rte_mbuf *const *pkts, unsigned int nb_pkts) {
	uint32_t room = p->capacity - rtap_ring_outstanding(p);
	unsigned int n = nb_pkts < room ? nb_pkts : room;
	unsigned int first;

	if (unlikely(p->quarantined || !producer_words_intact(p))) {
		p->quarantined = true;
		return 0;
	}
	// The consumer's tail may have moved since the last reclaim, never less than `freed`: the
	// ring has at least our room unless the tail was overwritten; then it takes nothing.
	n = rte_ring_sp_enqueue_bulk(p->ring, (void *const *)pkts, n, NULL);

	first = p->mask + 1 - (p->head & p->mask);
	if (first > n)
		first = n;
	memcpy(&p->held[p->head & p->mask], pkts, first * sizeof(*pkts));
	memcpy(p->held, pkts + first, (n - first) * sizeof(*pkts));
	p->head += n;
	return n;
}

static uint32_t free_packets(struct rte_mbuf **pkts, unsigned int nb_pkts) {
	uint32_t nb_buffers = 0;

	for (unsigned int i = 0; i < nb_pkts; i++)
		nb_buffers += pkts[i]->nb_segs;
	rte_pktmbuf_free_bulk(pkts, nb_pkts);
	return nb_buffers;
}

unsigned int rtap_ring_reclaim(struct rtap_ring_producer *p, uint32_t *nb_buffers) {
	uint32_t tail = __atomic_load_n(&p->ring->cons.tail, __ATOMIC_ACQUIRE);
	uint32_t n = tail - p->freed;
	unsigned int first;

	*nb_buffers = 0;
	if (n == 0 || unlikely(p->quarantined))
		return 0;
	if (unlikely(n > rtap_ring_outstanding(p) || !producer_words_intact(p))) {
		p->quarantined = true;
		return 0;
	}
	first = p->mask + 1 - (p->freed & p->mask);
	if (first > n)
		first = n;
	*nb_buffers = free_packets(&p->held[p->freed & p->mask], first);
	*nb_buffers += free_packets(p->held, n - first);
	p->freed = tail;
	return n;
}

void rtap_ring_take_over(struct rtap_ring_consumer *c, struct rte_ring *ring) {
	rte_ring_dequeue_finish(ring, 0);
	*c = (struct rtap_ring_consumer){.ring = ring, .tail = ring->cons.tail};
}

// Copy `nb` pointers from the `offset`-th on out of the two stretches of a zero-copy view.
static void copy_view(
	const struct rte_ring_zc_data *view, unsigned int offset, struct rte_mbuf **pkts,
	unsigned int nb
) {
	struct rte_mbuf *const *first = view->ptr1;
	// Without a wrap everything is in the first stretch, and the second is never looked at.
	struct rte_mbuf *const *second = view->ptr2 != NULL ? view->ptr2 : view->ptr1;

	for (unsigned int i = 0; i < nb; i++, offset++)
		pkts[i] = offset < view->n1 ? first[offset] : second[offset - view->n1];
}

// A start without its finish, or a finish of more than was started, breaks the ring silently
// (later slots are returned, or nothing is finished): so both happen here, and only here.
static int start_and_finish(
	struct rtap_ring_consumer *c, uint32_t nb_release, uint32_t offset, struct rte_mbuf **pkts,
	unsigned int max
) {
	struct rte_ring_zc_data view = {0};
	unsigned int nb, wanted = offset + max;

	// Only we move the ring's end: an index that is not where we left it was overwritten, and
	// what it points to may be freed buffers.
	if (unlikely(c->ring->cons.head != c->tail || c->ring->cons.tail != c->tail))
		return -EIO;
	if (wanted < c->in_window)
		wanted = c->in_window;
	nb = rte_ring_dequeue_zc_burst_start(c->ring, wanted, &view, NULL);
	if (unlikely(nb < c->in_window)) {
		rte_ring_dequeue_zc_finish(c->ring, 0);
		return -EIO;
	}
	if (nb < offset + max)
		max = nb > offset ? nb - offset : 0;
	copy_view(&view, offset, pkts, max);
	rte_ring_dequeue_zc_finish(c->ring, nb_release);
	return (int)max;
}

int rtap_ring_read(
	struct rtap_ring_consumer *c, uint32_t nb_release, struct rte_mbuf **pkts, unsigned int max
) {
	int nb;

	if (nb_release > c->in_window)
		return -EINVAL;
	nb = start_and_finish(c, nb_release, c->in_window, pkts, max);
	if (nb < 0)
		return nb;
	c->in_window += (uint32_t)nb - nb_release;
	c->tail += nb_release;
	return nb;
}

int rtap_ring_look_again(
	struct rtap_ring_consumer *c, uint32_t offset, struct rte_mbuf **pkts, unsigned int nb
) {
	if (offset >= c->in_window)
		return 0;
	if (nb > c->in_window - offset)
		nb = c->in_window - offset;
	return start_and_finish(c, 0, offset, pkts, nb);
}
