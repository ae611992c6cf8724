// SPDX-License-Identifier: BSD-3-Clause
// Tests of rows, snapshots and laws; the laws also while threads store as the programs do.

#include "balance.h"
#include "check_main.h"
#include "counters_file.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NB_RINGS 2
#define RING_SIZE 256

static struct rtap_counters c;

static void set_up(void) {
	char path[64];
	const struct rtap_counters_shape shape = {2, 2, 2 * NB_RINGS, 3};

	snprintf(path, sizeof(path), "/dev/shm/rtap-balance-%d", getpid());
	ck_assert_int_eq(rtap_counters_create(&c, path, &shape, (gid_t)-1), 0);
	unlink(path); // the mapping is all that is needed
	for (uint32_t i = 0; i < shape.nb_queues; i++)
		c.ports[i].port_id = c.queues[i].port_id = i;
	for (uint32_t i = 0; i < shape.nb_ports; i++)
		rtap_counter_set(&c.ports[i].link_up, 1);
	for (uint32_t i = 0; i < shape.nb_rings; i++) {
		c.rings[i].port_id = i / NB_RINGS;
		c.rings[i].ring_id = i % NB_RINGS;
		c.rings[i].size = RING_SIZE;
	}
	rtap_counters_publish(&c);
}

static void tear_down(void) {
	rtap_counters_unmap(&c);
}

static void set(rtap_counter_t *counter, uint64_t value) {
	rtap_counter_set(counter, value);
}

static void
ck_row(const struct rtap_row *row, uint64_t in, uint64_t queued, uint64_t out, uint64_t drops) {
	ck_assert_uint_eq(row->in, in);
	ck_assert_uint_eq(row->queued, queued);
	ck_assert_uint_eq(row->out, out);
	ck_assert_uint_eq(row->drops, drops);
}

// 1000 packets of queue 0, of which 100 filtered and 40 dropped; a worker died with 30 of ring 0.
static void put_traffic(void) {
	set(&c.ports[0].received, 1000);
	set(&c.queues[0].received, 1000);
	set(&c.queues[0].filtered, 100);
	set(&c.queues[0].enqueued, 860);
	set(&c.queues[0].ring_full, 40);
	set(&c.rings[0].enqueued, 500);
	set(&c.rings[0].ring_full, 40);
	set(&c.rings[0].released, 400);
	set(&c.rings[0].in_ring, 100);
	set(&c.rings[0].taken, 480); // 450 of the ring's packets, 30 of them twice
	set(&c.rings[0].sent_again, 30);
	set(&c.rings[1].enqueued, 360);
	set(&c.rings[1].released, 360);
	set(&c.rings[1].taken, 360);
	set(&c.slots[0].state, RTAP_WORKER_NONE); // the dead one, with gauges as it left them
	set(&c.slots[0].accepted, 330);
	set(&c.slots[0].delivered, 310);
	set(&c.slots[0].tx_queued, 99);
	set(&c.slots[0].tx_refused, 98);
	set(&c.slots[0].outbox, 96);
	set(&c.slots[0].in_flight, 97);
	set(&c.slots[1].state, RTAP_WORKER_SERVING);
	set(&c.slots[1].accepted, 510);
	set(&c.slots[1].returned, 5);
	set(&c.slots[1].delivered, 460);
	set(&c.slots[1].failed_too_large, 2);
	set(&c.slots[1].failed_invalid, 1);
	set(&c.slots[1].tx_queued, 2);
	set(&c.slots[1].outbox, 3);
	set(&c.slots[1].tx_refused, 4);
	set(&c.slots[1].in_flight, 42);
}

START_TEST(rows) {
	struct rtap_balance b;

	put_traffic();
	set(&c.ports[1].received, 7);
	set(&c.ports[1].missed, 3);
	set(&c.ports[1].errors, 20);
	set(&c.ports[1].no_buffer, 100);
	rtap_balance_compute(&c, &b);
	ck_row(&b.nic, 1130, 0, 0, 123);
	ck_row(&b.rx, 1000, 50, 860, 40);
	ck_row(&b.tx, 840, 5, 835, 4);
	ck_row(&b.kaf, 835, 42, 770, 3);
	ck_assert_uint_eq(b.filtered, 100);
	ck_assert_uint_eq(b.sent_again, 30);
	ck_assert_uint_eq(b.rx.out + b.sent_again, b.rx.queued + b.tx.in);
}
END_TEST

START_TEST(nothing_is_zero) {
	struct rtap_balance b, zero;

	memset(&zero, 0, sizeof(zero));
	rtap_balance_compute(&c, &b);
	ck_assert_mem_eq(&b, &zero, sizeof(b));
}
END_TEST

// Words that were read at different moments: a level is 0, not 2^64 less something.
START_TEST(levels_never_below_zero) {
	struct rtap_balance b;

	set(&c.rings[0].taken, 5);
	set(&c.rings[1].enqueued, 3); // the clamp is per ring
	set(&c.slots[0].returned, 9);
	rtap_balance_compute(&c, &b);
	ck_assert_uint_eq(b.rx.queued, 3);
	ck_assert_uint_eq(b.tx.out, 0);
	ck_assert_uint_eq(b.kaf.in, 0);
}
END_TEST

START_TEST(live_slots) {
	const bool live[] = {false, true, true, true, false, false};

	for (uint64_t state = 0; state < sizeof(live) / sizeof(live[0]); state++) {
		set(&c.slots[0].state, state);
		ck_assert_int_eq(rtap_slot_is_live(&c.slots[0]), live[state]);
	}
	set(&c.slots[0].state, UINT64_MAX);
	ck_assert(!rtap_slot_is_live(&c.slots[0]));
}
END_TEST

START_TEST(snapshots) {
	struct rtap_counters s;
	struct rtap_balance b;

	put_traffic();
	ck_assert_int_eq(rtap_snapshot_init(&s, &c), 0);
	ck_assert_mem_eq(s.header, c.header, c.mapped_bytes);
	set(&c.header->state, RTAP_STATE_DRAINING);
	set(&c.ports[0].received, 2000);
	set(&c.slots[2].rings_blocked, 17);
	ck_assert_uint_eq(rtap_counter_get(&s.ports[0].received), 1000);
	// No process may make a reader look further than the file is long.
	c.header->nb_rings = UINT32_MAX;
	rtap_balance_compute(&c, &b);
	ck_assert_uint_eq(b.rx.out, 860);
	rtap_snapshot_take(&s, &c);
	ck_assert_uint_eq(s.shape.nb_rings, 2 * NB_RINGS);
	ck_assert_uint_eq(rtap_counter_get(&s.header->state), RTAP_STATE_DRAINING);
	ck_assert_uint_eq(rtap_counter_get(&s.ports[0].received), 2000);
	ck_assert_uint_eq(rtap_counter_get(&s.slots[2].rings_blocked), 17);
	rtap_snapshot_fini(&s);
	rtap_snapshot_fini(&s);
}
END_TEST

static atomic_bool stop_counting;

static void *count_in_and_out(void *arg) {
	while (!atomic_load(&stop_counting)) {
		rtap_counter_add(&c.queues[0].received, 1);
		rtap_counter_add(&c.rings[0].taken, 1);
		rtap_counter_add(&c.slots[0].delivered, 1);
	}
	return arg;
}

START_TEST(what_came_out_is_read_first) {
	struct rtap_counters s;
	struct rtap_balance b;
	pthread_t thread;

	ck_assert_int_eq(rtap_snapshot_init(&s, &c), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, count_in_and_out, NULL), 0);
	for (int i = 0; i < 100000; i++) {
		rtap_snapshot_take(&s, &c);
		rtap_balance_compute(&s, &b);
		ck_assert_uint_le(b.kaf.out, b.tx.in);
		ck_assert_uint_le(b.tx.in, b.rx.in);
	}
	atomic_store(&stop_counting, true);
	pthread_join(thread, NULL);
	rtap_snapshot_fini(&s);
}
END_TEST

// Judge `rounds` times over counters that stand still; the violated kinds as bits.
static unsigned int violated_after(unsigned int rounds, bool unfinished, size_t *nb_held) {
	struct rtap_laws laws;
	unsigned int kinds = 0;

	*nb_held = 0;
	ck_assert_int_eq(rtap_laws_init(&laws, &c), 0);
	for (unsigned int i = 0; i < rounds; i++) {
		rtap_laws_judge(&laws, &c, &c, unfinished);
		if (i == 0) // the control thread goes on
			set(&c.header->updated_us,
			    rtap_counter_get(&c.header->updated_us) + 300000);
	}
	if (rounds >= RTAP_LAW_FAILURES) // a device's law was not judged in the first round
		rtap_laws_judge(&laws, &c, &c, unfinished);
	for (size_t i = 0; i < laws.nb_laws; i++) {
		*nb_held += laws.laws[i].held;
		if (rtap_law_is_violated(&laws.laws[i]))
			kinds |= 1u << laws.laws[i].kind;
	}
	rtap_laws_fini(&laws);
	return kinds;
}

START_TEST(laws_hold) {
	size_t nb_held;

	ck_assert_uint_eq(violated_after(RTAP_LAW_FAILURES, false, &nb_held), 0);
	ck_assert_uint_eq(nb_held, 2 + 6 + 12 + 4); // empty is at rest
	put_traffic();
	ck_assert_uint_eq(violated_after(1, false, &nb_held), 0);
	ck_assert_uint_eq(nb_held, 2 + 6 + 12 + 3);
}
END_TEST

START_TEST(at_rest) {
	size_t nb_held;

	put_traffic();
	set(&c.rings[0].released, 500);
	set(&c.rings[0].in_ring, 0);
	set(&c.rings[0].taken, 530);
	set(&c.slots[0].delivered, 310);
	for (uint64_t again = 0; again <= 30;
	     again += 15) { // each of the 30 may count twice, or not
		set(&c.slots[1].delivered, 547 + again);
		ck_assert_uint_eq(violated_after(1, false, &nb_held), 0);
		ck_assert_uint_eq(nb_held, 2 + 6 + 12 + 4);
	}
	set(&c.slots[1].delivered, 547 + 31);
	ck_assert_uint_eq(
		violated_after(RTAP_LAW_FAILURES, false, &nb_held),
		1u << RTAP_LAW_AT_REST | 1u << RTAP_LAW_DONE_TAKEN
	);
	set(&c.slots[1].delivered, 546);
	ck_assert_uint_eq(
		violated_after(RTAP_LAW_FAILURES, false, &nb_held),
		1u << RTAP_LAW_AT_REST | 1u << RTAP_LAW_RELEASED_DONE
	);
}
END_TEST

// One packet too many or too few in one word, and the laws that must notice.
START_TEST(each_violation_is_caught) {
	const struct {
		rtap_counter_t *word;
		uint64_t value;
		unsigned int kinds;
	} cases[] = {
		{&c.ports[0].received, 999, 1u << RTAP_LAW_DEVICE},
		{&c.queues[0].received, 1001, 1u << RTAP_LAW_DEVICE | 1u << RTAP_LAW_RECEIVED},
		{&c.queues[0].received, 999, 1u << RTAP_LAW_RECEIVED},
		{&c.queues[0].malformed, 1, 1u << RTAP_LAW_RECEIVED},
		{&c.queues[0].filtered, 101, 1u << RTAP_LAW_RECEIVED},
		{&c.queues[0].enqueued, 861,
		 1u << RTAP_LAW_RECEIVED | 1u << RTAP_LAW_QUEUE_ENQUEUED},
		{&c.queues[0].ring_full, 39,
		 1u << RTAP_LAW_RECEIVED | 1u << RTAP_LAW_QUEUE_RING_FULL},
		{&c.rings[0].ring_full, 41, 1u << RTAP_LAW_QUEUE_RING_FULL},
		{&c.rings[0].in_ring, 101, 1u << RTAP_LAW_RELEASED},
		{&c.rings[0].released, 399, 1u << RTAP_LAW_RELEASED},
		{&c.rings[2].enqueued, 1, 1u << RTAP_LAW_RELEASED | 1u << RTAP_LAW_QUEUE_ENQUEUED},
		{&c.rings[1].taken, 359, 1u << RTAP_LAW_RELEASED_TAKEN},
		{&c.rings[1].taken, 361,
		 1u << RTAP_LAW_TAKEN_ENQUEUED | 1u << RTAP_LAW_HANDED_OVER},
		{&c.rings[0].sent_again, 81, 1u << RTAP_LAW_RELEASED_TAKEN},
		{&c.slots[1].delivered, 446, 1u << RTAP_LAW_RELEASED_DONE},
		{&c.slots[1].delivered, 528, 1u << RTAP_LAW_DONE_TAKEN},
		{&c.slots[2].failed_invalid, 68, 1u << RTAP_LAW_DONE_TAKEN},
	};
	size_t nb_held;

	put_traffic();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t was = rtap_counter_get(cases[i].word);

		set(cases[i].word, cases[i].value);
		ck_assert_msg(
			violated_after(RTAP_LAW_FAILURES, false, &nb_held) == cases[i].kinds,
			"case %zu", i
		);
		ck_assert_uint_eq(violated_after(RTAP_LAW_FAILURES - 1, false, &nb_held), 0);
		set(cases[i].word, was);
	}
	ck_assert_uint_eq(violated_after(RTAP_LAW_FAILURES, false, &nb_held), 0);
}
END_TEST

START_TEST(once_held_is_enough) {
	struct rtap_laws laws;

	ck_assert_int_eq(rtap_laws_init(&laws, &c), 0);
	set(&c.queues[0].received, 32);
	for (int i = 0; i < 10 * RTAP_LAW_FAILURES; i++)
		ck_assert_uint_eq(rtap_laws_judge(&laws, &c, &c, false), 1);
	ck_assert(rtap_law_is_violated(&laws.laws[2]));
	set(&c.queues[0].received, 0);
	ck_assert_uint_eq(rtap_laws_judge(&laws, &c, &c, false), 0);
	ck_assert(!rtap_law_is_violated(&laws.laws[2]));
	rtap_laws_fini(&laws);
}
END_TEST

START_TEST(words_that_move_are_not_judged) {
	struct rtap_counters first;
	struct rtap_laws laws;

	ck_assert_int_eq(rtap_snapshot_init(&first, &c), 0);
	ck_assert_int_eq(rtap_laws_init(&laws, &first), 0);
	set(&c.queues[0].received, 32); // wrong, but still moving
	ck_assert_uint_eq(rtap_laws_judge(&laws, &first, &c, false), 0);
	ck_assert(!laws.laws[2].held);
	rtap_snapshot_take(&first, &c);
	set(&c.queues[0].filtered, 31);
	ck_assert_uint_eq(rtap_laws_judge(&laws, &first, &c, false), 0);
	rtap_snapshot_take(&first, &c);
	ck_assert_uint_eq(rtap_laws_judge(&laws, &first, &c, false), 1);
	rtap_laws_fini(&laws);
	rtap_snapshot_fini(&first);
}
END_TEST

// What came out, as it was before, against what went in, as it is now.
START_TEST(bounds_by_two_snapshots) {
	struct rtap_counters first;
	struct rtap_laws laws;

	ck_assert_int_eq(rtap_snapshot_init(&first, &c), 0);
	ck_assert_int_eq(rtap_laws_init(&laws, &first), 0);
	set(&c.rings[0].enqueued, 10);
	set(&c.rings[0].taken, 10);
	set(&c.rings[0].released, 10);
	set(&c.slots[0].delivered, 10);
	ck_assert_uint_eq(rtap_laws_judge(&laws, &first, &c, false), 0);
	for (size_t i = 0; i < laws.nb_laws; i++)
		if (laws.laws[i].index == 0 && laws.laws[i].kind > RTAP_LAW_RELEASED)
			ck_assert_int_eq(
				laws.laws[i].held,
				laws.laws[i].kind != RTAP_LAW_HANDED_OVER
					&& laws.laws[i].kind != RTAP_LAW_AT_REST
			);
	rtap_laws_fini(&laws);
	rtap_snapshot_fini(&first);
}
END_TEST

// Killed in the middle of a burst: a burst may be missing anywhere, more may not.
START_TEST(a_killed_primary) {
	size_t nb_held;

	put_traffic();
	set(&c.queues[0].received, 1000 + RTAP_LAW_BURST_MAX);
	set(&c.rings[1].taken, 360 + 32); // a transmit worker took what was never counted
	ck_assert_uint_eq(violated_after(RTAP_LAW_FAILURES, true, &nb_held), 0);
	ck_assert_uint_ne(violated_after(RTAP_LAW_FAILURES, false, &nb_held), 0);
	set(&c.queues[0].received, 1001 + RTAP_LAW_BURST_MAX);
	ck_assert_uint_eq(
		violated_after(RTAP_LAW_FAILURES, true, &nb_held), 1u << RTAP_LAW_RECEIVED
	);
	set(&c.rings[1].taken, 361 + RING_SIZE);
	ck_assert_uint_eq(
		violated_after(RTAP_LAW_FAILURES, true, &nb_held),
		1u << RTAP_LAW_RECEIVED | 1u << RTAP_LAW_TAKEN_ENQUEUED
	);
	// Transmit workers go on and no process counts what they release: nothing is at rest.
	set(&c.rings[0].in_ring, 0);
	set(&c.rings[0].released, 500);
	violated_after(RTAP_LAW_FAILURES, true, &nb_held);
	ck_assert_uint_lt(nb_held, 1 + 6 + 12 + 4);
}
END_TEST

// Four queues that each deliver every packet; drops of the device are its packets, too.
START_TEST(more_packets_than_the_device_saw) {
	size_t nb_held;

	put_traffic();
	c.queues[1].port_id = 0;
	c.queues[1].queue_id = 1;
	set(&c.queues[1].received, 10);
	set(&c.queues[1].malformed, 10);
	ck_assert_uint_eq(
		violated_after(RTAP_LAW_FAILURES, false, &nb_held), 1u << RTAP_LAW_DEVICE
	);
	set(&c.ports[0].missed, 3);
	set(&c.ports[0].errors, 3);
	set(&c.ports[0].no_buffer, 4);
	ck_assert_uint_eq(violated_after(RTAP_LAW_FAILURES, false, &nb_held), 0);
}
END_TEST

// Traffic goes on, and the driver is asked later than the queues count.
START_TEST(a_device_that_is_asked_later) {
	struct rtap_laws laws;

	put_traffic();
	set(&c.queues[0].received, 2000);
	set(&c.queues[0].filtered, 1100);
	ck_assert_int_eq(rtap_laws_init(&laws, &c), 0);
	ck_assert_uint_eq(rtap_laws_judge(&laws, &c, &c, false), 1); // not asked since
	set(&c.queues[0].received, 5000);
	set(&c.ports[0].received, 1999);
	set(&c.header->updated_us, 300000);
	ck_assert_uint_eq(rtap_laws_judge(&laws, &c, &c, false), 1);
	set(&c.ports[0].received, 2000);
	ck_assert_uint_eq(rtap_laws_judge(&laws, &c, &c, false), 0);
	rtap_laws_fini(&laws);
}
END_TEST

// What it counted before is gone, or it counts nothing; a killed primary did not ask it at the end.
START_TEST(a_device_that_does_not_count) {
	size_t nb_held;

	put_traffic();
	set(&c.ports[0].received, 900);
	ck_assert_uint_eq(violated_after(RTAP_LAW_FAILURES, true, &nb_held), 0);
	set(&c.ports[0].statistics_resets, 1);
	ck_assert_uint_eq(violated_after(RTAP_LAW_FAILURES, false, &nb_held), 0);
	set(&c.ports[0].statistics_resets, 0);
	set(&c.ports[0].link_up, 0);
	ck_assert_uint_eq(violated_after(RTAP_LAW_FAILURES, false, &nb_held), 0);
	set(&c.ports[0].link_up, 1);
	ck_assert_uint_ne(violated_after(RTAP_LAW_FAILURES, false, &nb_held), 0);
	set(&c.ports[0].received, 0);
	ck_assert_uint_eq(violated_after(RTAP_LAW_FAILURES, false, &nb_held), 0);
}
END_TEST

START_TEST(quarantined_rings_have_no_laws) {
	size_t nb_held;

	set(&c.rings[3].quarantined, 1);
	set(&c.rings[3].in_ring, 12345);
	ck_assert_uint_eq(violated_after(RTAP_LAW_FAILURES, false, &nb_held), 0);
	ck_assert_uint_eq(nb_held, 2 + 6 + 9 + 3);
}
END_TEST

START_TEST(law_texts) {
	for (int kind = 0; kind <= RTAP_LAW_AT_REST; kind++)
		ck_assert_ptr_nonnull(strpbrk(rtap_law_text(kind), "=<"));
}
END_TEST

// Queue 0 as the programs serve it: a receive worker, and transmit workers that die anywhere
// between two stores. The rings are pairs of indexes.
static struct {
	_Atomic uint64_t head[NB_RINGS], tail[NB_RINGS];
	atomic_bool stop_rx, stop_workers;
	uint64_t overcount; // what the receive worker gets wrong, once
} sim;

static uint32_t random_below(uint64_t *seed, uint32_t n) {
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(*seed >> 33) % n;
}

// Between any two stores the writer may be away for a while.
static void linger(uint64_t *seed) {
	uint32_t dice = random_below(seed, 16);

	if (dice == 0)
		usleep(random_below(seed, 300));
	else if (dice < 4)
		sched_yield();
}

static void sim_reap(int i, uint64_t *seed) {
	struct rtap_ring_counters *r = &c.rings[i];
	uint64_t tail = atomic_load(&sim.tail[i]);

	set(&r->released, tail);
	linger(seed);
	set(&r->in_ring, atomic_load(&sim.head[i]) - tail);
}

static uint64_t sim_put(int i, uint64_t nb, uint64_t *seed) {
	struct rtap_ring_counters *r = &c.rings[i];
	uint64_t used = atomic_load(&sim.head[i]) - rtap_counter_get(&r->released);
	uint64_t n = nb < RING_SIZE - used ? nb : RING_SIZE - used;

	atomic_fetch_add(&sim.head[i], n);
	linger(seed);
	rtap_counter_add(&r->enqueued, n);
	linger(seed);
	rtap_counter_add(&r->ring_full, nb - n);
	set(&r->in_ring, used + n);
	return n;
}

static void *sim_rx(void *arg) {
	struct rtap_queue_counters *q = &c.queues[0];
	uint64_t seed = 1, overcount = sim.overcount;

	while (!atomic_load(&sim.stop_rx)) {
		uint64_t nb[3], nb_put = 0;

		for (int i = 0; i < 3; i++)
			nb[i] = random_below(&seed, 16);
		for (int i = 0; i < NB_RINGS; i++)
			sim_reap(i, &seed);
		rtap_counter_add(&q->received, nb[0] + nb[1] + nb[2] + overcount);
		overcount = 0;
		linger(&seed);
		rtap_counter_add(&q->filtered, nb[2]);
		linger(&seed);
		for (int i = 0; i < NB_RINGS; i++)
			nb_put += sim_put(i, nb[i], &seed);
		linger(&seed);
		rtap_counter_add(&q->enqueued, nb_put);
		linger(&seed);
		rtap_counter_add(&q->ring_full, nb[0] + nb[1] - nb_put);
		if (overcount == 0 && random_below(&seed, 4) == 0)
			usleep(random_below(&seed, 100));
	}
	// As a primary that drains: goes on to free what the transmit workers give back.
	while (!atomic_load(&sim.stop_workers))
		for (int i = 0; i < NB_RINGS; i++)
			sim_reap(i, &seed);
	for (int i = 0; i < NB_RINGS; i++)
		sim_reap(i, &seed);
	return arg;
}

// One burst of one ring, from taking to giving back. False: the transmit worker died on the way.
static bool sim_carry(int i, struct rtap_slot_counters *s, uint64_t *cursor, uint64_t *seed) {
	uint64_t n = atomic_load(&sim.head[i]) - *cursor, nb_failed;

	n = n < 24 ? n : random_below(seed, 24);
	rtap_counter_add(&c.rings[i].taken, n);
	*cursor += n;
	linger(seed);
	if (random_below(seed, 200) == 0)
		return false;
	rtap_counter_add(&s->accepted, n);
	linger(seed);
	nb_failed = n > 0 ? random_below(seed, 2) : 0;
	rtap_counter_add(&s->failed_too_large, nb_failed);
	rtap_counter_add(&s->delivered, n - nb_failed);
	linger(seed);
	if (random_below(seed, 200) == 0)
		return false;
	atomic_store(&sim.tail[i], *cursor);
	return true;
}

static bool sim_is_empty(void) {
	for (int i = 0; i < NB_RINGS; i++)
		if (atomic_load(&sim.head[i]) != atomic_load(&sim.tail[i]))
			return false;
	return true;
}

static void *sim_workers(void *arg) {
	uint64_t seed = 2, cursor[NB_RINGS];
	bool alive = true;
	int slot = 0;

	for (;; slot = (slot + 1) % 3) {
		struct rtap_slot_counters *s = &c.slots[slot];

		for (int i = 0; i < NB_RINGS; i++) {
			struct rtap_ring_counters *r = &c.rings[i];

			cursor[i] = atomic_load(&sim.tail[i]);
			linger(&seed);
			set(&r->sent_again, rtap_counter_get(&r->taken) - cursor[i]);
		}
		for (alive = true; alive;)
			for (int i = 0; i < NB_RINGS && alive; i++) {
				if (atomic_load(&sim.stop_workers) && sim_is_empty())
					return arg;
				alive = sim_carry(i, s, &cursor[i], &seed);
			}
	}
}

static double seconds_now(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const struct rtap_law *first_violated(const struct rtap_laws *laws) {
	for (size_t i = 0; i < laws->nb_laws; i++)
		if (rtap_law_is_violated(&laws->laws[i]))
			return &laws->laws[i];
	return NULL;
}

// One whole check as the stats tool does it, with shorter pauses; the first violated law, or NULL.
static const struct rtap_law *check_once(struct rtap_laws *laws, struct rtap_counters *pair) {
	size_t nb_failing = 0;

	for (int round = 0; round < 5 || (nb_failing > 0 && round < 10 * RTAP_LAW_FAILURES);
	     round++) {
		struct rtap_balance b;

		rtap_snapshot_take(&pair[0], &c);
		rtap_snapshot_take(&pair[1], &c);
		nb_failing = rtap_laws_judge(laws, &pair[0], &pair[1], false);
		// What came out was read before what went in.
		rtap_balance_compute(&pair[0], &b);
		ck_assert_uint_le(b.kaf.out + b.kaf.drops, b.tx.in);
		ck_assert_uint_le(b.filtered + b.rx.out + b.rx.drops, b.rx.in);
		usleep(500);
	}
	return first_violated(laws);
}

// Check for `seconds` while the simulation runs; the kind of the first violated law, or -1.
static int check_for(double seconds) {
	double end = seconds_now() + seconds;
	struct rtap_counters pair[2];
	struct rtap_laws laws;
	int kind = -1;

	ck_assert_int_eq(rtap_snapshot_init(&pair[0], &c), 0);
	ck_assert_int_eq(rtap_snapshot_init(&pair[1], &c), 0);
	while (kind < 0 && seconds_now() < end) {
		const struct rtap_law *law;

		ck_assert_int_eq(rtap_laws_init(&laws, &c), 0);
		law = check_once(&laws, pair);
		kind = law != NULL ? (int)law->kind : -1;
		rtap_laws_fini(&laws);
	}
	rtap_snapshot_fini(&pair[0]);
	rtap_snapshot_fini(&pair[1]);
	return kind;
}

static void run_traffic(pthread_t *threads) {
	ck_assert_int_eq(pthread_create(&threads[0], NULL, sim_rx, NULL), 0);
	ck_assert_int_eq(pthread_create(&threads[1], NULL, sim_workers, NULL), 0);
}

static void end_traffic(pthread_t *threads) {
	atomic_store(&sim.stop_rx, true);
	usleep(100000);
	atomic_store(&sim.stop_workers, true);
	pthread_join(threads[1], NULL);
	pthread_join(threads[0], NULL);
}

START_TEST(never_by_chance) {
	pthread_t threads[2];
	size_t nb_held;
	int kind;

	run_traffic(threads);
	kind = check_for(5);
	end_traffic(threads);
	ck_assert_msg(kind < 0, "%s", rtap_law_text(kind));
	ck_assert_uint_gt(rtap_counter_get(&c.rings[0].sent_again), 0);
	ck_assert_uint_gt(rtap_counter_get(&c.queues[0].received), 1000);
	ck_assert_uint_eq(violated_after(1, false, &nb_held), 0);
	ck_assert_uint_eq(nb_held, 1 + 6 + 12 + 4);
}
END_TEST

START_TEST(caught_under_traffic) {
	pthread_t threads[2];
	int kind;

	sim.overcount = 3;
	run_traffic(threads);
	kind = check_for(10);
	end_traffic(threads);
	ck_assert_int_eq(kind, RTAP_LAW_RECEIVED);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("balance");
	TCase *tcase = tcase_create("balance");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, rows);
	tcase_add_test(tcase, nothing_is_zero);
	tcase_add_test(tcase, levels_never_below_zero);
	tcase_add_test(tcase, live_slots);
	tcase_add_test(tcase, snapshots);
	tcase_add_test(tcase, what_came_out_is_read_first);
	tcase_add_test(tcase, laws_hold);
	tcase_add_test(tcase, at_rest);
	tcase_add_test(tcase, each_violation_is_caught);
	tcase_add_test(tcase, once_held_is_enough);
	tcase_add_test(tcase, words_that_move_are_not_judged);
	tcase_add_test(tcase, bounds_by_two_snapshots);
	tcase_add_test(tcase, a_killed_primary);
	tcase_add_test(tcase, more_packets_than_the_device_saw);
	tcase_add_test(tcase, a_device_that_is_asked_later);
	tcase_add_test(tcase, a_device_that_does_not_count);
	tcase_add_test(tcase, quarantined_rings_have_no_laws);
	tcase_add_test(tcase, law_texts);
	tcase_add_test(tcase, never_by_chance);
	tcase_add_test(tcase, caught_under_traffic);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
