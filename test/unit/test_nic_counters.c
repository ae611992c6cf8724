// SPDX-License-Identifier: BSD-3-Clause
// Tests of a driver's counters that fall and come back.

#include "check_main.h"
#include "nic_counters.h"

#include <check.h>

struct step {
	uint64_t says, adds;
	bool reset;
};

static void ck_steps(const struct step *steps, unsigned int nb_steps) {
	struct nic_counter c = {.comes_back = true};

	for (unsigned int i = 0; i < nb_steps; i++) {
		bool reset = false;

		ck_assert_msg(
			nic_counter_advance(&c, steps[i].says, &reset) == steps[i].adds, "step %u",
			i
		);
		ck_assert_msg(reset == steps[i].reset, "step %u", i);
	}
}

START_TEST(grows) {
	static const struct step steps[] = {
		{5, 5, false},
		{5, 0, false},
		{9, 4, false},
		{UINT64_MAX, UINT64_MAX - 9, false},
	};

	ck_steps(steps, sizeof(steps) / sizeof(steps[0]));
}
END_TEST

// net_memif: 0 while the peer is away, then what it was.
START_TEST(comes_back) {
	static const struct step steps[] = {
		{1000, 1000, false}, {0, 0, false}, {0, 0, false},       {1000, 0, false},
		{1500, 500, false},  {0, 0, false}, {2500, 1000, false}, {2501, 1, false},
	};

	ck_steps(steps, sizeof(steps) / sizeof(steps[0]));
}
END_TEST

START_TEST(begins_again) {
	static const struct step steps[] = {
		{1000, 1000, false}, {0, 0, false}, {7, 7, true},  {1100, 1093, false},
		{3, 3, true},        {3, 0, false}, {4, 1, false}, {2, 2, true},
		{0, 0, false},       {0, 0, false}, {5, 3, false},
	};

	ck_steps(steps, sizeof(steps) / sizeof(steps[0]));
}
END_TEST

// Any other driver.
START_TEST(never_comes_back) {
	struct nic_counter c = {0};
	bool reset = false;

	ck_assert_uint_eq(nic_counter_advance(&c, 26, &reset), 26);
	ck_assert_uint_eq(nic_counter_advance(&c, 0, &reset), 0);
	ck_assert(reset);
	ck_assert_uint_eq(nic_counter_advance(&c, 3000, &reset), 3000);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("nic_counters");
	TCase *tc = tcase_create("nic_counters");

	tcase_add_test(tc, grows);
	tcase_add_test(tc, comes_back);
	tcase_add_test(tc, begins_again);
	tcase_add_test(tc, never_comes_back);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
