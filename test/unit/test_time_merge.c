// SPDX-License-Identifier: BSD-3-Clause
// Merging in time order: order within the window, late ones counted, equal times, bounds.

#include "check_main.h"
#include "pace.h"
#include "time_merge.h"

#include <stdint.h>
#include <string.h>

#define NO_LIMIT SIZE_MAX

static struct time_merge merge;
static bool late;
static uint64_t time_ns;
static uint64_t newest_ns; // that was pushed: what a reader of one partition in order has reached

static void begin(uint64_t window_ns, size_t max_bytes) {
	time_merge_init(&merge, window_ns, max_bytes);
	newest_ns = 0;
}

// Items are numbers from 1 on.
static void push(uint64_t at_ns, uintptr_t item) {
	ck_assert_int_eq(time_merge_push(&merge, at_ns, (void *)item, 100), 0);
	if (at_ns > newest_ns)
		newest_ns = at_ns;
}

static uintptr_t pop(bool flush) {
	return (uintptr_t
	)time_merge_pop(&merge, flush ? TIME_MERGE_ALL : newest_ns, &time_ns, &late);
}

START_TEST(empty_gives_nothing) {
	begin(0, NO_LIMIT);
	ck_assert_uint_eq(pop(false), 0);
	ck_assert_uint_eq(pop(true), 0);
	time_merge_fini(&merge);
}
END_TEST

START_TEST(held_until_newer_by_the_window) {
	begin(1000, NO_LIMIT);
	push(5000, 1);
	push(5999, 2);
	ck_assert_uint_eq(pop(false), 0);
	push(6000, 3);
	ck_assert_uint_eq(pop(false), 1);
	ck_assert_uint_eq(time_ns, 5000);
	ck_assert(!late);
	ck_assert_uint_eq(pop(false), 0);
	ck_assert_uint_eq(pop(true), 2);
	ck_assert_uint_eq(pop(true), 3);
	ck_assert_uint_eq(pop(true), 0);
	time_merge_fini(&merge);
}
END_TEST

START_TEST(no_window_holds_nothing) {
	begin(0, NO_LIMIT);
	push(7, 1);
	ck_assert_uint_eq(pop(false), 1);
	push(6, 2);
	ck_assert_uint_eq(pop(false), 2);
	ck_assert(late);
	time_merge_fini(&merge);
}
END_TEST

START_TEST(late_does_not_move_the_time_back) {
	begin(10, NO_LIMIT);
	push(100, 1);
	push(200, 2);
	ck_assert_uint_eq(pop(true), 1);
	ck_assert_uint_eq(pop(true), 2);
	push(150, 3);
	ck_assert_uint_eq(pop(false), 3); // older than the window: at once
	ck_assert(late);
	push(199, 4);
	ck_assert_uint_eq(pop(true), 4);
	ck_assert(late);
	push(200, 5);
	ck_assert_uint_eq(pop(true), 5);
	ck_assert(!late);
	time_merge_fini(&merge);
}
END_TEST

START_TEST(equal_times_keep_their_order) {
	begin(10, NO_LIMIT);
	for (uintptr_t i = 1; i <= 5000; i++)
		push(i % 3, i);
	for (uintptr_t rest = 0; rest < 3; rest++)
		for (uintptr_t i = rest != 0 ? rest : 3; i <= 5000; i += 3)
			ck_assert_uint_eq(pop(true), i);
	time_merge_fini(&merge);
}
END_TEST

START_TEST(disorder_within_the_window_is_ordered) {
	uint64_t state = 1, last_ns = 0, nb_out = 0;

	begin(1000, NO_LIMIT);
	for (uintptr_t i = 1; i <= 100000; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		push(10000 + i * 7 - (state >> 33) % 1000, i); // at most 999 behind
		while (pop(false) != 0) {
			ck_assert(!late);
			ck_assert_uint_ge(time_ns, last_ns);
			last_ns = time_ns;
			nb_out++;
		}
	}
	ck_assert_uint_gt(nb_out, 99000);
	for (; pop(true) != 0; nb_out++)
		ck_assert(!late);
	ck_assert_uint_eq(nb_out, 100000);
	time_merge_fini(&merge);
}
END_TEST

START_TEST(above_the_limit_the_oldest_leaves) {
	begin(1000, 300);
	push(3, 1);
	push(1, 2);
	push(2, 3);
	ck_assert_uint_eq(pop(false), 0);
	push(4, 4);
	ck_assert_uint_eq(pop(false), 2);
	ck_assert_uint_eq(pop(false), 0);
	ck_assert_uint_eq(merge.held_bytes, 300);
	while (pop(true) != 0)
		;
	ck_assert_uint_eq(merge.held_bytes, 0);
	time_merge_fini(&merge);
}
END_TEST

START_TEST(extreme_times) {
	begin(UINT64_MAX - 1, NO_LIMIT);
	push(UINT64_MAX - 1, 1);
	push(1, 2);
	ck_assert_uint_eq(pop(false), 0);
	push(0, 3);
	ck_assert_uint_eq(pop(false), 3);
	ck_assert_uint_eq(pop(false), 0);
	ck_assert_uint_eq(pop(true), 2);
	ck_assert_uint_eq(pop(true), 1);
	ck_assert_uint_eq(time_ns, UINT64_MAX - 1);
	time_merge_fini(&merge);
}
END_TEST

// ---- partitions, read at one pace as topic_reader.c does ----

#define NB_PARTITIONS 5
#define NB_PACKETS 2000 // of each
#define DISORDER_NS 500 // within a partition

static struct {
	struct pace pace;
	uint64_t times[NB_PACKETS];
	unsigned int nb_read;
} partitions[NB_PARTITIONS];

static uint64_t state;

static uint64_t random_below(uint64_t limit) {
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (state >> 33) % limit;
}

// One packet of each partition is wild: it is ahead by anything, or behind.
static bool is_wild(uint64_t at_ns) {
	return at_ns < 1000 || at_ns > UINT64_C(1) << 40;
}

static void fill_partitions(void) {
	for (unsigned int p = 0; p < NB_PARTITIONS; p++) {
		uint64_t wild = random_below(2) == 0 ? random_below(1000)
						     : random_below(UINT64_C(1) << 30) << 20;

		memset(&partitions[p], 0, sizeof(partitions[p]));
		for (unsigned int i = 0; i < NB_PACKETS; i++)
			partitions[p].times[i] = UINT64_C(100000000) + i * (p * p * 100 + 10)
				- random_below(DISORDER_NS);
		partitions[p].times[random_below(NB_PACKETS)] = wild < 1000 ? wild
									    : wild | 1ull << 50;
	}
}

// The partition that is furthest behind; -1: all are read.
static int find_behind(void) {
	int behind = -1;

	for (int p = 0; p < NB_PARTITIONS; p++)
		if (partitions[p].nb_read < NB_PACKETS
		    && (behind < 0
			|| pace_ns(&partitions[p].pace) < pace_ns(&partitions[behind].pace)))
			behind = p;
	return behind;
}

static void ck_order(uint64_t reached_ns, uint64_t *last_ns, unsigned int *nb) {
	while (time_merge_pop(&merge, reached_ns, &time_ns, &late) != NULL) {
		++*nb;
		if (is_wild(time_ns))
			continue;
		ck_assert_uint_ge(time_ns, *last_ns);
		*last_ns = time_ns;
	}
}

START_TEST(wild_times_do_not_spoil_the_order_of_the_rest) {
	for (state = 1; state <= 20; state++) {
		uint64_t seed = state, last_ns = 0;
		unsigned int nb = 0;
		int p;

		begin(DISORDER_NS, NO_LIMIT);
		fill_partitions();
		while ((p = find_behind()) >= 0) {
			uint64_t at_ns = partitions[p].times[partitions[p].nb_read++];

			push(at_ns, 1);
			pace_move(&partitions[p].pace, at_ns);
			p = find_behind();
			ck_order(
				p < 0 ? TIME_MERGE_ALL : pace_ns(&partitions[p].pace), &last_ns, &nb
			);
		}
		ck_assert_uint_eq(nb, NB_PARTITIONS * NB_PACKETS);
		time_merge_fini(&merge);
		state = seed;
	}
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("time_merge");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, empty_gives_nothing);
	tcase_add_test(tcase, held_until_newer_by_the_window);
	tcase_add_test(tcase, no_window_holds_nothing);
	tcase_add_test(tcase, late_does_not_move_the_time_back);
	tcase_add_test(tcase, equal_times_keep_their_order);
	tcase_add_test(tcase, disorder_within_the_window_is_ordered);
	tcase_add_test(tcase, above_the_limit_the_oldest_leaves);
	tcase_add_test(tcase, extreme_times);
	tcase_add_test(tcase, wild_times_do_not_spoil_the_order_of_the_rest);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
