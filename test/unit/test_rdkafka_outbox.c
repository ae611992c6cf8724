// SPDX-License-Identifier: BSD-3-Clause
// One batch of a partition at a time, in order, whatever happens.

#include "check_main.h"
#include "rdkafka_outbox.h"

#include <check.h>

#include <stdlib.h>

#define NOW (UINT64_C(5000) * 1000000000)
#define LEN 100

static struct rdkafka_outbox box;

static void setup(void) {
	box.batch_messages = 10;
	box.batch_bytes = 1000000;
}

static void teardown(void) {
	rdkafka_outbox_fini(&box);
}

static void add(int32_t partition, uint64_t first_tag, unsigned int nb) {
	struct message r = {.len = LEN, .partition = partition};

	for (unsigned int i = 0; i < nb; i++) {
		r.tag = first_tag + i;
		ck_assert_int_eq(rdkafka_outbox_add(&box, &r), 0);
	}
}

// The partition's turn; its batch must be tags from `first_tag` on.
static uint32_t turn(int32_t partition, uint64_t first_tag, uint64_t now_ns) {
	uint32_t nb;

	ck_assert_int_eq(rdkafka_outbox_next(&box), partition);
	nb = rdkafka_outbox_batch(&box, partition, now_ns);
	for (uint32_t i = 0; i < nb; i++)
		ck_assert_uint_eq(rdkafka_outbox_look(&box, partition, i)->tag, first_tag + i);
	rdkafka_outbox_remove(&box, partition, nb, nb);
	ck_assert_uint_eq(rdkafka_outbox_batch(&box, partition, now_ns), 0);
	return nb;
}

static void report(int32_t partition, unsigned int nb, bool confirmed, uint64_t now_ns) {
	for (unsigned int i = 0; i < nb; i++)
		rdkafka_outbox_report(&box, partition, confirmed, now_ns);
}

START_TEST(first_one_alone) {
	add(3, 0, 100);
	ck_assert_uint_eq(turn(3, 0, NOW), 1);
	ck_assert_int_eq(rdkafka_outbox_next(&box), -1);
	add(3, 100, 1);
	ck_assert_int_eq(rdkafka_outbox_next(&box), -1);
	add(2, 0, 5); // each for itself
	ck_assert_uint_eq(turn(2, 0, NOW), 1);
	report(3, 1, true, NOW);
	ck_assert_uint_eq(turn(3, 1, NOW), 10);
	ck_assert_uint_eq(rdkafka_outbox_waiting(&box, 3), 90);
	ck_assert_uint_eq(rdkafka_outbox_waiting(&box, 2), 4);
}
END_TEST

START_TEST(one_batch_at_a_time) {
	add(0, 0, 25);
	ck_assert_uint_eq(turn(0, 0, NOW), 1);
	report(0, 1, true, NOW);
	ck_assert_uint_eq(turn(0, 1, NOW), 10);
	report(0, 9, true, NOW);
	ck_assert_int_eq(rdkafka_outbox_next(&box), -1); // one is still on its way
	report(0, 1, true, NOW);
	ck_assert_uint_eq(turn(0, 11, NOW), 10);
	report(0, 10, true, NOW);
	ck_assert_uint_eq(turn(0, 21, NOW), 4);
	report(0, 4, true, NOW);
	ck_assert_int_eq(rdkafka_outbox_next(&box), -1); // nothing waits
	add(0, 25, 1);
	ck_assert_uint_eq(turn(0, 25, NOW), 1);
}
END_TEST

START_TEST(limited_by_bytes) {
	const uint64_t each = LEN + MESSAGE_KEY_BYTES + RDKAFKA_OUTBOX_RECORD_BYTES;

	add(0, 0, 20);
	ck_assert_uint_eq(turn(0, 0, NOW), 1);
	report(0, 1, true, NOW);
	box.batch_bytes = 3 * each;
	ck_assert_uint_eq(turn(0, 1, NOW), 3);
	report(0, 3, true, NOW);
	box.batch_bytes = each - 1; // one goes in any case
	ck_assert_uint_eq(turn(0, 4, NOW), 1);
}
END_TEST

START_TEST(a_failed_report_opens_nothing) {
	add(0, 0, 9);
	ck_assert_uint_eq(turn(0, 0, NOW), 1);
	report(0, 1, false, NOW);
	ck_assert_uint_eq(turn(0, 1, NOW), 1);
	report(0, 1, true, NOW);
	ck_assert_uint_eq(turn(0, 2, NOW), 7);
}
END_TEST

// What goes back to where it came from is in no other's way.
START_TEST(taken_back) {
	add(0, 0, 9);
	ck_assert_uint_eq(turn(0, 0, NOW), 1);
	rdkafka_outbox_remove(&box, 0, 8, 0);
	ck_assert_uint_eq(rdkafka_outbox_waiting(&box, 0), 0);
	report(0, 1, true, NOW);
	ck_assert_int_eq(rdkafka_outbox_next(&box), -1);
	add(0, 50, 2);
	ck_assert_uint_eq(turn(0, 50, NOW), 2);
}
END_TEST

// A client that takes nothing: the turn is not lost.
START_TEST(refused_by_the_client) {
	add(0, 0, 2);
	add(1, 0, 2);
	ck_assert_int_eq(rdkafka_outbox_next(&box), 0);
	rdkafka_outbox_relist(&box, 0);
	rdkafka_outbox_relist(&box, 0);
	ck_assert_uint_eq(turn(1, 0, NOW), 1); // after the other one now
	ck_assert_uint_eq(turn(0, 0, NOW), 1);
	ck_assert_int_eq(rdkafka_outbox_next(&box), -1);
}
END_TEST

START_TEST(forgotten_when_idle) {
	uint64_t later = NOW + RDKAFKA_OUTBOX_IDLE_NS + 1;

	add(0, 0, 20);
	ck_assert_uint_eq(turn(0, 0, NOW), 1);
	report(0, 1, true, NOW);
	ck_assert_uint_eq(turn(0, 1, later - 1), 10);
	report(0, 10, false, later);
	ck_assert_uint_eq(turn(0, 11, later), 1);
}
END_TEST

START_TEST(forgotten_with_the_producer) {
	add(0, 0, 20);
	ck_assert_uint_eq(turn(0, 0, NOW), 1);
	report(0, 1, true, NOW);
	rdkafka_outbox_forget(&box);
	ck_assert_uint_eq(turn(0, 1, NOW), 1);
}
END_TEST

// Grows around the end of its memory, keeps the order.
START_TEST(many) {
	uint64_t added = 0, sent = 0;

	box.batch_messages = 777;
	for (int round = 0; round < 300; round++) {
		add(5, added, 100 + (unsigned int)round);
		added += 100 + (unsigned int)round;
		if (rdkafka_outbox_waiting(&box, 5) < 900 && round < 290)
			continue;
		uint32_t nb = turn(5, sent, NOW);

		sent += nb;
		report(5, nb, true, NOW);
	}
	while (rdkafka_outbox_waiting(&box, 5) > 0) {
		uint32_t nb = turn(5, sent, NOW);

		sent += nb;
		report(5, nb, true, NOW);
	}
	ck_assert_uint_eq(sent, added);
}
END_TEST

START_TEST(no_such_partition) {
	struct message r = {.partition = -1};

	ck_assert_int_lt(rdkafka_outbox_add(&box, &r), 0);
	rdkafka_outbox_report(&box, -1, true, NOW);
	ck_assert_uint_eq(rdkafka_outbox_waiting(&box, -1), 0);
	ck_assert_uint_eq(rdkafka_outbox_waiting(&box, 7), 0);
	ck_assert_int_eq(rdkafka_outbox_next(&box), -1);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("rdkafka_outbox");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, first_one_alone);
	tcase_add_test(tcase, one_batch_at_a_time);
	tcase_add_test(tcase, limited_by_bytes);
	tcase_add_test(tcase, a_failed_report_opens_nothing);
	tcase_add_test(tcase, taken_back);
	tcase_add_test(tcase, refused_by_the_client);
	tcase_add_test(tcase, forgotten_when_idle);
	tcase_add_test(tcase, forgotten_with_the_producer);
	tcase_add_test(tcase, many);
	tcase_add_test(tcase, no_such_partition);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
