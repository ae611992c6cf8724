// SPDX-License-Identifier: BSD-3-Clause
// Duplicates of at-least-once: what counts as one, how long it is remembered, the hash behind it.

#include "check_main.h"
#include "duplicate_filter.h"
#include "siphash.h"

#include <stdint.h>

static struct duplicate_filter *filter;

static void create_filter(void) {
	filter = duplicate_filter_create(1024);
	ck_assert_ptr_nonnull(filter);
}

static void destroy_filter(void) {
	duplicate_filter_destroy(filter);
}

START_TEST(same_time_and_bytes_are_seen_again) {
	ck_assert(!duplicate_filter_seen(filter, 1, "frame", 5));
	ck_assert(duplicate_filter_seen(filter, 1, "frame", 5));
	ck_assert(duplicate_filter_seen(filter, 1, "frame", 5));
}
END_TEST

START_TEST(any_difference_is_another_packet) {
	ck_assert(!duplicate_filter_seen(filter, 1, "frame", 5));
	ck_assert(!duplicate_filter_seen(filter, 2, "frame", 5));
	ck_assert(!duplicate_filter_seen(filter, 1, "fraME", 5));
	ck_assert(!duplicate_filter_seen(filter, 1, "frame", 4));
	ck_assert(!duplicate_filter_seen(filter, 1, "frame\0", 6));
	ck_assert(!duplicate_filter_seen(filter, 1, "", 0));
	ck_assert(duplicate_filter_seen(filter, 1, "", 0));
}
END_TEST

START_TEST(the_last_ones_are_remembered) {
	for (uint64_t i = 0; i < 100000; i++) {
		ck_assert(!duplicate_filter_seen(filter, i, "x", 1));
		if (i >= 511) // two packets a round
			ck_assert(duplicate_filter_seen(filter, i - 511, "x", 1));
	}
	ck_assert(!duplicate_filter_seen(filter, 0, "x", 1)); // long forgotten
}
END_TEST

// Expected values computed with OpenSSL's SipHash-2-4, key 00 01 .. 0f, inputs 00 01 02 ...
START_TEST(hash_of_known_data) {
	static const uint64_t secret[2] = {
		UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	static const struct {
		size_t len;
		uint64_t low, high;
	} known[] = {
		{0, UINT64_C(0x61f55862baa9623b), UINT64_C(0xb49714f364e2830f)},
		{1, UINT64_C(0xabbad90a06994426), UINT64_C(0xed716dbb028b7fc4)},
		{7, UINT64_C(0x11a8b03399e99354), UINT64_C(0xd9c3cf970fec087e)},
		{8, UINT64_C(0xbb54b067caa4e26e), UINT64_C(0x77052385bf1533fd)},
		{9, UINT64_C(0x98b88d73e8063d47), UINT64_C(0x4077e47ac466c054)},
		{55, UINT64_C(0x4a83502f77d15051), UINT64_C(0x7cbd3f979a063e50)},
		{64, UINT64_C(0x06f5c6fc509f3539), UINT64_C(0xa27e827f04c90825)},
	};
	uint8_t data[64];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i + 8);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct siphash hash = siphash_compute(secret, secret[0], data, known[i].len);

		ck_assert_uint_eq(hash.low, known[i].low);
		ck_assert_uint_eq(hash.high, known[i].high);
	}
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("duplicate_filter");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, create_filter, destroy_filter);
	tcase_add_test(tcase, same_time_and_bytes_are_seen_again);
	tcase_add_test(tcase, any_difference_is_another_packet);
	tcase_add_test(tcase, the_last_ones_are_remembered);
	tcase_add_test(tcase, hash_of_known_data);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
