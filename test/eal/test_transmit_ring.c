// SPDX-License-Identifier: BSD-3-Clause
// Tests of both ends of a transmit ring, on real rings and mbufs. The buffers come from a mempool
// whose handler is ours: it sees each buffer come back and knows whether it may.

#include "check_main.h"
#include "eal_test.h"
#include "transmit_ring.h"

#include <rte_eal.h>
#include <rte_mempool.h>
#include <rte_ring_peek_zc.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RING_SIZE 256
#define CAPACITY (RING_SIZE - 1)
#define MAX_SEGMENTS 4
#define MAX_BURST (RING_SIZE + 50) // more than fits
#define NB_BUFFERS ((CAPACITY + MAX_BURST) * MAX_SEGMENTS)
#define OPS_NAME "rtap_test"
#define NOT_PUT UINT64_MAX

// Check makes a system call for each assertion: only what is wrong becomes one.
#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("%s", #condition);                                            \
	} while (0)

// At the start of each buffer.
struct tag {
	uint64_t packet; // number of the packet, counted from 0, or NOT_PUT
	bool in_pool;
};

static struct rtap_ring_producer producer;
static struct rtap_ring_consumer worker;
static struct rte_mbuf *held[RING_SIZE];
static struct rte_ring *ring;
static struct rte_mempool *pool;
static void *free_buffers[NB_BUFFERS];
static unsigned int nb_free;
static uint64_t random_state;

// Packets are numbered from 0 on and never wrap; ring indexes start at `base`.
static struct {
	uint64_t put, freed;
	_Atomic uint64_t released;
	uint32_t base;
} model;

static uint32_t pick(uint32_t below) {
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((random_state >> 33) % below);
}

static struct tag *tag_of(const struct rte_mbuf *m) {
	return m->buf_addr;
}

// ---- the mempool handler ----

static int pool_alloc(struct rte_mempool *mp) {
	return 0;
}

static void pool_free(struct rte_mempool *mp) {}

static void ck_may_be_freed(struct rte_mbuf *m) {
	struct tag *tag = tag_of(m);

	REQUIRE(!tag->in_pool);
	if (tag->packet != NOT_PUT) {
		REQUIRE(tag->packet >= model.freed);
		REQUIRE(tag->packet < atomic_load(&model.released));
	}
	tag->in_pool = true;
}

static int pool_enqueue(struct rte_mempool *mp, void *const *objects, unsigned int nb) {
	for (unsigned int i = 0; i < nb; i++) {
		if (pool != NULL)
			ck_may_be_freed(objects[i]);
		REQUIRE(nb_free < NB_BUFFERS);
		free_buffers[nb_free++] = objects[i];
	}
	return 0;
}

// The last one freed comes first: one that was freed too early is soon something else.
static int pool_dequeue(struct rte_mempool *mp, void **objects, unsigned int nb) {
	if (nb > nb_free)
		return -ENOBUFS;
	for (unsigned int i = 0; i < nb; i++) {
		objects[i] = free_buffers[--nb_free];
		tag_of(objects[i])->in_pool = false;
	}
	return 0;
}

static unsigned int pool_count(const struct rte_mempool *mp) {
	return nb_free;
}

static const struct rte_mempool_ops ops = {
	.name = OPS_NAME,
	.alloc = pool_alloc,
	.free = pool_free,
	.enqueue = pool_enqueue,
	.dequeue = pool_dequeue,
	.get_count = pool_count,
};

RTE_MEMPOOL_REGISTER_OPS(ops)

static void mark_in_pool(struct rte_mempool *mp, void *arg, void *object, unsigned int index) {
	tag_of(object)->in_pool = true;
}

// ---- fixture ----

// An empty ring whose indexes are `base`, as if 2^32 packets were a matter of hours.
static void start_at(uint32_t base) {
	memset(&model, 0, sizeof(model));
	model.base = base;
	rte_ring_reset(ring);
	ring->prod.head = ring->prod.tail = base;
	ring->cons.head = ring->cons.tail = base;
	rtap_ring_producer_init(&producer, ring, held);
	rtap_ring_take_over(&worker, ring);
}

static void set_up(void) {
	random_state = 1;
	eal_test_start();
	pool = rte_pktmbuf_pool_create_by_ops(
		"mbufs", NB_BUFFERS, 0, 0, RTE_PKTMBUF_HEADROOM + 64, SOCKET_ID_ANY, OPS_NAME
	);
	ck_assert_ptr_nonnull(pool);
	rte_mempool_obj_iter(pool, mark_in_pool, NULL);
	ring = rte_ring_create("packets", RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	ck_assert_ptr_nonnull(ring);
	start_at(0);
}

static void tear_down(void) {
	eal_test_end();
}

// ---- the producer's moves ----

static struct rte_mbuf *make_packet(uint64_t number, unsigned int nb_segments) {
	struct rte_mbuf *head = NULL;

	for (unsigned int i = 0; i < nb_segments; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		REQUIRE(m != NULL);
		tag_of(m)->packet = number;
		if (head == NULL)
			head = m;
		else
			REQUIRE(rte_pktmbuf_chain(head, m) == 0);
	}
	return head;
}

static void put(unsigned int nb, unsigned int nb_segments) {
	struct rte_mbuf *pkts[MAX_BURST] = {NULL};
	uint64_t room = CAPACITY - (model.put - model.freed);
	unsigned int n;

	for (unsigned int i = 0; i < nb; i++)
		pkts[i] = make_packet(
			model.put + i, nb_segments > 0 ? nb_segments : 1 + pick(MAX_SEGMENTS)
		);
	n = rtap_ring_put(&producer, pkts, nb);
	REQUIRE(n == (nb < room ? nb : room));
	model.put += n;
	for (; n < nb; n++) { // still ours
		tag_of(pkts[n])->packet = NOT_PUT;
		for (struct rte_mbuf *m = pkts[n]; m != NULL; m = m->next)
			tag_of(m)->packet = NOT_PUT;
		rte_pktmbuf_free(pkts[n]);
	}
	REQUIRE(rtap_ring_outstanding(&producer) == model.put - model.freed);
}

static void reclaim(void) {
	uint32_t nb_buffers = UINT32_MAX;
	unsigned int n, free_before = nb_free;

	n = rtap_ring_reclaim(&producer, &nb_buffers);
	REQUIRE(n == model.released - model.freed);
	REQUIRE(nb_free - free_before == nb_buffers);
	REQUIRE(nb_buffers >= n);
	model.freed += n;
	REQUIRE(rtap_ring_outstanding(&producer) == model.put - model.freed);
	REQUIRE(!producer.quarantined);
}

// ---- the worker's moves ----

static void ck_packets(struct rte_mbuf **pkts, int nb, uint64_t first) {
	for (int i = 0; i < nb; i++) {
		REQUIRE(!tag_of(pkts[i])->in_pool);
		REQUIRE(tag_of(pkts[i])->packet == first + (uint64_t)i);
	}
}

static void read_packets(uint32_t nb_release, unsigned int max) {
	struct rte_mbuf *pkts[MAX_BURST];
	uint64_t next = model.released + worker.in_window;
	uint64_t there = model.put - next;
	uint32_t window = worker.in_window;
	int nb;

	model.released += nb_release;
	nb = rtap_ring_read(&worker, nb_release, pkts, max);
	REQUIRE(nb == (int)(max < there ? max : there));
	ck_packets(pkts, nb, next);
	REQUIRE(worker.in_window == window - nb_release + (uint32_t)nb);
	REQUIRE(worker.tail == model.base + (uint32_t)model.released);
	REQUIRE(ring->cons.head == ring->cons.tail);
}

static void look_again(uint32_t offset, unsigned int max) {
	struct rte_mbuf *pkts[MAX_BURST];
	uint32_t left = offset < worker.in_window ? worker.in_window - offset : 0;
	struct rtap_ring_consumer before = worker;
	int nb;

	nb = rtap_ring_look_again(&worker, offset, pkts, max);
	REQUIRE(nb == (int)(max < left ? max : left));
	ck_packets(pkts, nb, model.released + offset);
	REQUIRE(worker.in_window == before.in_window && worker.tail == before.tail);
	REQUIRE(ring->cons.tail == model.base + (uint32_t)model.released);
}

// Die at any store of a read, and of the take-over itself; the next worker takes over.
static void die(void) {
	struct rte_ring_zc_data view;

	switch (pick(4)) {
	case 0: // between two reads
		break;
	case 1: // the read was started
		rte_ring_dequeue_zc_burst_start(
			ring, worker.in_window + pick(MAX_BURST), &view, NULL
		);
		break;
	case 2: // the head is where the tail was about to go
		ring->cons.head = ring->cons.tail + pick(worker.in_window + 1);
		break;
	case 3: // twice, the second one while taking over
		rte_ring_dequeue_zc_burst_start(ring, worker.in_window + 1, &view, NULL);
		ring->cons.head = ring->cons.tail;
	}
	memset(&worker, 0xff, sizeof(worker));
	rtap_ring_take_over(&worker, ring);
	REQUIRE(worker.in_window == 0);
	REQUIRE(worker.tail == model.base + (uint32_t)model.released);
	REQUIRE(ring->cons.head == ring->cons.tail && ring->cons.tail == worker.tail);
}

static void drain(void) {
	while (model.released < model.put)
		read_packets(worker.in_window, pick(MAX_BURST));
	reclaim();
	REQUIRE(model.freed == model.put);
	ck_assert_uint_eq(nb_free, NB_BUFFERS);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), NB_BUFFERS);
}

// ---- tests ----

static const uint32_t bases[] = {0, 1, UINT32_MAX, UINT32_MAX - RING_SIZE / 2, UINT32_MAX - 100000};

START_TEST(random_moves_and_deaths) {
	unsigned int nb_deaths = 0;

	start_at(bases[_i]);
	while (nb_deaths < 100000) {
		switch (pick(6)) {
		case 0:
			put(pick(16) == 0 ? pick(MAX_BURST) : pick(33), 0);
			break;
		case 1:
			reclaim();
			break;
		case 2:
			look_again(pick(worker.in_window + 2), pick(MAX_BURST));
			break;
		case 3:
			die();
			nb_deaths++;
			break;
		default:
			read_packets(
				pick(2) == 0 ? worker.in_window : pick(worker.in_window + 1),
				pick(65)
			);
		}
	}
	ck_assert_uint_gt(model.put, 200000);
	drain();
}
END_TEST

// Room is what is freed, not what the ring says: the slot's buffer would be lost.
START_TEST(room_is_what_is_freed) {
	start_at(bases[_i]);
	put(MAX_BURST, 1);
	ck_assert_uint_eq(model.put, CAPACITY);
	read_packets(0, MAX_BURST);
	read_packets(100, 0);
	ck_assert_uint_eq(rte_ring_free_count(ring), 100);
	put(1, 1);
	ck_assert_uint_eq(model.put, CAPACITY);
	reclaim();
	put(101, 1);
	ck_assert_uint_eq(model.put, CAPACITY + 100);
	drain();
}
END_TEST

START_TEST(nothing) {
	start_at(bases[_i]);
	put(0, 1);
	reclaim();
	read_packets(0, 0);
	read_packets(0, MAX_BURST);
	look_again(0, MAX_BURST);
	drain();
}
END_TEST

START_TEST(segments_are_counted) {
	uint32_t nb_buffers;

	start_at(bases[_i]);
	for (unsigned int n = 1; n <= MAX_SEGMENTS; n++)
		put(3, n);
	read_packets(0, MAX_BURST);
	read_packets(12, 0);
	ck_assert_uint_eq(rtap_ring_reclaim(&producer, &nb_buffers), 12);
	ck_assert_uint_eq(nb_buffers, 3 * (1 + 2 + 3 + 4));
	ck_assert_uint_eq(rtap_ring_reclaim(&producer, &nb_buffers), 0);
	ck_assert_uint_eq(nb_buffers, 0);
	ck_assert_uint_eq(nb_free, NB_BUFFERS);
}
END_TEST

START_TEST(release_of_more_than_the_window) {
	struct rte_mbuf *pkts[MAX_BURST];

	start_at(bases[_i]);
	put(50, 1);
	ck_assert_int_eq(rtap_ring_read(&worker, 1, pkts, 10), -EINVAL);
	read_packets(0, 20);
	ck_assert_int_eq(rtap_ring_read(&worker, 21, pkts, 10), -EINVAL);
	ck_assert_int_eq(rtap_ring_read(&worker, UINT32_MAX, pkts, 10), -EINVAL);
	ck_assert_uint_eq(worker.in_window, 20);
	reclaim();
	ck_assert_uint_eq(model.freed, 0);
	read_packets(20, 10);
	drain();
}
END_TEST

START_TEST(the_same_pointers_again) {
	struct rte_mbuf *first[MAX_BURST], *again[MAX_BURST];
	int nb;

	start_at(bases[_i]);
	for (unsigned int round = 0; round < 20; round++) { // the window wraps within the ring
		put(100, 2);
		nb = rtap_ring_read(&worker, 0, first, 100);
		ck_assert_int_eq(nb, 100);
		ck_assert_int_eq(rtap_ring_look_again(&worker, 0, again, MAX_BURST), 100);
		ck_assert_mem_eq(first, again, 100 * sizeof(first[0]));
		ck_assert_int_eq(rtap_ring_look_again(&worker, 37, again, 5), 5);
		ck_assert_mem_eq(first + 37, again, 5 * sizeof(first[0]));
		ck_assert_int_eq(rtap_ring_look_again(&worker, 100, again, 5), 0);
		ck_assert_int_eq(rtap_ring_look_again(&worker, UINT32_MAX, again, 5), 0);
		read_packets(100, 0);
		reclaim();
	}
	drain();
}
END_TEST

// ---- what another process may write ----

static void half_full(uint32_t base) {
	start_at(base);
	put(100, 1);
	read_packets(0, 60);
	read_packets(40, 0);
	reclaim();
	read_packets(10, 0);
}

static void ck_quarantined(void) {
	struct rte_mbuf *pkt = make_packet(NOT_PUT, 1);
	unsigned int free_before = nb_free;
	uint32_t nb_buffers = 1;

	ck_assert(producer.quarantined);
	ck_assert_uint_eq(rtap_ring_reclaim(&producer, &nb_buffers), 0);
	ck_assert_uint_eq(nb_buffers, 0);
	ck_assert_uint_eq(rtap_ring_put(&producer, &pkt, 1), 0);
	ck_assert_uint_eq(nb_free, free_before);
	ck_assert_uint_eq(rtap_ring_outstanding(&producer), 60);
	rte_pktmbuf_free(pkt);
}

// From the freed index: before it, beyond the head, anywhere. 60 packets are outstanding.
static const uint32_t wild[] = {
	UINT32_MAX, UINT32_MAX - RING_SIZE, 61, 62, 61 + RING_SIZE, 0x7fffffff, 0x80000000};

START_TEST(wild_tail) {
	uint32_t nb_buffers, tail;

	half_full(UINT32_MAX - 50);
	tail = ring->cons.tail;
	ring->cons.tail = producer.freed + wild[_i];
	ck_assert_uint_eq(rtap_ring_reclaim(&producer, &nb_buffers), 0);
	ck_assert_uint_eq(nb_buffers, 0);
	ck_quarantined();
	ring->cons.tail = tail; // it stays, whatever comes
	ck_quarantined();
}
END_TEST

// The last tails that make sense.
START_TEST(tail_at_the_head) {
	uint32_t nb_buffers;

	half_full(UINT32_MAX - 50);
	ring->cons.tail = producer.head;
	atomic_store(&model.released, model.put);
	ck_assert_uint_eq(rtap_ring_reclaim(&producer, &nb_buffers), 60);
	ck_assert(!producer.quarantined);
	ck_assert_uint_eq(nb_free, NB_BUFFERS);
}
END_TEST

// With a wild tail the ring itself would take packets over slots that are not freed.
START_TEST(put_after_wild_tail) {
	struct rte_mbuf *pkts[MAX_BURST];
	unsigned int n;

	half_full(UINT32_MAX - 50);
	ring->cons.tail = producer.freed + wild[_i];
	for (unsigned int i = 0; i < MAX_BURST; i++)
		pkts[i] = make_packet(model.put + i, 1);
	n = rtap_ring_put(&producer, pkts, MAX_BURST);
	ck_assert_uint_le(n, CAPACITY - 60);
	ck_assert_uint_eq(rtap_ring_outstanding(&producer), 60 + n);
}
END_TEST

static void overwrite(int word) {
	switch (word) {
	case 0:
		ring->prod.head++;
		break;
	case 1:
		ring->prod.tail--;
		break;
	case 2:
		ring->prod.head = ring->prod.tail = producer.head + 5;
		break;
	case 3:
		*(uint32_t *)(uintptr_t)&ring->size = RING_SIZE * 1024;
		break;
	case 4:
		*(uint32_t *)(uintptr_t)&ring->mask = RING_SIZE * 1024 - 1;
		break;
	case 5:
		*(uint32_t *)(uintptr_t)&ring->capacity = UINT32_MAX;
		break;
	case 6:
		*(uint32_t *)(uintptr_t)&ring->size = 0;
		break;
	}
}
#define NB_OVERWRITES 7

START_TEST(overwritten_header_stops_put) {
	struct rte_mbuf *pkt;

	half_full(UINT32_MAX - 50);
	overwrite(_i);
	pkt = make_packet(NOT_PUT, 1);
	ck_assert_uint_eq(rtap_ring_put(&producer, &pkt, 1), 0);
	rte_pktmbuf_free(pkt);
	ck_quarantined();
}
END_TEST

START_TEST(overwritten_header_stops_reclaim) {
	uint32_t nb_buffers;

	half_full(UINT32_MAX - 50);
	overwrite(_i);
	ck_assert_uint_eq(rtap_ring_reclaim(&producer, &nb_buffers), 0);
	ck_quarantined();
}
END_TEST

// The pointers in the ring are for workers; the primary frees what it remembers.
START_TEST(overwritten_slots_change_nothing) {
	start_at(bases[_i]);
	for (unsigned int round = 0; round < 5; round++) {
		put(200, 0);
		read_packets(0, MAX_BURST);
		for (unsigned int i = 0; i < RING_SIZE; i++)
			((void **)&ring[1])[i] = i % 2 == 0 ? (void *)(uintptr_t)0xdead
							    : (void *)held[0];
		read_packets(200, 0);
		reclaim();
		ck_assert_uint_eq(nb_free, NB_BUFFERS);
	}
}
END_TEST

// A ring that holds less than the window is not the one that was read.
START_TEST(less_than_the_window) {
	struct rte_mbuf *pkts[MAX_BURST];

	start_at(bases[_i]);
	put(50, 1);
	read_packets(0, 50);
	ring->prod.tail -= 10;
	ck_assert_int_eq(rtap_ring_read(&worker, 5, pkts, 10), -EIO);
	ck_assert_int_eq(rtap_ring_look_again(&worker, 0, pkts, 10), -EIO);
	ck_assert_uint_eq(worker.in_window, 50);
	ck_assert_uint_eq(ring->cons.tail, model.base);
	ck_assert_uint_eq(ring->cons.head, ring->cons.tail);
	ring->prod.tail += 10;
	drain();
}
END_TEST

// A tail that another process moved: what lies beyond it may be freed buffers.
START_TEST(tail_moved_by_others) {
	static const uint32_t moves[] = {1, 5, UINT32_C(1) << 30, (uint32_t)-5};
	struct rte_mbuf *pkts[MAX_BURST];
	uint32_t head;

	start_at(bases[_i]);
	put(50, 1);
	read_packets(0, 20);
	head = ring->cons.head;
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		ring->cons.tail += moves[i];
		ck_assert_int_eq(rtap_ring_read(&worker, 0, pkts, 10), -EIO);
		ring->cons.head = ring->cons.tail;
		ck_assert_int_eq(rtap_ring_look_again(&worker, 0, pkts, 10), -EIO);
		ring->cons.tail -= moves[i];
		ck_assert_int_eq(rtap_ring_read(&worker, 0, pkts, 10), -EIO);
		ring->cons.head = head;
	}
	read_packets(0, 10);
	drain();
}
END_TEST

// ---- both ends at once ----

#define NB_TOGETHER 1000000

static void *produce(void *arg) {
	uint32_t nb_buffers;

	while (model.freed < NB_TOGETHER) {
		struct rte_mbuf *pkts[32];
		unsigned int n = 0, nb = 0;

		while (nb < 32 && model.put + nb < NB_TOGETHER) {
			pkts[nb] = make_packet(model.put + nb, 1 + nb % 2);
			nb++;
		}
		while (n < nb) {
			n += rtap_ring_put(&producer, pkts + n, nb - n);
			model.freed += rtap_ring_reclaim(&producer, &nb_buffers);
		}
		model.put += nb;
		model.freed += rtap_ring_reclaim(&producer, &nb_buffers);
	}
	return NULL;
}

START_TEST(two_threads) {
	struct rte_mbuf *pkts[64];
	pthread_t thread;
	uint32_t nb_release;
	uint64_t next;
	int nb;

	start_at(UINT32_MAX - NB_TOGETHER / 2);
	REQUIRE(pthread_create(&thread, NULL, produce, NULL) == 0);
	while (atomic_load(&model.released) < NB_TOGETHER) {
		nb_release = pick(worker.in_window + 1);
		next = atomic_load(&model.released) + worker.in_window;
		atomic_fetch_add(&model.released, nb_release);
		nb = rtap_ring_read(&worker, nb_release, pkts, pick(65));
		REQUIRE(nb >= 0);
		ck_packets(pkts, nb, next);
		if (pick(1000) == 0)
			die();
	}
	pthread_join(thread, NULL);
	ck_assert(!producer.quarantined);
	ck_assert_uint_eq(model.freed, NB_TOGETHER);
	ck_assert_uint_eq(nb_free, NB_BUFFERS);
}
END_TEST

static Suite *make_suite(void) {
	const int nb_bases = sizeof(bases) / sizeof(bases[0]);
	const int nb_wild = sizeof(wild) / sizeof(wild[0]);
	Suite *suite = suite_create("transmit_ring");
	TCase *tc = tcase_create("transmit_ring");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 150);
	tcase_add_loop_test(tc, random_moves_and_deaths, 0, nb_bases);
	tcase_add_loop_test(tc, room_is_what_is_freed, 0, nb_bases);
	tcase_add_loop_test(tc, nothing, 0, nb_bases);
	tcase_add_loop_test(tc, segments_are_counted, 0, nb_bases);
	tcase_add_loop_test(tc, release_of_more_than_the_window, 0, nb_bases);
	tcase_add_loop_test(tc, the_same_pointers_again, 0, nb_bases);
	tcase_add_loop_test(tc, wild_tail, 0, nb_wild);
	tcase_add_test(tc, tail_at_the_head);
	tcase_add_loop_test(tc, put_after_wild_tail, 0, nb_wild);
	tcase_add_loop_test(tc, overwritten_header_stops_put, 0, NB_OVERWRITES);
	tcase_add_loop_test(tc, overwritten_header_stops_reclaim, 0, NB_OVERWRITES);
	tcase_add_loop_test(tc, overwritten_slots_change_nothing, 0, nb_bases);
	tcase_add_loop_test(tc, less_than_the_window, 0, nb_bases);
	tcase_add_loop_test(tc, tail_moved_by_others, 0, nb_bases);
	tcase_add_test(tc, two_threads);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
