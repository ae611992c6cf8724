// SPDX-License-Identifier: BSD-3-Clause
// One record at first, everything once Kafka has confirmed one.

#include "check_main.h"
#include "partition_gate.h"

#include <check.h>

#define NOW (UINT64_C(5000) * 1000000000)

static struct partition_gate gate;

static void teardown(void) {
	free(gate.partitions);
}

START_TEST(first_one_alone) {
	ck_assert_uint_eq(partition_gate_room(&gate, 3, 100, NOW), 1);
	partition_gate_accept(&gate, 3, 1);
	ck_assert_uint_eq(partition_gate_room(&gate, 3, 100, NOW), 0);
	ck_assert_uint_eq(partition_gate_room(&gate, 2, 100, NOW), 1); // each for itself
	partition_gate_report(&gate, 3, true, NOW);
	ck_assert_uint_eq(partition_gate_room(&gate, 3, 100, NOW), 100);
	ck_assert_uint_eq(partition_gate_room(&gate, 3, 0, NOW), 0);
}
END_TEST

START_TEST(refused_by_the_client) {
	ck_assert_uint_eq(partition_gate_room(&gate, 0, 5, NOW), 1);
	partition_gate_accept(&gate, 0, 0);
	ck_assert_uint_eq(partition_gate_room(&gate, 0, 5, NOW), 1);
}
END_TEST

START_TEST(a_failed_report_opens_nothing) {
	partition_gate_accept(&gate, 0, 1);
	partition_gate_report(&gate, 0, false, NOW);
	ck_assert_uint_eq(partition_gate_room(&gate, 0, 5, NOW), 1);
}
END_TEST

START_TEST(a_failed_report_closes_nothing) {
	partition_gate_accept(&gate, 0, 1);
	partition_gate_report(&gate, 0, true, NOW);
	partition_gate_accept(&gate, 0, 5);
	for (int i = 0; i < 5; i++)
		partition_gate_report(&gate, 0, false, NOW);
	ck_assert_uint_eq(partition_gate_room(&gate, 0, 5, NOW), 5);
}
END_TEST

START_TEST(forgotten_when_idle) {
	uint64_t later = NOW + PARTITION_GATE_IDLE_NS + 1;

	partition_gate_accept(&gate, 0, 1);
	partition_gate_report(&gate, 0, true, NOW);
	partition_gate_accept(&gate, 0, 2);
	partition_gate_report(&gate, 0, true, NOW);
	// One is still on its way: Kafka is slow, the partition is not idle.
	ck_assert_uint_eq(partition_gate_room(&gate, 0, 9, later), 9);
	partition_gate_report(&gate, 0, true, NOW);
	ck_assert_uint_eq(partition_gate_room(&gate, 0, 9, later - 1), 9);
	ck_assert_uint_eq(partition_gate_room(&gate, 0, 9, later), 1);
	partition_gate_accept(&gate, 0, 1);
	ck_assert_uint_eq(partition_gate_room(&gate, 0, 9, later), 0);
}
END_TEST

START_TEST(no_such_partition) {
	ck_assert_uint_eq(partition_gate_room(&gate, -1, 5, NOW), 0);
	partition_gate_report(&gate, -1, true, NOW);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("partition_gate");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, first_one_alone);
	tcase_add_test(tcase, refused_by_the_client);
	tcase_add_test(tcase, a_failed_report_opens_nothing);
	tcase_add_test(tcase, a_failed_report_closes_nothing);
	tcase_add_test(tcase, forgotten_when_idle);
	tcase_add_test(tcase, no_such_partition);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
