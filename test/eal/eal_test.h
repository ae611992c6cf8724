// SPDX-License-Identifier: BSD-3-Clause
// EAL for one test case of Check, which is a process of its own: no hugepages, no device, no trace.

#pragma once

#include <check.h>
#include <rte_eal.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char runtime_dir[] = "/tmp/rtap-eal-XXXXXX";

static inline void eal_test_start(void) {
	static char words[][16] = {
		"test", "--no-huge",      "-m",          "64",    "--no-pci", "--no-shconf", "-l",
		"0",    "--no-telemetry", "--log-level", "error",
	};
	static const int nb_words = sizeof(words) / sizeof(words[0]);
	char *args[sizeof(words) / sizeof(words[0])]; // EAL changes their order

	// EAL makes its directory even if it writes nothing there.
	ck_assert_ptr_nonnull(mkdtemp(runtime_dir));
	ck_assert_int_eq(setenv("RUNTIME_DIRECTORY", runtime_dir, 1), 0);
	for (int i = 0; i < nb_words; i++)
		args[i] = words[i];
	ck_assert_int_ge(rte_eal_init(nb_words, args), 0);
}

static inline void eal_test_end(void) {
	char path[64];

	snprintf(path, sizeof(path), "%s/dpdk/rte", runtime_dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/dpdk", runtime_dir);
	rmdir(path);
	rmdir(runtime_dir);
}
