// SPDX-License-Identifier: BSD-3-Clause
// What processes share, shared by threads, for ThreadSanitizer: a primary and two workers that hand
// rings to each other, counters with their reader, the clock. TSan sees an order that is missing
// only where plain memory depends on it: so packets, and what is known of them, are plain memory
// here.
//
// The primary, the rings and ring_claim.c are the programs'. Stand-ins: for a delivery, a worker
// that reads and releases; for the lock of a worker's slot, a word.

#include "balance.h"
#include "check_main.h"
#include "clock.h"
#include "ring_claim.h"
#include "transmit_ring.h"

#include <rte_mempool.h>
#include <rte_ring_peek_zc.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define NB_RINGS 2
#define NB_WORKERS 2
#define RING_SIZE 64
#define NB_BUFFERS (NB_RINGS * RING_SIZE)
#define NB_PACKETS 100000 // of each ring
#define BURST 16
#define LIFE_ROUNDS 37 // of a worker, until it dies with what it has in hand
#define NB_STEPS 20000 // of the clock

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("%s", #condition);                                            \
	} while (0)

static struct rtap_shm shm;
static struct rte_ring *rings[NB_RINGS];
static _Atomic uint64_t next_sequence; // of lives of workers
static struct rtap_counters counters;

// Packet n of a ring has index n there, and holds n.
static struct rte_mbuf buffers[NB_BUFFERS];
static uint32_t contents[NB_BUFFERS];
static struct rte_mbuf *free_buffers[NB_BUFFERS];
static unsigned int nb_free;

static uint32_t last_read[NB_RINGS]; // the owner's
static unsigned int handovers[NB_RINGS];
static atomic_bool stop;

// ---- stand-ins ----

// Buffers come back to a list of the primary.
static int pool_put(struct rte_mempool *pool, void *const *objects, unsigned int nb) {
	for (unsigned int i = 0; i < nb; i++) {
		struct rte_mbuf *m = objects[i];

		*(uint32_t *)m->buf_addr = UINT32_MAX; // whoever still reads it races with this
		free_buffers[nb_free++] = m;
	}
	return 0;
}

static int pool_get(struct rte_mempool *pool, void **objects, unsigned int nb) {
	return -ENOBUFS;
}

static int pool_alloc(struct rte_mempool *pool) {
	return 0;
}

static unsigned int pool_count(const struct rte_mempool *pool) {
	return nb_free;
}

static const struct rte_mempool_ops ops = {
	.name = "rtap_threads",
	.alloc = pool_alloc,
	.enqueue = pool_put,
	.dequeue = pool_get,
	.get_count = pool_count,
};

RTE_MEMPOOL_REGISTER_OPS(ops)

static void make_buffers(void) {
	static struct rte_mempool pool;

	for (unsigned int i = 0; i < rte_mempool_ops_table.num_ops; i++)
		if (strcmp(rte_mempool_ops_table.ops[i].name, ops.name) == 0)
			pool.ops_index = (int)i;
	for (nb_free = 0; nb_free < NB_BUFFERS; nb_free++) {
		struct rte_mbuf *m = &buffers[nb_free];

		*m = (struct rte_mbuf){.pool = &pool, .buf_addr = &contents[nb_free]};
		m->nb_segs = 1;
		rte_mbuf_refcnt_set(m, 1);
		free_buffers[nb_free] = m;
	}
}

int delivery_begin(struct delivery *d, const struct delivery_context *ctx) {
	rtap_ring_take_over(&d->source.consumer, d->source.ring);
	d->owned = true;
	handovers[d->maker.ring]++;
	return 0;
}

void delivery_end(struct delivery *d) {
	d->owned = false;
}

static atomic_bool dead[1 << 20]; // by sequence; set when the kernel would drop the slot's lock

bool worker_slot_is_dead(const struct rtap_shm *block, int lock_fd, uint64_t incarnation) {
	return atomic_load_explicit(&dead[incarnation >> 8], memory_order_acquire);
}

// ---- the primary ----

static void put_packet(struct rtap_ring_producer *p, struct rtap_ring_counters *c) {
	struct rte_mbuf *m;

	if (nb_free == 0 || p->head == NB_PACKETS)
		return;
	m = free_buffers[--nb_free];
	*(uint32_t *)m->buf_addr = p->head;
	if (rtap_ring_put(p, &m, 1) == 1)
		rtap_counter_add(&c->enqueued, 1);
	else
		free_buffers[nb_free++] = m;
}

static void *primary(void *arg) {
	static struct rte_mbuf *held[NB_RINGS][RING_SIZE];
	struct rtap_ring_producer p[NB_RINGS];
	unsigned int nb_done = 0, round = 0;
	uint32_t nb_buffers;

	for (unsigned int i = 0; i < NB_RINGS; i++)
		rtap_ring_producer_init(&p[i], rings[i], held[i]);
	while (nb_done < NB_RINGS) {
		nb_done = 0;
		for (unsigned int i = 0; i < NB_RINGS; i++) {
			rtap_counter_add(
				&counters.rings[i].released, rtap_ring_reclaim(&p[i], &nb_buffers)
			);
			put_packet(&p[i], &counters.rings[i]);
			REQUIRE(!p[i].quarantined);
			nb_done += p[i].freed == NB_PACKETS;
		}
		if (++round % BURST == 0)
			sched_yield();
	}
	atomic_store(&stop, true);
	return NULL;
}

// Its control thread: rings change hands all the time.
static void *assigner(void *arg) {
	for (unsigned int round = 0; !atomic_load(&stop); round++) {
		for (unsigned int i = 0; i < NB_RINGS; i++) {
			unsigned int slot = (i + round / 3) % NB_WORKERS;

			atomic_store_explicit(
				&shm.rings[i].assigned, atomic_load(&shm.slots[slot].incarnation),
				memory_order_release
			);
		}
		sched_yield();
	}
	return NULL;
}

// ---- a worker ----

struct worker {
	struct worker_slot slot;
	struct rtap_config cfg;
	struct delivery_context ctx;
	struct rtap_slot_counters counters;
	struct delivery deliveries[NB_RINGS];
	struct ring_claims claims;
};

static void be_born(struct worker *c) {
	uint64_t sequence = atomic_fetch_add(&next_sequence, 1);

	REQUIRE(sequence < sizeof(dead) / sizeof(dead[0]));
	c->slot.incarnation = RTAP_INCARNATION(sequence, c->slot.index);
	atomic_store(&c->slot.shared->incarnation, c->slot.incarnation);
	c->claims = (struct ring_claims
	){.shm = &shm, .slot = &c->slot, .ctx = &c->ctx, .deliveries = c->deliveries};
	for (unsigned int i = 0; i < NB_RINGS; i++)
		c->deliveries[i] = (struct delivery){
			.shared = &shm.rings[i],
			.source.ring = rings[i],
			.maker.ring = i,
		};
}

// In the middle of a read of each of its rings.
static void die(struct worker *c) {
	struct rte_ring_zc_data view;

	for (unsigned int i = 0; i < NB_RINGS; i++)
		if (c->deliveries[i].owned)
			rte_ring_dequeue_zc_burst_start(rings[i], BURST, &view, NULL);
	atomic_store_explicit(&dead[c->slot.incarnation >> 8], true, memory_order_release);
}

static void serve(struct delivery *d) {
	struct rtap_ring_consumer *c = &d->source.consumer;
	struct rte_mbuf *pkts[BURST];
	uint32_t nb_release = d->giving_back ? c->in_window : c->in_window / 2;
	uint32_t window = c->in_window - nb_release;
	int nb = rtap_ring_read(c, nb_release, pkts, d->giving_back ? 0 : BURST);

	REQUIRE(nb >= 0);
	for (uint32_t i = 0; i < (uint32_t)nb; i++) {
		last_read[d->maker.ring] = *(const uint32_t *)pkts[i]->buf_addr;
		REQUIRE(last_read[d->maker.ring] == c->tail + window + i);
	}
	rtap_counter_add(&counters.rings[d->maker.ring].taken, (uint64_t)nb);
}

static void *worker(void *arg) {
	static struct worker workers[NB_WORKERS];
	unsigned int index = *(const unsigned int *)arg;
	struct worker *c = &workers[index];

	*c = (struct worker){.slot = {.index = index, .shared = &shm.slots[index]}};
	c->ctx.cfg = &c->cfg;
	c->ctx.shm_header = &shm.header;
	c->ctx.counters = &c->counters;
	be_born(c);
	for (unsigned int round = 1; !atomic_load(&stop); round++) {
		REQUIRE(ring_claims_update(&c->claims, CLAIM_ASSIGNED) == 0);
		for (unsigned int i = 0; i < NB_RINGS; i++)
			if (c->deliveries[i].owned)
				serve(&c->deliveries[i]);
		if (round % LIFE_ROUNDS == 0) {
			die(c);
			be_born(c);
		}
		sched_yield();
	}
	return NULL;
}

// ---- who reads the counters ----

static void *stats_reader(void *arg) {
	struct rtap_counters snapshot;
	uint64_t before = 0;

	REQUIRE(rtap_snapshot_init(&snapshot, &counters) == 0);
	while (!atomic_load(&stop)) {
		const struct rtap_ring_counters *r = &snapshot.rings[0];
		uint64_t enqueued, released;

		rtap_snapshot_take(&snapshot, &counters);
		enqueued = rtap_counter_get(&r->enqueued);
		released = rtap_counter_get(&r->released);
		REQUIRE(enqueued >= before && released <= NB_PACKETS);
		before = enqueued;
		sched_yield();
	}
	rtap_snapshot_fini(&snapshot);
	return NULL;
}

static void make_shared(void) {
	static struct rtap_ring_counters ring_counters[NB_RINGS];
	static struct rtap_counters_header *header;

	header = aligned_alloc(64, sizeof(*header) + sizeof(ring_counters));
	memset(header, 0, sizeof(*header) + sizeof(ring_counters));
	counters.header = header;
	counters.ports = (void *)(header + 1);
	counters.queues = (void *)(header + 1);
	counters.rings = (void *)(header + 1);
	counters.slots = (void *)(counters.rings + NB_RINGS);
	counters.shape.nb_rings = NB_RINGS;
	counters.mapped_bytes = sizeof(*header) + sizeof(ring_counters);
	memset(&shm, 0, sizeof(shm));
	shm.header.nb_rings = NB_RINGS;
	next_sequence = 1;
	for (unsigned int i = 0; i < NB_RINGS; i++) {
		rings[i] = aligned_alloc(64, (size_t)rte_ring_get_memsize(RING_SIZE));
		REQUIRE(rte_ring_init(rings[i], "ring", RING_SIZE, RING_F_SP_ENQ | RING_F_SC_DEQ)
			== 0);
	}
}

START_TEST(rings_change_hands) {
	static const unsigned int numbers[NB_WORKERS] = {0, 1};
	pthread_t threads[3 + NB_WORKERS];

	make_buffers();
	make_shared();
	pthread_create(&threads[0], NULL, primary, NULL);
	pthread_create(&threads[1], NULL, assigner, NULL);
	pthread_create(&threads[2], NULL, stats_reader, NULL);
	for (unsigned int i = 0; i < NB_WORKERS; i++)
		pthread_create(&threads[3 + i], NULL, worker, (void *)(uintptr_t)&numbers[i]);
	for (unsigned int i = 0; i < 3 + NB_WORKERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(nb_free, NB_BUFFERS);
	for (unsigned int i = 0; i < NB_RINGS; i++) {
		ck_assert_uint_eq(last_read[i], NB_PACKETS - 1);
		ck_assert_uint_ge(handovers[i], 100);
		free(rings[i]);
	}
	free(counters.header);
}
END_TEST

// ---- order of stores: what was written before a counter or a triple is seen with it ----

static struct rtap_clock the_clock;
static rtap_counter_t the_counter;
static uint32_t witness[NB_STEPS + 1];

// Step k puts the clock to k seconds at tick k.
static void *disciplinarian(void *arg) {
	bool stepped;

	for (uint32_t k = 1; k <= NB_STEPS; k++) {
		witness[k] = k;
		rtap_clock_discipline(&the_clock, k, k * UINT64_C(1000000000), &stepped);
		REQUIRE(stepped);
	}
	return NULL;
}

static void *clock_reader(void *arg) {
	uint64_t k = 0;

	// The rate is 1 ns a tick: a reading is k s less the ticks since step k, or it is of two
	// triples.
	while (k < NB_STEPS) {
		uint64_t ns = rtap_clock_ns(&the_clock, 0);

		k = (ns + NB_STEPS) / 1000000000;
		REQUIRE(k <= NB_STEPS && ns == k * 999999999);
		REQUIRE(witness[k] == k);
	}
	return NULL;
}

static void run_pair(void *(*writer)(void *), void *(*reader)(void *)) {
	pthread_t threads[3];

	memset(witness, 0, sizeof(witness));
	pthread_create(&threads[0], NULL, reader, NULL);
	pthread_create(&threads[1], NULL, reader, NULL);
	pthread_create(&threads[2], NULL, writer, NULL);
	for (unsigned int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

START_TEST(clock_triple_is_whole) {
	rtap_clock_init(&the_clock, 1000000000, 0, 0);
	run_pair(disciplinarian, clock_reader);
}
END_TEST

static void *counter_writer(void *arg) {
	for (uint32_t k = 1; k <= NB_STEPS; k++) {
		witness[k] = k;
		rtap_counter_add(&the_counter, 1);
	}
	return NULL;
}

static void *counter_reader(void *arg) {
	uint64_t k = 0;

	while (k < NB_STEPS) {
		k = rtap_counter_get(&the_counter);
		REQUIRE(witness[k] == k);
	}
	return NULL;
}

START_TEST(counter_keeps_the_order_of_stores) {
	run_pair(counter_writer, counter_reader);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("ring_threads");
	TCase *threads = tcase_create("threads");

	tcase_add_test(threads, rings_change_hands);
	tcase_add_test(threads, clock_triple_is_whole);
	tcase_add_test(threads, counter_keeps_the_order_of_stores);
	tcase_set_timeout(threads, 60);
	suite_add_tcase(suite, threads);
	return suite;
}

CHECK_MAIN(make_suite)
