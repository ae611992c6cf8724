// SPDX-License-Identifier: BSD-3-Clause
// Run a real receive worker in a thread, on a net_ring port whose packets come from the test, and
// look at what it puts on its transmit rings.
//
// The worker's queues are paused but in rx_rig_receive(): in between, a test sees all that it did
// and nothing in the making.

#pragma once

#include "check_main.h"
#include "eal_test.h"
#include "now.h"
#include "rx_worker.h"

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <pthread.h>
#include <string.h>
#include <time.h>

#define NB_QUEUES 2
#define NB_RINGS 4 // of a queue, at most
#define RING_SIZE 256
#define CAPACITY (RING_SIZE - 1)
#define BURST 32
#define NB_BUFFERS 4095
#define DATA_ROOM 2048
#define TIME_LIMIT_NS (10 * RTAP_SECOND_NS)

static struct rtap_config cfg;
static struct rtap_clock clock_;
static struct rx_worker worker;
static struct rx_queue queues[NB_QUEUES];
static struct rx_queue *const queue_list[NB_QUEUES] = {&queues[0], &queues[1]};
static struct rtap_queue_counters queue_counters[NB_QUEUES];
static struct rtap_ring_counters ring_counters[NB_QUEUES][NB_RINGS];
static struct rtap_shm_ring shared_rings[NB_QUEUES][NB_RINGS];
static struct rtap_ring_consumer consumers[NB_QUEUES][NB_RINGS];
static struct rte_mbuf *held[NB_QUEUES][NB_RINGS][RING_SIZE];
static struct rte_ring *wires[NB_QUEUES]; // what the port receives from
static struct rte_mempool *pool;
static pthread_t thread;

// Until `condition` holds, not longer than TIME_LIMIT_NS.
#define RX_RIG_AWAIT(condition)                                                                    \
	do {                                                                                       \
		static const struct timespec pause_ = {.tv_nsec = 50 * RTAP_US_NS};                \
		uint64_t until_ns_ = rtap_monotonic_ns() + TIME_LIMIT_NS;                          \
                                                                                                   \
		while (!(condition)) {                                                             \
			if (rtap_monotonic_ns() > until_ns_)                                       \
				ck_abort_msg("in vain: %s", #condition);                           \
			nanosleep(&pause_, NULL);                                                  \
		}                                                                                  \
	} while (0)

static inline void rx_rig_make_port(void) {
	struct rte_eth_conf conf = {0};
	uint16_t port_id;
	char name[32];

	ck_assert_int_eq(rte_eal_hotplug_add("vdev", "net_ring0", ""), 0);
	ck_assert_int_eq(rte_eth_dev_get_port_by_name("net_ring0", &port_id), 0);
	ck_assert_int_eq(rte_eth_dev_configure(port_id, NB_QUEUES, 0, &conf), 0);
	for (uint16_t i = 0; i < NB_QUEUES; i++) {
		ck_assert_int_eq(rte_eth_rx_queue_setup(port_id, i, 0, 0, NULL, pool), 0);
		snprintf(name, sizeof(name), "ETH_RXTX%u_net_ring0", i);
		wires[i] = rte_ring_lookup(name);
		ck_assert_ptr_nonnull(wires[i]);
		queues[i].port_id = port_id;
		queues[i].queue_id = i;
	}
	ck_assert_int_eq(rte_eth_dev_start(port_id), 0);
}

static inline void rx_rig_make_rings(unsigned int q) {
	char name[32];

	for (unsigned int r = 0; r < NB_RINGS; r++) {
		struct rte_ring *ring;

		snprintf(name, sizeof(name), "transmit_%u_%u", q, r);
		ring = rte_ring_create(name, RING_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
		ck_assert_ptr_nonnull(ring);
		rtap_ring_producer_init(&queues[q].rings[r], ring, held[q][r]);
		rtap_ring_take_over(&consumers[q][r], ring);
		queues[q].ring_counters[r] = &ring_counters[q][r];
		queues[q].shared[r] = &shared_rings[q][r];
	}
	queues[q].counters = &queue_counters[q];
	queues[q].nb_rings = 1;
	queues[q].budget = NB_BUFFERS;
	atomic_store(&queues[q].paused, true);
}

// A worker that is ready to run; a test may still change `cfg`, `worker` and `queues`.
static inline void rx_rig_set_up(void) {
	static const struct rte_mbuf_dynfield stamp = {
		.name = RTAP_STAMP_FIELD,
		.size = sizeof(struct rtap_packet_stamp),
		.align = __alignof__(struct rtap_packet_stamp),
	};

	eal_test_start();
	worker.stamp_offset = rte_mbuf_dynfield_register(&stamp);
	ck_assert_int_ge(worker.stamp_offset, 0);
	pool = rte_pktmbuf_pool_create(
		"packets", NB_BUFFERS, 0, 0, RTE_PKTMBUF_HEADROOM + DATA_ROOM, 0
	);
	ck_assert_ptr_nonnull(pool);
	rx_rig_make_port();
	for (unsigned int q = 0; q < NB_QUEUES; q++)
		rx_rig_make_rings(q);
	rtap_clock_init(&clock_, rte_get_tsc_hz(), rte_rdtsc(), rtap_utc_ns());
	cfg = (struct rtap_config){
		.burst_size = BURST,
		.max_bursts = 4,
		.snaplen = 65535,
		.idle = RTAP_IDLE_SLEEP,
		.idle_max_us = 50,
	};
	worker.cfg = &cfg;
	worker.clock = &clock_;
	worker.queues = (struct rx_queue **)(uintptr_t)queue_list;
	worker.nb_queues = NB_QUEUES;
	atomic_store(&worker.obeyed, -1);
}

static inline void *rx_rig_run_worker(void *arg) {
	return (void *)(intptr_t)rx_worker_run(arg);
}

static inline void rx_rig_launch(void) {
	ck_assert_int_eq(pthread_create(&thread, NULL, rx_rig_run_worker, &worker), 0);
}

// With its queues paused.
static inline void rx_rig_start(void) {
	rx_rig_launch();
	for (unsigned int q = 0; q < NB_QUEUES; q++)
		RX_RIG_AWAIT(atomic_load(&queues[q].rests));
}

// A packet of `len` bytes in `nb_segs` buffers of about the same length, or the frame if there is
// one.
static inline struct rte_mbuf *rx_rig_packet(const void *frame, uint32_t len, uint16_t nb_segs) {
	struct rte_mbuf *first = NULL;

	for (uint16_t s = 0; s < nb_segs; s++) {
		uint32_t from = len * s / nb_segs, n = len * (s + 1u) / nb_segs - from;
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		char *data;

		ck_assert_ptr_nonnull(m);
		data = rte_pktmbuf_append(m, (uint16_t)n);
		ck_assert_ptr_nonnull(data);
		if (frame != NULL)
			memcpy(data, (const char *)frame + from, n);
		else
			memset(data, 0, n);
		if (first == NULL)
			first = m;
		else
			ck_assert_int_eq(rte_pktmbuf_chain(first, m), 0);
	}
	return first;
}

static inline void rx_rig_feed(unsigned int q, struct rte_mbuf *m) {
	ck_assert_int_eq(rte_ring_enqueue(wires[q], m), 0);
}

static inline void rx_rig_feed_many(unsigned int q, unsigned int nb_pkts, uint16_t nb_segs) {
	for (unsigned int i = 0; i < nb_pkts; i++)
		rx_rig_feed(q, rx_rig_packet(NULL, 60 * nb_segs, nb_segs));
}

// received = malformed + filtered + ring_full + enqueued, the rings' sums equal their queue's, and
// each buffer is in the pool or outstanding.
static inline void rx_rig_ck_conserved(void) {
	uint64_t outstanding = 0;

	for (unsigned int q = 0; q < NB_QUEUES; q++) {
		const struct rtap_queue_counters *c = &queue_counters[q];
		uint64_t enqueued = 0, ring_full = 0;

		for (unsigned int r = 0; r < NB_RINGS; r++) {
			const struct rtap_ring_counters *ring = &ring_counters[q][r];

			enqueued += rtap_counter_get(&ring->enqueued);
			ring_full += rtap_counter_get(&ring->ring_full);
			ck_assert_uint_eq(
				rtap_counter_get(&ring->in_ring),
				rtap_counter_get(&ring->enqueued)
					- rtap_counter_get(&ring->released)
			);
		}
		ck_assert_uint_eq(enqueued, rtap_counter_get(&c->enqueued));
		ck_assert_uint_eq(ring_full, rtap_counter_get(&c->ring_full));
		ck_assert_uint_eq(
			rtap_counter_get(&c->received),
			rtap_counter_get(&c->malformed) + rtap_counter_get(&c->filtered) + ring_full
				+ enqueued
		);
		ck_assert_uint_eq(rtap_counter_get(&c->outstanding), queues[q].outstanding);
		ck_assert_uint_le(queues[q].outstanding, queues[q].budget);
		outstanding += queues[q].outstanding;
	}
	ck_assert_uint_eq(rte_mempool_avail_count(pool) + outstanding, NB_BUFFERS);
}

static inline void rx_rig_pause(bool paused) {
	for (unsigned int q = 0; q < NB_QUEUES; q++)
		atomic_store(&queues[q].paused, paused);
	for (unsigned int q = 0; q < NB_QUEUES; q++)
		RX_RIG_AWAIT(atomic_load(&queues[q].rests) == paused);
}

// Let the worker receive all that was fed.
static inline void rx_rig_receive(void) {
	rx_rig_pause(false);
	for (unsigned int q = 0; q < NB_QUEUES; q++)
		RX_RIG_AWAIT(rte_ring_empty(wires[q]));
	rx_rig_pause(true);
	rx_rig_ck_conserved();
}

// Read up to `max` more packets of a ring, which stay its own.
static inline unsigned int
rx_rig_read(unsigned int q, unsigned int r, struct rte_mbuf **pkts, unsigned int max) {
	int nb = rtap_ring_read(&consumers[q][r], 0, pkts, max);

	ck_assert_int_ge(nb, 0);
	return (unsigned int)nb;
}

static inline const struct rtap_packet_stamp *rx_rig_stamp(const struct rte_mbuf *m) {
	return RTE_MBUF_DYNFIELD(m, worker.stamp_offset, const struct rtap_packet_stamp *);
}

// Release all that was put on the rings, as a transmit worker that has delivered it, and wait until
// the buffers are free.
static inline void rx_rig_release(void) {
	struct rte_mbuf *pkts[RING_SIZE];

	for (unsigned int q = 0; q < NB_QUEUES; q++)
		for (unsigned int r = 0; r < NB_RINGS; r++) {
			rx_rig_read(q, r, pkts, RING_SIZE);
			ck_assert_int_eq(
				rtap_ring_read(
					&consumers[q][r], consumers[q][r].in_window, pkts, 0
				),
				0
			);
		}
	for (unsigned int q = 0; q < NB_QUEUES; q++)
		RX_RIG_AWAIT(rtap_counter_get(&queue_counters[q].outstanding) == 0);
	RX_RIG_AWAIT(rte_mempool_avail_count(pool) == NB_BUFFERS);
}

static inline void rx_rig_stop(void) {
	void *result;

	atomic_store(&worker.phase, RX_EXIT);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_null(result);
}
