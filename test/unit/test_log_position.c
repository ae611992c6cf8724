// SPDX-License-Identifier: BSD-3-Clause
// A log is known again by what was read from it, and what was not read is counted.

#include "check_main.h"
#include "log_position.h"

static struct log_position pos;

static void teardown(void) {
	log_position_fini(&pos);
}

static void begin(int64_t start, int64_t low) {
	ck_assert_int_eq(log_position_init(&pos, start, low, true), 0);
}

// `nb` records, one each ms.
static void read_records(int64_t nb, int64_t first_ms) {
	for (int64_t i = 0; i < nb; i++)
		ck_assert(log_position_take(&pos, first_ms + i, (uint64_t)(first_ms + i)));
}

START_TEST(what_is_not_there_is_counted) {
	begin(10, 10);
	read_records(5, 1000);
	ck_assert_int_eq(log_position_move(&pos, 15, 10), LOG_GOES_ON);
	ck_assert_int_eq(log_position_move(&pos, 17, 10), LOG_GOES_ON); // markers
	ck_assert_int_eq(log_position_move(&pos, 20, -1), LOG_GOES_ON);
	ck_assert_uint_eq(pos.nb_empty, 5);
	ck_assert_int_eq(log_position_move(&pos, 50, 40), LOG_REMOVED); // the start passed by
	ck_assert_uint_eq(pos.nb_removed, 20);
	ck_assert_uint_eq(pos.nb_empty, 15);
	ck_assert_int_eq(log_position_move(&pos, 60, 70), LOG_REMOVED); // and goes on
	ck_assert_uint_eq(pos.nb_removed, 30);
	ck_assert_uint_eq(pos.nb_restarts, 0);
	ck_assert_int_eq(log_position_move(&pos, 0, 0), LOG_RESTARTED);
	ck_assert_uint_eq(pos.nb_restarts, 1);
	ck_assert_int_eq(pos.next, 0);
}
END_TEST

START_TEST(the_same_log_answers_alike) {
	begin(0, 0);
	ck_assert_int_eq(log_position_question(&pos), -1); // nothing was read
	read_records(100, 1000);
	ck_assert_int_eq(log_position_question(&pos), 1001); // the first one only is sure
	ck_assert(log_position_fits(&pos, 1));
	ck_assert_int_eq(log_position_question(&pos), 1099);
	ck_assert(log_position_fits(&pos, 99));
	ck_assert(log_position_fits(&pos, 150)); // a later record of the same ms
	// Retention took it.
	ck_assert(!log_position_fits(&pos, -1));
	ck_assert(!log_position_is_other(&pos, -1, 100));
	ck_assert(!log_position_is_other(&pos, -1, 100));
}
END_TEST

START_TEST(another_log_is_found_out) {
	begin(0, 0);
	read_records(100, 1000);
	ck_assert(log_position_fits(&pos, 1));
	read_records(200, 5000); // of the other log
	ck_assert(!log_position_fits(&pos, 0)); // whose records are all newer
	ck_assert(log_position_is_other(&pos, 0, 0));
	ck_assert(!log_position_fits(&pos, -1)); // or all older
	ck_assert(log_position_is_other(&pos, -1, 0));
	log_position_restart(&pos, 0);
	ck_assert_int_eq(log_position_question(&pos), -1);
	for (int64_t i = 0; i < 300; i++) // 100 to 299 were read
		ck_assert_int_eq(log_position_take(&pos, 4900 + i, (uint64_t)(4900 + i)), i < 100);
	ck_assert(log_position_take(&pos, 6000, 6000));
}
END_TEST

START_TEST(another_log_in_the_first_seconds) {
	begin(0, 0);
	for (int i = 0; i < 100; i++)
		log_position_take(&pos, 1000, 7); // all of one ms
	ck_assert_int_eq(log_position_question(&pos), 1001);
	ck_assert(log_position_fits(&pos, -1));
	ck_assert(log_position_fits(&pos, 100));
	ck_assert(!log_position_fits(&pos, 0));
	ck_assert(log_position_is_other(&pos, 0, 0));
}
END_TEST

START_TEST(a_lower_start_is_another_log) {
	begin(100, 100);
	ck_assert(!log_position_is_other(&pos, 0, 100));
	ck_assert(log_position_is_other(&pos, 0, 0));
	log_position_fini(&pos);
	begin(100, 50); // nothing was read
	ck_assert(!log_position_is_other(&pos, 0, 60));
	ck_assert(log_position_is_other(&pos, 0, 59));
}
END_TEST

// What was there before is not known: its times may be later than ours.
START_TEST(old_records_with_later_times) {
	begin(100, 0);
	read_records(10, 1000);
	ck_assert(!log_position_fits(&pos, 50));
	ck_assert(!log_position_is_other(&pos, 50, 0));
	ck_assert_int_eq(log_position_question(&pos), -1);
}
END_TEST

// A marker of a transaction, which is not read, may be newer than all records.
START_TEST(markers_are_no_other_log) {
	begin(0, 0);
	read_records(10, 1000);
	ck_assert(log_position_fits(&pos, 1));
	ck_assert_int_eq(log_position_move(&pos, 11, 0), LOG_GOES_ON);
	read_records(10, 1010);
	ck_assert_int_eq(log_position_question(&pos), 1010);
	ck_assert(!log_position_fits(&pos, 5));
	ck_assert(!log_position_is_other(&pos, 5, 0));
	ck_assert(!log_position_fits(&pos, 0));
	ck_assert(log_position_is_other(&pos, 0, 0));
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("log_position");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, what_is_not_there_is_counted);
	tcase_add_test(tcase, the_same_log_answers_alike);
	tcase_add_test(tcase, another_log_is_found_out);
	tcase_add_test(tcase, another_log_in_the_first_seconds);
	tcase_add_test(tcase, a_lower_start_is_another_log);
	tcase_add_test(tcase, old_records_with_later_times);
	tcase_add_test(tcase, markers_are_no_other_log);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
