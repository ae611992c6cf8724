// SPDX-License-Identifier: BSD-3-Clause
// Completeness of streams: losses, duplicates, restarts, in any order of coming; bounds; the
// report.

#include "check_main.h"
#include "stream_report.h"

#include <stdlib.h>
#include <string.h>

#define ALL UINT64_MAX
#define RING UINT32_C(0x00020001)

static struct stream_check check;

static void setup(void) {
	ck_assert_int_eq(stream_check_init(&check), 0);
}

static void teardown(void) {
	stream_check_fini(&check);
}

static void add(uint64_t seq, uint64_t time_ns) {
	stream_check_add(&check, 1, RING, seq, time_ns);
}

// Times as numbers: packets of one run.
static void add_range(uint64_t first, uint64_t last) {
	for (uint64_t seq = first; seq <= last; seq++)
		add(seq, seq);
}

static void ck_totals(uint64_t received, uint64_t missing, uint64_t duplicates, uint64_t restarts) {
	struct stream_totals totals = stream_check_totals(&check, ALL);

	ck_assert_uint_eq(totals.nb_received, received);
	ck_assert_uint_eq(totals.nb_missing, missing);
	ck_assert_uint_eq(totals.nb_duplicates, duplicates);
	ck_assert_uint_eq(totals.nb_restarts, restarts);
}

START_TEST(nothing) {
	ck_totals(0, 0, 0, 0);
}
END_TEST

START_TEST(complete) {
	add_range(7, 5000); // what was before the first one is not known
	ck_totals(4994, 0, 0, 0);
	ck_assert_uint_eq(check.streams[0].runs[0].first, 7);
	ck_assert_uint_eq(check.streams[0].runs[0].last, 5000);
}
END_TEST

START_TEST(losses) {
	add_range(1, 10);
	add_range(12, 20);
	add_range(31, 40);
	ck_totals(29, 11, 0, 0);
	ck_assert_uint_eq(check.streams[0].runs[0].nb_gaps, 2);
	ck_assert_uint_eq(check.streams[0].runs[0].gaps[1].first, 21);
	ck_assert_uint_eq(check.streams[0].runs[0].gaps[1].last, 30);
}
END_TEST

START_TEST(late_ones_fill_gaps) {
	add(10, 10);
	add(20, 20);
	add(15, 15); // splits
	add(11, 11); // from the left
	add(19, 19); // from the right
	add(16, 16);
	ck_totals(6, 5, 0, 0);
	add(5, 5); // before the first one
	ck_totals(7, 9, 0, 0);
	add_range(5, 20);
	ck_totals(16, 0, 7, 0);
	ck_assert_uint_eq(check.streams[0].runs[0].nb_gaps, 0);
}
END_TEST

START_TEST(duplicates) {
	add_range(1, 100);
	add_range(50, 60);
	add_range(1, 1);
	ck_totals(100, 0, 12, 0);
}
END_TEST

START_TEST(any_order) {
	uint64_t state = 1, seqs[2000];

	for (uint64_t i = 0; i < 2000; i++)
		seqs[i] = i + 1;
	for (uint64_t i = 1999; i > 0; i--) {
		uint64_t other, seq = seqs[i];

		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		other = (state >> 33) % (i + 1);
		seqs[i] = seqs[other];
		seqs[other] = seq;
	}
	for (uint64_t i = 0; i < 2000; i++)
		if (seqs[i] % 100 != 50)
			add(seqs[i], 1000 + seqs[i]);
	ck_totals(1980, 20, 0, 0);
}
END_TEST

START_TEST(restart) {
	add_range(1, 100);
	for (uint64_t seq = 1; seq <= 50; seq++)
		add(seq, 1000 + seq);
	add(90, 90); // sent again by then
	add(110, 110); // from before the restart, after all
	ck_totals(151, 9, 1, 1);
	add(1, 5000);
	ck_totals(152, 9, 1, 2);
}
END_TEST

START_TEST(restart_in_disorder) {
	add_range(1, 100);
	add(3, 1003);
	add(1, 1001);
	add(101, 101);
	add(2, 1002);
	ck_totals(104, 0, 0, 1);
}
END_TEST

// The primary started again, its clock set back to any time of the first run: it is seen, and what
// the first run lost is not taken for found.
START_TEST(restart_with_the_clock_set_back) {
	for (uint64_t back = 2; back < 1000; back += 7) {
		stream_check_fini(&check);
		setup();
		for (uint64_t seq = 1; seq <= 1000; seq++)
			if (seq != 3)
				add(seq, seq * 10);
		for (uint64_t seq = 1; seq <= 5; seq++)
			add(seq, (back + seq) * 10 + 1);
		ck_assert_uint_ge(check.nb_contradicting, 1);
		ck_assert_uint_eq(stream_check_totals(&check, ALL).nb_missing, 1);
	}
}
END_TEST

START_TEST(a_long_run_set_back) {
	const uint64_t nb = 1000000;

	add_range(1, nb);
	ck_assert_uint_le(check.streams[0].runs[0].times.nb, RUN_TIMES_MAX);
	for (uint64_t seq = 1; seq <= nb; seq += nb / 10) {
		uint64_t before = check.nb_contradicting;

		add(seq, seq); // a duplicate
		ck_assert_uint_eq(check.nb_contradicting, before);
		add(seq, seq + nb / 100); // of a run of another time
		ck_assert_uint_eq(check.nb_contradicting, before + 1);
	}
	add(nb + 1, nb - 5);
	ck_assert_uint_eq(check.nb_contradicting, 11);
}
END_TEST

START_TEST(streams_are_apart) {
	stream_check_add(&check, 1, 0, 1, 1);
	stream_check_add(&check, 1, 1, 5, 5);
	stream_check_add(&check, 2, 0, 9, 9);
	stream_check_add(&check, 2, 0, 11, 11);
	ck_totals(4, 1, 0, 0);
	ck_assert_uint_eq(stream_check_interface_totals(&check, 1, ALL).nb_missing, 0);
	ck_assert_uint_eq(stream_check_interface_totals(&check, 2, ALL).nb_missing, 1);
	ck_assert_uint_eq(stream_check_interface_totals(&check, 3, ALL).nb_received, 0);
}
END_TEST

START_TEST(not_beyond_the_horizon) {
	add(1, 100);
	add(3, 300);
	add(5, 500);
	ck_assert_uint_eq(stream_check_totals(&check, 500).nb_missing, 2);
	ck_assert_uint_eq(stream_check_totals(&check, 499).nb_missing, 1);
	ck_assert_uint_eq(stream_check_totals(&check, 0).nb_missing, 0);
}
END_TEST

START_TEST(forgotten_gaps_are_not_judged) {
	const uint64_t nb = 2 * STREAM_CHECK_MAX_GAPS, last = 2 * nb + 1;
	uint64_t forgotten;

	for (uint64_t seq = 1; seq <= last; seq += 2)
		add(seq, seq);
	forgotten = stream_check_totals(&check, ALL).nb_forgotten;
	ck_assert_uint_ge(forgotten, nb - STREAM_CHECK_MAX_GAPS);
	ck_totals(nb + 1, nb - forgotten, 0, 0);
	ck_assert_uint_le(check.streams[0].runs[0].nb_gaps, STREAM_CHECK_MAX_GAPS);
	add(last - 1, last - 1); // a young one is still known
	ck_totals(nb + 2, nb - forgotten - 1, 0, 0);
	add(2, 2); // an old one is not
	ck_totals(nb + 2, nb - forgotten - 1, 1, 0);
}
END_TEST

START_TEST(limits) {
	for (unsigned int i = 0; i < STREAM_CHECK_MAX_STREAMS + 5; i++)
		stream_check_add(&check, i % 7, i, 1, 1);
	ck_assert_uint_eq(check.nb_not_judged, 5);
	for (uint64_t i = 0; i < STREAM_CHECK_MAX_RUNS; i++)
		stream_check_add(&check, 0, 0, 1, 2 + i);
	ck_assert_uint_eq(check.nb_runs, STREAM_CHECK_MAX_RUNS);
	ck_assert_uint_eq(check.nb_not_judged, 5 + STREAM_CHECK_MAX_STREAMS);
}
END_TEST

START_TEST(extremes) {
	add(UINT64_MAX, UINT64_MAX);
	add(1, 1);
	ck_totals(2, UINT64_MAX - 2, 0, 0);
	add(UINT64_MAX - 1, 5);
	add(2, 2);
	ck_totals(4, UINT64_MAX - 4, 0, 0);
}
END_TEST

// ---- the report ----

static char *print(const struct stream_report *report) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	stream_report_print(out, report);
	fclose(out);
	return text;
}

static void ck_verdict(const struct stream_report *report, bool proved, const char *wanted) {
	const char *why;

	ck_assert_int_eq(stream_report_is_complete(report, &why), proved);
	ck_assert_msg(strstr(why, wanted) != NULL, "%s", why);
}

START_TEST(the_verdict) {
	struct stream_report r = {.check = &check, .horizon_ns = ALL};

	ck_verdict(&r, false, "there is no packet");
	r.nb_without = 1;
	ck_verdict(&r, false, "no packet has a sequence number");
	r.nb_without = 0;
	add_range(1, 3);
	ck_verdict(&r, true, "complete: ");
	r.nb_without = 1;
	ck_verdict(&r, false, "not proved: some packets have no sequence number");
	r.cut_short = true;
	ck_verdict(&r, false, "not proved: reading ended before everything was read");
	r = (struct stream_report){.check = &check, .horizon_ns = ALL};
	check.nb_not_judged = 1;
	ck_verdict(&r, false, "not proved: too many streams");
	check.streams[0].runs[0].nb_forgotten = 1;
	ck_verdict(&r, false, "not proved: too many gaps");
	add(1, 2);
	ck_verdict(&r, false, "not proved: the clock was set back");
	add(5, 5);
	ck_verdict(&r, false, "incomplete: packets are missing");
}
END_TEST

START_TEST(the_report) {
	struct interface_names names;
	struct stream_report r = {.check = &check, .names = &names, .horizon_ns = ALL};
	char *text;

	ck_assert_int_eq(interface_names_init(&names, "kafka:x"), 0);
	ck_assert_uint_eq(interface_names_number(&names, "s\x9b:eth0", 7), 1);
	add_range(1, 3);
	for (uint64_t seq = 5; seq <= 35; seq += 3)
		add(seq, seq);
	add(1, 99);
	r.nb_malformed = 4;
	add(1, 20); // of a run that is not known
	text = print(&r);
	ck_assert_str_eq(
		text,
		"stream s?:eth0 queue 2 ring 1 run 1 of 2: 1 to 35, 14 received, 21 missing, 0 "
		"duplicates\n"
		"  missing: 4 6-7 9-10 12-13 15-16 18-19 21-22 24-25 27-28 30-31 and 1 ranges more\n"
		"stream s?:eth0 queue 2 ring 1 run 2 of 2: 1 to 1, 1 received, 0 missing, 0 "
		"duplicates\n"
		"1 streams: 15 received, 21 missing, 0 duplicates, 1 restarts; 0 packets without a "
		"sequence number, 4 malformed headers, 1 packets whose time contradicts their "
		"number\n"
	);
	free(text);
	interface_names_fini(&names);
}
END_TEST

START_TEST(interfaces) {
	struct interface_names names;
	char name[16];

	ck_assert_int_eq(interface_names_init(&names, "first"), 0);
	ck_assert_uint_eq(interface_names_number(&names, "abc", 2), 1); // no terminator
	ck_assert_uint_eq(interface_names_number(&names, "abc", 3), 2);
	ck_assert_uint_eq(interface_names_number(&names, "ab", 2), 1);
	ck_assert_uint_eq(interface_names_number(&names, "first", 5), 0);
	for (unsigned int i = 3; i < INTERFACE_NAMES_MAX + 9; i++) {
		snprintf(name, sizeof(name), "%u", i);
		ck_assert_uint_eq(
			interface_names_number(&names, name, strlen(name)),
			i < INTERFACE_NAMES_MAX ? i : 0
		);
	}
	interface_names_fini(&names);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("stream_check");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, nothing);
	tcase_add_test(tcase, complete);
	tcase_add_test(tcase, losses);
	tcase_add_test(tcase, late_ones_fill_gaps);
	tcase_add_test(tcase, duplicates);
	tcase_add_test(tcase, any_order);
	tcase_add_test(tcase, restart);
	tcase_add_test(tcase, restart_in_disorder);
	tcase_add_test(tcase, restart_with_the_clock_set_back);
	tcase_add_test(tcase, a_long_run_set_back);
	tcase_add_test(tcase, streams_are_apart);
	tcase_add_test(tcase, not_beyond_the_horizon);
	tcase_add_test(tcase, forgotten_gaps_are_not_judged);
	tcase_add_test(tcase, limits);
	tcase_add_test(tcase, extremes);
	tcase_add_test(tcase, the_verdict);
	tcase_add_test(tcase, the_report);
	tcase_add_test(tcase, interfaces);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
