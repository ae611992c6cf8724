// SPDX-License-Identifier: BSD-3-Clause
// main() of every unit test: run one Check suite, report it as TAP on stdout.

#pragma once

#include <check.h>

#include <stdlib.h>

#define CHECK_MAIN(make_suite)                                                                     \
	int main(void) {                                                                           \
		SRunner *runner = srunner_create(make_suite());                                    \
		int nb_failed;                                                                     \
                                                                                                   \
		srunner_set_tap(runner, "-");                                                      \
		srunner_run_all(runner, CK_SILENT);                                                \
		nb_failed = srunner_ntests_failed(runner);                                         \
		srunner_free(runner);                                                              \
		return nb_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                               \
	}
