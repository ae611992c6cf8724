// SPDX-License-Identifier: BSD-3-Clause
// The buffers of net_memif: whose size counts, and which versions mix up frames of several.

#include "check_main.h"
#include "memif_buffers.h"

#include <check.h>

#include <errno.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *device;
	int rc;
	bool server, zero_copy, has_bytes;
	uint32_t bytes;
} devices[] = {
	{"net_memif0", 0, false, false, false, 2048},
	{"net_memif0,role=client,bsize=9216", 0, false, false, true, 9216},
	{"net_memif0,role=server,bsize=64", 0, true, false, true, 64},
	{"net_memif0,role=master", 0, true, false, false, 2048},
	{"net_memif0,role=slave,zero-copy=yes", 0, false, true, false, 2048},
	{"net_memif0,role=server,zero-copy=yes", 0, true, false, false, 2048},
	{"net_memif0,zero-copy=no", 0, false, false, false, 2048},
	{"net_memif0,bsize=65535", 0, false, false, true, 65535},
	{"net_memif0,bsize=65536", -EINVAL, false, false, true, 0},
	{"net_memif0,bsize=0", -EINVAL, false, false, true, 0},
	{"net_memif0,bsize=2k", -EINVAL, false, false, true, 0},
};

START_TEST(arguments) {
	struct memif_buffers buffers;

	ck_assert_int_eq(memif_buffers_read(&buffers, devices[_i].device), devices[_i].rc);
	if (devices[_i].rc < 0)
		return;
	ck_assert(buffers.server == devices[_i].server);
	ck_assert(buffers.zero_copy == devices[_i].zero_copy);
	ck_assert(buffers.has_bytes == devices[_i].has_bytes);
	ck_assert_uint_eq(buffers.bytes, devices[_i].bytes);
}
END_TEST

START_TEST(size) {
	ck_assert_uint_eq(memif_buffers_size(1), 1024);
	ck_assert_uint_eq(memif_buffers_size(2048), 2048);
	ck_assert_uint_eq(memif_buffers_size(9022), 9216);
	ck_assert_uint_eq(memif_buffers_size(65557), 65535);
}
END_TEST

static const struct {
	unsigned int year, month, minor;
	bool mixes;
} versions[] = {
	{22, 11, 11, true}, {23, 11, 6, true},  {23, 11, 7, false}, {24, 11, 4, true},
	{24, 11, 5, false}, {25, 7, 0, true},   {25, 11, 0, true},  {25, 11, 1, false},
	{26, 3, 0, false},  {26, 11, 0, false},
};

START_TEST(version) {
	ck_assert(
		memif_buffers_mixes(versions[_i].year, versions[_i].month, versions[_i].minor)
		== versions[_i].mixes
	);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("memif_buffers");
	TCase *tcase = tcase_create("memif_buffers");

	tcase_add_loop_test(tcase, arguments, 0, LENGTH(devices));
	tcase_add_test(tcase, size);
	tcase_add_loop_test(tcase, version, 0, LENGTH(versions));
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
