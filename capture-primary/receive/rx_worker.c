// SPDX-License-Identifier: BSD-3-Clause
// Receive packets and put them on transmit rings.

#include "rx_worker.h"

#include "fixed_limits.h"
#include "flow_hash.h"
#include "packet_check.h"

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_pause.h>

#include <time.h>

#define VLAN_TAG_BYTES 4
#define PAUSES_BEFORE_SLEEP 64

// A burst sorted by ring.
struct rx_sorted {
	uint16_t nb[RTAP_MAX_RINGS_PER_QUEUE];
	struct rte_mbuf *pkts[RTAP_MAX_RINGS_PER_QUEUE][RTAP_MAX_BURST];
};

static unsigned int pick_ring(const struct rx_queue *q, const struct rte_mbuf *m) {
	uint32_t hash;

	if (q->nb_rings == 1)
		return 0;
	if (q->trust_rss && (m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0)
		// A symmetric Toeplitz key repeats every 16 bits, so the halves of the hash are
		// equal, and its low bits have chosen the queue already: stir before use.
		hash = (m->hash.rss * UINT32_C(0x9e3779b1)) >> 16;
	else
		hash = rtap_flow_hash(rte_pktmbuf_mtod(m, const void *), rte_pktmbuf_data_len(m));
	// The low half: transmit workers place a flow within the ring's partitions by the high
	// bits.
	return ((hash & 0xffff) * q->nb_rings) >> 16;
}

static uint64_t
capture_time(struct rx_queue *q, unsigned int ring, struct rte_mbuf *m, uint64_t now) {
	uint64_t *last_ns = &q->last_ns[ring];
	uint64_t device_ns;

	if (!q->device_clock || (m->ol_flags & q->device_time_flag) == 0)
		return rtap_stamp(last_ns, now);
	device_ns = *RTE_MBUF_DYNFIELD(m, q->device_time_offset, uint64_t *) * 1000;
	if (device_ns > *last_ns)
		*last_ns = device_ns;
	return *last_ns;
}

static void publish_ring(struct rx_queue *q, unsigned int i) {
	struct rtap_ring_producer *p = &q->rings[i];
	struct rtap_ring_counters *c = q->ring_counters[i];
	_Atomic uint32_t *quarantined = &q->shared[i]->quarantined;

	rtap_counter_set(&c->in_ring, rtap_ring_outstanding(p));
	// Written again when a transmit worker overwrote it.
	if (unlikely(atomic_load_explicit(quarantined, memory_order_relaxed) != p->quarantined)) {
		rtap_counter_set(&c->quarantined, p->quarantined);
		atomic_store_explicit(quarantined, p->quarantined, memory_order_release);
	}
}

static void reclaim(struct rx_queue *q) {
	uint32_t nb_buffers;
	unsigned int n;

	for (unsigned int i = 0; i < q->nb_rings; i++) {
		n = rtap_ring_reclaim(&q->rings[i], &nb_buffers);
		if (n == 0 && likely(!q->rings[i].quarantined))
			continue;
		q->outstanding -= nb_buffers;
		rtap_counter_add(&q->ring_counters[i]->released, n);
		publish_ring(q, i);
	}
	rtap_counter_set(&q->counters->outstanding, q->outstanding);
}

// Put one ring's share of a burst on it; drop and count what does not fit. Returns the number put.
static unsigned int
put(struct rx_queue *q, unsigned int i, struct rte_mbuf **pkts, uint16_t nb_pkts) {
	struct rtap_ring_counters *c = q->ring_counters[i];
	uint32_t nb_buffers = 0, room = q->budget - q->outstanding;
	uint16_t fits = 0;
	unsigned int n;

	while (fits < nb_pkts && nb_buffers + pkts[fits]->nb_segs <= room)
		nb_buffers += pkts[fits++]->nb_segs;
	n = rtap_ring_put(&q->rings[i], pkts, fits);
	for (unsigned int k = n; k < fits; k++)
		nb_buffers -= pkts[k]->nb_segs;
	q->outstanding += nb_buffers;
	rtap_counter_add(&c->enqueued, n);
	if (unlikely(n < nb_pkts)) {
		rtap_counter_add(&c->ring_full, nb_pkts - n);
		rte_pktmbuf_free_bulk(pkts + n, nb_pkts - n);
	}
	publish_ring(q, i);
	return n;
}

// Keep the first `snaplen` bytes of a longer packet, and none of the buffers after them.
static void snap(struct rte_mbuf *m, uint32_t snaplen) {
	struct rte_mbuf *last = m;
	uint32_t left = snaplen;
	uint16_t nb_segs = 1;

	if (likely(rte_pktmbuf_pkt_len(m) <= snaplen))
		return;
	for (; left > last->data_len; last = last->next, nb_segs++)
		left -= last->data_len;
	rte_pktmbuf_free(last->next);
	last->next = NULL;
	last->data_len = (uint16_t)left;
	m->nb_segs = nb_segs;
	m->pkt_len = snaplen;
}

static void
stamp(const struct rx_worker *w, struct rx_queue *q, unsigned int ring, struct rte_mbuf *m,
      uint64_t now_ns, uint32_t wire_bytes) {
	struct rtap_packet_stamp *stamp
		= RTE_MBUF_DYNFIELD(m, w->stamp_offset, struct rtap_packet_stamp *);

	stamp->time_ns = capture_time(q, ring, m, now_ns);
	stamp->sequence = ++q->last_sequence[ring];
	stamp->wire_bytes = wire_bytes;
}

static void
sort(const struct rx_worker *w, struct rx_queue *q, struct rte_mbuf **pkts, uint16_t nb_pkts,
     struct rx_sorted *sorted) {
	uint64_t now_ns = rtap_clock_ns(w->clock, rte_rdtsc());

	for (unsigned int i = 0; i < q->nb_rings; i++)
		sorted->nb[i] = 0;
	for (uint16_t i = 0; i < nb_pkts; i++) {
		struct rte_mbuf *m = pkts[i];
		uint32_t wire_bytes = rte_pktmbuf_pkt_len(m);
		unsigned int ring;

		snap(m, (uint32_t)w->cfg->snaplen);
		ring = pick_ring(q, m);
		stamp(w, q, ring, m, now_ns, wire_bytes);
		sorted->pkts[ring][sorted->nb[ring]++] = m;
	}
}

// A VLAN tag that the kernel took off is put back after the cut.
static bool is_cut(const struct rx_queue *q, uint32_t len) {
	return q->cut_bytes > 0 && (len == q->cut_bytes || len == q->cut_bytes + VLAN_TAG_BYTES);
}

// Count a burst and free its malformed packets. Returns how many are left.
static uint16_t take(struct rx_queue *q, struct rte_mbuf **pkts, uint16_t nb_pkts) {
	uint64_t bytes = 0, nb_cut = 0;
	uint16_t nb = 0;

	for (uint16_t i = 0; i < nb_pkts; i++) {
		struct rte_mbuf *m = pkts[i];

		if (unlikely(!packet_check(m))) {
			rte_pktmbuf_free(m);
			continue;
		}
		pkts[nb++] = m;
		bytes += rte_pktmbuf_pkt_len(m);
		nb_cut += is_cut(q, rte_pktmbuf_pkt_len(m));
	}
	rtap_counter_add(&q->counters->received, nb_pkts);
	rtap_counter_add(&q->counters->received_bytes, bytes);
	if (unlikely(nb < nb_pkts))
		rtap_counter_add(&q->counters->malformed, nb_pkts - nb);
	if (unlikely(nb_cut > 0))
		rtap_counter_add(&q->counters->cut, nb_cut);
	return nb;
}

// Free and count the packets that the filter rejects. Returns how many are left.
static uint16_t
filter(const struct capture_filter *wanted, struct rx_queue *q, struct rte_mbuf **pkts,
       uint16_t nb_pkts) {
	uint16_t nb;

	if (wanted == NULL)
		return nb_pkts;
	nb = capture_filter_run(wanted, pkts, nb_pkts);
	if (nb < nb_pkts) {
		rtap_counter_add(&q->counters->filtered, nb_pkts - nb);
		rte_pktmbuf_free_bulk(pkts + nb, nb_pkts - nb);
	}
	return nb;
}

static uint16_t
receive_burst(const struct rx_worker *w, struct rx_queue *q, struct rx_sorted *sorted) {
	struct rte_mbuf *pkts[RTAP_MAX_BURST];
	uint16_t nb_pkts, nb_taken, nb_wanted;
	unsigned int enqueued = 0;

	nb_pkts = rte_eth_rx_burst(q->port_id, q->queue_id, pkts, (uint16_t)w->cfg->burst_size);
	if (nb_pkts == 0)
		return 0;
	nb_taken = take(q, pkts, nb_pkts);
	nb_wanted = filter(w->filter, q, pkts, nb_taken);
	sort(w, q, pkts, nb_wanted, sorted);
	for (unsigned int i = 0; i < q->nb_rings; i++)
		if (sorted->nb[i] > 0)
			enqueued += put(q, i, sorted->pkts[i], sorted->nb[i]);
	rtap_counter_add(&q->counters->enqueued, enqueued);
	rtap_counter_add(&q->counters->ring_full, nb_wanted - enqueued);
	rtap_counter_add(&q->counters->bursts, 1);
	if (nb_pkts == w->cfg->burst_size)
		rtap_counter_add(&q->counters->full_bursts, 1);
	rtap_counter_set(&q->counters->outstanding, q->outstanding);
	return nb_pkts;
}

// Receive up to max-bursts bursts, one after the other while they are full.
static bool serve_queue(const struct rx_worker *w, struct rx_queue *q, struct rx_sorted *sorted) {
	uint16_t nb_pkts;
	bool any = false;

	for (uint64_t i = 0; i < w->cfg->max_bursts; i++) {
		reclaim(q);
		nb_pkts = receive_burst(w, q, sorted);
		any |= nb_pkts > 0;
		if (nb_pkts < w->cfg->burst_size)
			break;
	}
	return any;
}

static void idle(const struct rtap_config *cfg, uint32_t *empty_rounds) {
	uint64_t sleep_us;
	struct timespec ts = {0};

	(*empty_rounds)++;
	if (cfg->idle == RTAP_IDLE_SPIN)
		return;
	if (cfg->idle == RTAP_IDLE_PAUSE || *empty_rounds < PAUSES_BEFORE_SLEEP) {
		rte_pause();
		return;
	}
	sleep_us = *empty_rounds - PAUSES_BEFORE_SLEEP + 1;
	if (sleep_us > cfg->idle_max_us)
		sleep_us = cfg->idle_max_us;
	ts.tv_nsec = (long)sleep_us * 1000;
	nanosleep(&ts, NULL);
}

// Whether the control thread has paused the queue; `rests` acknowledges it.
static bool is_paused(struct rx_queue *q) {
	bool paused = atomic_load_explicit(&q->paused, memory_order_acquire);

	if (unlikely(paused != atomic_load_explicit(&q->rests, memory_order_relaxed)))
		atomic_store_explicit(&q->rests, paused, memory_order_release);
	return paused;
}

int rx_worker_run(void *arg) {
	struct rx_worker *w = arg;
	static _Thread_local struct rx_sorted sorted;
	uint32_t empty_rounds = 0;
	bool any;
	int phase;

	while ((phase = atomic_load_explicit(&w->phase, memory_order_relaxed)) != RX_EXIT) {
		any = false;
		for (unsigned int i = 0; i < w->nb_queues; i++) {
			if (phase == RX_CAPTURE && !is_paused(w->queues[i]))
				any |= serve_queue(w, w->queues[i], &sorted);
			else
				reclaim(w->queues[i]);
		}
		atomic_store_explicit(&w->obeyed, phase, memory_order_release);
		if (any)
			empty_rounds = 0;
		else
			idle(w->cfg, &empty_rounds);
	}
	return 0;
}
