// SPDX-License-Identifier: BSD-3-Clause
// Moments as users write them: dates in UTC, seconds since the epoch, before now; all else is
// refused.

#include "check_main.h"
#include "time_spec.h"

#include <errno.h>

#define S UINT64_C(1000000000)
#define NOW (UINT64_C(1795575600) * S + 5) // 2026-11-25T03:00:00Z and a little

static void ck_time(const char *text, uint64_t wanted_ns) {
	uint64_t time_ns = 0;

	ck_assert_msg(time_spec_parse(text, NOW, &time_ns) == 0, "%s", text);
	ck_assert_msg(time_ns == wanted_ns, "%s: %ju", text, (uintmax_t)time_ns);
}

static void ck_refused(const char *const *texts, size_t nb) {
	uint64_t time_ns;

	for (size_t i = 0; i < nb; i++)
		ck_assert_msg(time_spec_parse(texts[i], NOW, &time_ns) == -EINVAL, "%s", texts[i]);
}

START_TEST(dates) {
	ck_time("1970-01-01T00:00:00Z", 0);
	ck_time("2026-11-25T03:00:00Z", UINT64_C(1795575600) * S);
	ck_time("2026-11-25t03:00:00.000000001z", UINT64_C(1795575600) * S + 1);
	ck_time("2024-02-29T23:59:59.5Z", UINT64_C(1709251199) * S + S / 2);
	ck_time("2106-02-07T06:28:15.999999999Z", TIME_SPEC_MAX_NS);
}
END_TEST

START_TEST(seconds) {
	ck_time("0", 0);
	ck_time("1795575600", UINT64_C(1795575600) * S);
	ck_time("1795575600.25", UINT64_C(1795575600) * S + S / 4);
	ck_time("4294967295.999999999", TIME_SPEC_MAX_NS);
}
END_TEST

START_TEST(before_now) {
	ck_time("-0s", NOW);
	ck_time("-90s", NOW - 90 * S);
	ck_time("-15m", NOW - 900 * S);
	ck_time("-2h", NOW - 7200 * S);
	ck_time("-3d", NOW - 3 * 86400 * S);
}
END_TEST

START_TEST(no_dates) {
	static const char *const texts[] = {
		"2026-11-25T03:00:00",
		"2026-11-25T03:00:00+01:00",
		"2026-11-25 03:00:00Z",
		"2026-11-25T03:00Z",
		"2026-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z",
		"1969-12-31T23:59:59Z",
		"2106-02-07T06:28:16Z",
		"26-11-25T03:00:00Z",
		"2026-11-25T3:00:00Z",
		"2026-11-25T03:00:00.Z",
		"2026-11-25T03:00:00Zx",
		"2026-11-25T:",
		"2026-11-25T03:00:00.0000000001Z",
	};

	ck_refused(texts, sizeof(texts) / sizeof(texts[0]));
}
END_TEST

START_TEST(no_moments) {
	static const char *const texts[] = {
		"",
		"now",
		"x",
		"1x",
		" 1",
		"+1",
		"1.",
		"1.x",
		".5",
		"1.0000000000",
		"-",
		"-15",
		"-m",
		"-1w",
		"-1mm",
		"--1s",
		"-1.5h",
		"-99999d",
		"4294967296",
		"1e9",
		"0x10",
		"-1 m",
		"184467440737095516160",
	};

	ck_refused(texts, sizeof(texts) / sizeof(texts[0]));
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("time_spec");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, dates);
	tcase_add_test(tcase, seconds);
	tcase_add_test(tcase, before_now);
	tcase_add_test(tcase, no_dates);
	tcase_add_test(tcase, no_moments);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
