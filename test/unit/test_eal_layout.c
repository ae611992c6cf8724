// SPDX-License-Identifier: BSD-3-Clause
// EAL's shared configuration and runtime files: what belongs to which version and process.

#include "check_main.h"
#include "eal_layout.h"

#include <check.h>

#include <errno.h>
#include <string.h>

// The first bytes of the file `config` as EAL wrote them, every lock taken.
union head {
	uint32_t words[RTAP_EAL_CONFIG_HEAD_BYTES / sizeof(uint32_t)];
	char bytes[RTAP_EAL_CONFIG_HEAD_BYTES];
};

static union head make_head(unsigned int nb_locks, size_t memzones_offset) {
	union head head = {.words = {19820526, RTE_VERSION, 4, 1}};

	for (unsigned int i = 0; i < nb_locks; i++)
		head.words[4 + i] = 1;
	memcpy(head.bytes + memzones_offset, "memzone", sizeof("memzone"));
	return head;
}

static union head known_head(void) {
#if RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0)
	return make_head(5, 40);
#else
	return make_head(6, 48);
#endif
}

START_TEST(test_layout_known) {
	union head head = known_head();

	ck_assert_int_eq(rtap_eal_layout_check(&head), 0);
}
END_TEST

START_TEST(test_layout_of_other_versions) {
#if RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0)
	union head moved = make_head(6, 48);
#else
	union head moved = make_head(5, 40);
#endif
	union head other = known_head();

	ck_assert_int_eq(rtap_eal_layout_check(&moved), -EPROTO);
	other.words[1]++;
	ck_assert_int_eq(rtap_eal_layout_check(&other), -EPROTO);
}
END_TEST

START_TEST(test_clear_locks) {
	union head head = known_head();
	union head cleared = make_head(0, RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0) ? 40 : 48);

	rtap_eal_layout_clear_locks(&head);
	ck_assert_mem_eq(&head, &cleared, sizeof(head));
}
END_TEST

static const struct {
	const char *name;
	pid_t pid;
} files[] = {
	{"mp_socket_1234_2a5f03c1b7", 1234},
	{"fbarray_memseg-2048k-0-0_1234", 1234},
	{"fbarray_memseg-2048k-0-0_1234_2a5f03c1b7", 1234},
	{"fbarray_memseg-1048576k-1-3_77_1234", 77}, // no letter in the time
	{"fbarray_memseg-2048k-0-0", 0}, // the primary's own files
	{"mp_socket", 0},
	{"config", 0},
	{"fbarray_memzone", 0},
	{"fbarray_memseg-2048k-0-0_", 0},
	{"fbarray_memseg-2048k-0-0_12x", 0},
	{"fbarray_memseg-2048k-0-0_-12", 0},
	{"fbarray_memseg-2048k-0-0_99999999999", 0},
	{"dpdk_telemetry.v2_1234", 0},
};

START_TEST(test_file_pid) {
	ck_assert_msg(
		rtap_eal_file_pid(files[_i].name) == files[_i].pid, "%s: %d", files[_i].name,
		rtap_eal_file_pid(files[_i].name)
	);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("eal_layout");
	TCase *tc = tcase_create("layout");

	tcase_add_test(tc, test_layout_known);
	tcase_add_test(tc, test_layout_of_other_versions);
	tcase_add_test(tc, test_clear_locks);
	tcase_add_loop_test(tc, test_file_pid, 0, (int)(sizeof(files) / sizeof(files[0])));
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
