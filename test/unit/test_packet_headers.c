// SPDX-License-Identifier: BSD-3-Clause
// Record headers of packets: what is well-formed is taken, what is not is counted and left out.

#include "check_main.h"
#include "packet_headers.h"

#include <string.h>

static struct packet_headers headers;

static void take(const char *name, const void *value, size_t size) {
	packet_headers_take(&headers, name, value, size);
}

static void setup(void) {
	memset(&headers, 0, sizeof(headers));
}

START_TEST(all_of_them) {
	take("wl", "\x00\x00\x05\xdc", 4);
	take("if", "probe:0000:03:00.0", 18);
	take("q", "\x00\x03\x00\x01", 4);
	take("seq", "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	take("ts", "\x18\xf0\x00\x00\x00\x00\x00\xff", 8);
	ck_assert_uint_eq(headers.wire_len, 1500);
	ck_assert_uint_eq(headers.interface_len, 18);
	ck_assert_mem_eq(headers.interface, "probe:0000:03:00.0", 18);
	ck_assert(headers.has_queue_ring);
	ck_assert_uint_eq(headers.queue_ring, 0x00030001);
	ck_assert_uint_eq(headers.seq, UINT64_C(0x0102030405060708));
	ck_assert_uint_eq(headers.time_ns, UINT64_C(0x18f00000000000ff));
	ck_assert_uint_eq(headers.nb_malformed, 0);
}
END_TEST

START_TEST(others_are_passed_over) {
	take("trace-id", "x", 1);
	take("", "x", 1);
	take("WL", "x", 1);
	take("other", NULL, 0);
	ck_assert_uint_eq(headers.nb_malformed, 0);
}
END_TEST

START_TEST(malformed_is_left_out) {
	static const char zeros[300];
	char text[PACKET_HEADERS_MAX_INTERFACE + 1];

	memset(text, 'a', sizeof(text));
	take("wl", zeros, 3);
	take("wl", zeros, 5);
	take("wl", NULL, 4);
	take("if", "", 0);
	take("if", text, sizeof(text));
	take("if", "a\nb", 3);
	take("if", "a\x7f", 2);
	take("if", "a\0b", 3);
	take("q", zeros, 2);
	take("seq", zeros, 8); // they begin with 1
	take("seq", zeros, 4);
	take("ts", zeros, 0);
	ck_assert_uint_eq(headers.nb_malformed, 12);
	headers.nb_malformed = 0;
	ck_assert(headers.interface == NULL && !headers.has_queue_ring);
	ck_assert(headers.wire_len == 0 && headers.seq == 0 && headers.time_ns == 0);
	take("if", text, PACKET_HEADERS_MAX_INTERFACE);
	ck_assert_uint_eq(headers.interface_len, PACKET_HEADERS_MAX_INTERFACE);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("packet_headers");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, all_of_them);
	tcase_add_test(tcase, others_are_passed_over);
	tcase_add_test(tcase, malformed_is_left_out);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
