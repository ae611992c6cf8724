// SPDX-License-Identifier: BSD-3-Clause
// Tests of the table: every blank of it.

#include "check_main.h"
#include "table.h"

#include <string.h>

#define HEADING "     ------ in ------  --- queued --- ----- out ----- ---- drops ----\n"

static char text[4096];

typedef void (*print_fn)(FILE *out, const struct rtap_balance *b);

static const char *printed(print_fn print, const struct rtap_balance *b) {
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_ptr_nonnull(out);
	print(out, b);
	fclose(out);
	return text;
}

static const char *
printed_rates(const struct rtap_balance *now, const struct rtap_balance *before, double seconds) {
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_ptr_nonnull(out);
	rtap_table_print_rates(out, now, before, seconds);
	fclose(out);
	return text;
}

START_TEST(eight_packets) {
	const struct rtap_balance b = {
		.nic = {.in = 8}, .rx = {8, 0, 8, 0}, .tx = {8, 0, 8, 0}, .kaf = {8, 1, 7, 0}};

	ck_assert_str_eq(
		printed(rtap_table_print, &b),
		HEADING "[nic]               8               -               -               -\n"
			"[rx]                8               0               8               0\n"
			"[tx]                8               0               8               0\n"
			"[kaf]               8               1               7               0\n"
	);
}
END_TEST

START_TEST(every_figure_in_its_place) {
	const struct rtap_balance b = {
		.nic = {.in = 1, .drops = 2},
		.rx = {3, 4, 5, 6},
		.tx = {7, 8, 9, 10},
		.kaf = {11, 12, 13, 14},
		.filtered = 15,
		.sent_again = 16,
	};

	ck_assert_str_eq(
		printed(rtap_table_print, &b),
		HEADING "[nic]               1               -               -               2\n"
			"[rx]                3               4               5               6\n"
			"[tx]                7               8               9              10\n"
			"[kaf]              11              12              13              14\n"
			"filtered: 15\n"
			"sent again: 16\n"
	);
}
END_TEST

START_TEST(long_numbers_stay_apart) {
	const uint64_t max = UINT64_MAX;
	const struct rtap_balance b = {.kaf = {max, max, max, max}, .rx.in = 999999999999999};

	printed(rtap_table_print, &b);
	ck_assert_ptr_nonnull(
		strstr(text,
		       "[kaf] 18446744073709551615 18446744073709551615 "
		       "18446744073709551615 18446744073709551615\n")
	);
	ck_assert_ptr_nonnull(strstr(text, "[rx]  999999999999999               0"));
}
END_TEST

START_TEST(rates) {
	const struct rtap_balance before = {.nic = {.in = 100}, .tx = {5, 5, 5, 5}, .kaf.out = 10};
	const struct rtap_balance now = {
		.nic = {.in = 1100, .drops = 7},
		.rx = {3, 100, 2, 1},
		.tx = {5, 0, 6, 0}, // refused packets were taken after all
		.kaf = {1, 0, 4000000010, 0},
	};

	ck_assert_str_eq(
		printed_rates(&now, &before, 2.0),
		"packets/s\n" HEADING
		"[nic]             500               -               -               4\n"
		"[rx]                2               -               1               1\n"
		"[tx]                0               -               1               0\n"
		"[kaf]               1               -      2000000000               0\n"
	);
	ck_assert_ptr_nonnull(strstr(printed_rates(&now, &before, 0.1), "[nic]           10000 "));
}
END_TEST

static void explain(FILE *out, const struct rtap_balance *b) {
	rtap_table_explain(out);
}

START_TEST(explanation_has_every_figure) {
	const char *wanted[] = {"[nic] in", "[rx]  in", "[tx]  in",
				"[kaf] in", "filtered", "sent again"};

	printed(explain, NULL);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_msg(strstr(text, wanted[i]) != NULL, "%s", wanted[i]);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("table");
	TCase *tcase = tcase_create("table");

	tcase_add_test(tcase, eight_packets);
	tcase_add_test(tcase, every_figure_in_its_place);
	tcase_add_test(tcase, long_numbers_stay_apart);
	tcase_add_test(tcase, rates);
	tcase_add_test(tcase, explanation_has_every_figure);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
