// SPDX-License-Identifier: BSD-3-Clause
// Merging in time order: order within the window, late ones counted, equal times, bounds.

#include "check_main.h"
#include "time_merge.h"

#include <stdint.h>

#define NO_LIMIT SIZE_MAX

static struct time_merge merge;
static bool late;
static uint64_t time_ns;

// Items are numbers from 1 on.
static void push(uint64_t at_ns, uintptr_t item) {
	ck_assert_int_eq(time_merge_push(&merge, at_ns, (void *)item, 100), 0);
}

static uintptr_t pop(bool flush) {
	return (uintptr_t)time_merge_pop(&merge, flush, &time_ns, &late);
}

START_TEST(empty_gives_nothing) {
	time_merge_init(&merge, 0, NO_LIMIT);
	ck_assert_uint_eq(pop(false), 0);
	ck_assert_uint_eq(pop(true), 0);
	time_merge_fini(&merge);
}
END_TEST

START_TEST(held_until_newer_by_the_window) {
	time_merge_init(&merge, 1000, NO_LIMIT);
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
	time_merge_init(&merge, 0, NO_LIMIT);
	push(7, 1);
	ck_assert_uint_eq(pop(false), 1);
	push(6, 2);
	ck_assert_uint_eq(pop(false), 2);
	ck_assert(late);
	time_merge_fini(&merge);
}
END_TEST

START_TEST(late_does_not_move_the_time_back) {
	time_merge_init(&merge, 10, NO_LIMIT);
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
	time_merge_init(&merge, 10, NO_LIMIT);
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

	time_merge_init(&merge, 1000, NO_LIMIT);
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
	time_merge_init(&merge, 1000, 300);
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
	time_merge_init(&merge, UINT64_MAX, NO_LIMIT);
	push(UINT64_MAX, 1);
	push(1, 2);
	ck_assert_uint_eq(pop(false), 0);
	push(0, 3);
	ck_assert_uint_eq(pop(false), 3);
	ck_assert_uint_eq(pop(false), 0);
	ck_assert_uint_eq(pop(true), 2);
	ck_assert_uint_eq(pop(true), 1);
	ck_assert_uint_eq(time_ns, UINT64_MAX);
	time_merge_fini(&merge);
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
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
