// SPDX-License-Identifier: BSD-3-Clause
// Tests of the names of hugepage files: whose they are.

#include "check_main.h"
#include "hugepage_files.h"

START_TEST(names) {
	const char *good[] = {"nic0map_0", "nic0map_65535", "nic0map_lock"};
	const char *bad[] = {
		"nic0map_",
		"nic0map_0 (deleted)",
		"nic0map_x",
		"nic0map_locked",
		"nic0",
		"nic0map_1map_0", // of an instance `nic0map_1`
		"nic00map_0",
		"nicmap_0",
		"",
		"map_0",
		"n",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(hugepage_files_is_one(good[i], "nic0"), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!hugepage_files_is_one(bad[i], "nic0"), "%s", bad[i]);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("hugepage_files");
	TCase *tc = tcase_create("names");

	tcase_add_test(tc, names);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
