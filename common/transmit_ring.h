// SPDX-License-Identifier: BSD-3-Clause
// Serve both ends of a transmit ring. A packet stays in its ring until Kafka has it; the ring's
// tail is the only word that a transmit worker moves, and the primary frees every packet before it.
//
// The ring is an rte_ring, single producer, single consumer. Only stable API of DPDK 22.11 is used,
// but for one read: the producer looks at cons.tail itself (static asserts in the .c).

#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <stdbool.h>
#include <stdint.h>

// ---- the producer's end: one receive worker ----

struct rtap_ring_producer {
	struct rte_ring *ring;
	struct rte_mbuf **held; // what was put where: a copy that no other process can write
	uint32_t head; // index of the next packet put
	uint32_t freed; // index up to which buffers are freed
	uint32_t mask;
	uint32_t capacity;
	bool quarantined;
};

// `ring` is empty; its indexes may start anywhere. `held` has room for its size
// (rte_ring_get_size()) and is the caller's.
void rtap_ring_producer_init(
	struct rtap_ring_producer *p, struct rte_ring *ring, struct rte_mbuf **held
);

// Packets put and not yet freed.
static inline uint32_t rtap_ring_outstanding(const struct rtap_ring_producer *p) {
	return p->head - p->freed;
}

// Put up to `nb_pkts` packets, the first ones first; returns how many, the rest is still the
// caller's. Never more than fit over slots whose packets are freed. 0 on a quarantined ring.
unsigned int
rtap_ring_put(struct rtap_ring_producer *p, struct rte_mbuf *const *pkts, unsigned int nb_pkts);

// Free what the transmit worker has released. Returns the number of packets, *nb_buffers their
// segments. A corrupted tail or ring header sets `quarantined`: nothing is freed, now or later.
unsigned int rtap_ring_reclaim(struct rtap_ring_producer *p, uint32_t *nb_buffers);

// ---- the consumer's end: the one transmit worker that owns the ring ----

struct rtap_ring_consumer {
	struct rte_ring *ring;
	uint32_t in_window; // packets read and not yet released
	uint32_t tail; // index of the oldest of them
};

// Take a ring over from a worker that may have died at any instruction: its half-done read is
// undone, the window is empty and starts at the ring's tail.
void rtap_ring_take_over(struct rtap_ring_consumer *c, struct rte_ring *ring);

// Release the oldest `nb_release` packets of the window and read up to `max` new ones after it. A
// release is for good: the primary frees these buffers, the Kafka client must be done with them.
// Returns the number of packets read into `pkts`, which stay the primary's; -EIO when the ring
// holds less than the window (it was corrupted, or is not ours), -EINVAL when nb_release exceeds
// the window.
int rtap_ring_read(
	struct rtap_ring_consumer *c, uint32_t nb_release, struct rte_mbuf **pkts, unsigned int max
);

// Look again at up to `nb` packets of the window, from the `offset`-th oldest on.
// Returns the number copied into `pkts`, or -EIO as above.
int rtap_ring_look_again(
	struct rtap_ring_consumer *c, uint32_t offset, struct rte_mbuf **pkts, unsigned int nb
);
