// SPDX-License-Identifier: BSD-3-Clause
// Generated frames: repeatable, all different, ordered in their flows, lengths and checksums right.

#include "check_main.h"
#include "checksum.h"
#include "frame_make.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define NB_FRAMES 20000
#define NB_FLOWS 160

static uint8_t frame[FRAME_MAKE_MAX_BYTES + 1], other[FRAME_MAKE_MAX_BYTES + 1];

static struct frame_make *make(uint32_t kinds, uint32_t max_bytes, uint32_t size) {
	struct frame_make_config cfg = {7, 0, NB_FLOWS, kinds, max_bytes, size};
	struct frame_make *fm = frame_make_create(&cfg);

	ck_assert_ptr_nonnull(fm);
	return fm;
}

static uint32_t kind(const char *name) {
	for (unsigned int n = 0; frame_make_kind_name(n) != NULL; n++)
		if (strcmp(frame_make_kind_name(n), name) == 0)
			return 1u << n;
	ck_abort_msg("no kind %s", name);
}

static uint16_t be16(const uint8_t *p) {
	return (uint16_t)(p[0] << 8 | p[1]);
}

START_TEST(same_seed_same_frames) {
	struct frame_make *a = make(0, 1514, 0), *b = make(0, 1514, 0);

	for (int i = 0; i < 2000; i++) {
		size_t len = frame_make_next(a, frame);

		ck_assert_uint_eq(frame_make_next(b, other), len);
		ck_assert_mem_eq(frame, other, len);
	}
	frame_make_destroy(a);
	frame_make_destroy(b);
}
END_TEST

START_TEST(another_seed_other_frames) {
	struct frame_make_config cfg = {8, 0, NB_FLOWS, 0, 1514, 1000};
	struct frame_make *a = make(0, 1514, 1000), *b = frame_make_create(&cfg);
	int nb_equal = 0;

	for (int i = 0; i < 100; i++) {
		size_t len = frame_make_next(a, frame);

		nb_equal += frame_make_next(b, other) == len && memcmp(frame, other, len) == 0;
	}
	ck_assert_int_eq(nb_equal, 0);
	frame_make_destroy(a);
	frame_make_destroy(b);
}
END_TEST

// Flows of their own: not one frame in common, not even among the shortest, which hold nothing
// random.
START_TEST(other_flows_other_frames) {
	struct frame_make_config cfg = {7, NB_FLOWS, NB_FLOWS, 0, 1514, 60};
	struct frame_make *a = make(0, 1514, 60), *b = frame_make_create(&cfg);
	struct frame_trailer trailer, other_trailer;

	for (int i = 0; i < 1000; i++) {
		size_t len = frame_make_next(a, frame), other_len = frame_make_next(b, other);

		ck_assert(frame_trailer_read(frame, len, &trailer));
		ck_assert(frame_trailer_read(other, other_len, &other_trailer));
		ck_assert_uint_lt(trailer.flow, NB_FLOWS);
		ck_assert_uint_eq(other_trailer.flow, trailer.flow + NB_FLOWS);
	}
	frame_make_destroy(a);
	frame_make_destroy(b);
}
END_TEST

// The trailer counts from 0 without a gap in each flow: so no two frames are equal either.
START_TEST(trailer_counts_in_each_flow) {
	uint64_t next[NB_FLOWS] = {0}, nb_reverse = 0;
	struct frame_make *fm = make(0, 1514, 0);
	struct frame_trailer trailer;

	for (int i = 0; i < NB_FRAMES; i++) {
		size_t len = frame_make_next(fm, frame);

		ck_assert(frame_trailer_read(frame, len, &trailer));
		ck_assert_uint_lt(trailer.flow, NB_FLOWS);
		ck_assert_uint_eq(trailer.sequence, next[trailer.flow]++);
		nb_reverse += trailer.reverse;
	}
	for (int flow = 0; flow < NB_FLOWS; flow++)
		ck_assert_uint_gt(next[flow], 0);
	ck_assert_uint_gt(nb_reverse, NB_FRAMES / 3);
	ck_assert_uint_lt(nb_reverse, NB_FRAMES * 2 / 3);
	frame_make_destroy(fm);
}
END_TEST

START_TEST(trailer_is_not_seen_where_there_is_none) {
	struct frame_trailer trailer;

	memset(frame, 0, 64);
	ck_assert(!frame_trailer_read(frame, 64, &trailer));
	memcpy(frame, (const uint8_t[]){'r', 't', 'a', 'p'}, 4);
	ck_assert(frame_trailer_read(frame, 16, &trailer));
	ck_assert(!frame_trailer_read(frame, 15, &trailer));
	ck_assert(!frame_trailer_read(frame, 0, &trailer));
}
END_TEST

static void check_lengths(uint32_t max_bytes, uint32_t size, size_t min, size_t max) {
	struct frame_make *fm = make(0, max_bytes, size);
	size_t shortest = SIZE_MAX, longest = 0;

	memset(other, 0xa5, sizeof(other));
	for (int i = 0; i < NB_FRAMES; i++) {
		size_t len = frame_make_next(fm, other);

		shortest = len < shortest ? len : shortest;
		longest = len > longest ? len : longest;
		ck_assert_uint_eq(other[max_bytes], 0xa5); // nothing beyond the limit
	}
	ck_assert_uint_eq(shortest, min);
	ck_assert_uint_eq(longest, max);
	frame_make_destroy(fm);
}

START_TEST(lengths_keep_to_the_limits) {
	check_lengths(FRAME_MAKE_MIN_MAX_BYTES, 0, 60, FRAME_MAKE_MIN_MAX_BYTES);
	check_lengths(1514, 0, 60, 1514);
	check_lengths(9014, 0, 60, 9014);
	check_lengths(FRAME_MAKE_MAX_BYTES, 0, 60, FRAME_MAKE_MAX_BYTES);
	check_lengths(1514, 1000, 60, 1000); // ARP and runts stay short
}
END_TEST

// Sum of an IPv4 header, or of a datagram with the pseudo-header of its addresses, protocol,
// length.
static uint16_t
sum_of(const uint8_t *addresses, size_t address_bytes, const uint8_t *l4, size_t len) {
	uint64_t sum = checksum_add(0, addresses, address_bytes);

	return checksum_fold(checksum_add(sum, l4, len));
}

START_TEST(checksums_are_right) {
	struct frame_make *fm = make(kind("tcp4") | kind("udp4") | kind("runt"), 1514, 0);

	for (int i = 0; i < 2000; i++) {
		const uint8_t *ip = frame + 14, *l4 = ip + 20;
		size_t len, frame_len = frame_make_next(fm, frame);
		uint8_t pseudo[12] = {0};

		ck_assert_uint_eq(be16(frame + 12), 0x0800);
		ck_assert_uint_eq(sum_of(ip, 20, NULL, 0), 0);
		ck_assert_uint_le(14u + be16(ip + 2), frame_len);
		len = be16(ip + 2) - 20u;
		memcpy(pseudo, ip + 12, 8);
		pseudo[9] = ip[9];
		pseudo[10] = (uint8_t)(len >> 8);
		pseudo[11] = (uint8_t)len;
		ck_assert_uint_eq(sum_of(pseudo, sizeof(pseudo), l4, len), 0);
	}
	frame_make_destroy(fm);
}
END_TEST

START_TEST(bad_checksums_are_bad) {
	struct frame_make *fm = make(kind("badsum"), 1514, 0);
	int nb_bad_ip = 0, nb_ipv4 = 0;

	for (int i = 0; i < 2000; i++) {
		frame_make_next(fm, frame);
		nb_ipv4 += be16(frame + 12) == 0x0800;
		nb_bad_ip += be16(frame + 12) == 0x0800 && sum_of(frame + 14, 20, NULL, 0) != 0;
	}
	ck_assert_int_gt(nb_bad_ip, nb_ipv4 / 4); // the others have a bad TCP or UDP checksum
	ck_assert_int_lt(nb_bad_ip, nb_ipv4);
	frame_make_destroy(fm);
}
END_TEST

// The fragments of one flow make whole datagrams, whose checksum is right over all of them.
START_TEST(fragments_make_a_datagram) {
	struct frame_make_config cfg = {3, 0, 1, kind("frag4"), 1514, 0};
	struct frame_make *fm = frame_make_create(&cfg);

	ck_assert_ptr_nonnull(fm);
	for (int i = 0; i < 300; i++) {
		uint8_t pseudo[12] = {0};
		size_t len = 0;
		uint16_t id = 0;

		for (int piece = 0; piece < 3; piece++) {
			const uint8_t *ip = frame + 14;
			size_t piece_len;

			frame_make_next(fm, frame);
			piece_len = be16(ip + 2) - 20u;
			ck_assert_uint_eq(be16(ip + 6) & 0x2000, piece < 2 ? 0x2000 : 0);
			ck_assert_uint_eq((be16(ip + 6) & 0x1fffu) * 8, len);
			if (piece > 0) {
				ck_assert_uint_eq(be16(ip + 4), id);
				ck_assert_mem_eq(pseudo, ip + 12, 8);
			}
			id = be16(ip + 4);
			memcpy(pseudo, ip + 12, 8);
			memcpy(other + len, ip + 20, piece_len);
			len += piece_len;
		}
		pseudo[9] = 17;
		pseudo[10] = (uint8_t)(len >> 8);
		pseudo[11] = (uint8_t)len;
		ck_assert_uint_eq(be16(other + 4), len);
		ck_assert_uint_eq(sum_of(pseudo, sizeof(pseudo), other, len), 0);
	}
	frame_make_destroy(fm);
}
END_TEST

START_TEST(tags_are_in_their_order) {
	struct frame_make *fm = make(kind("qinq"), 1514, 0);

	frame_make_next(fm, frame);
	ck_assert_uint_eq(be16(frame + 12), 0x88a8);
	ck_assert_uint_eq(be16(frame + 16), 0x8100);
	ck_assert(be16(frame + 20) == 0x0800 || be16(frame + 20) == 0x86dd);
	frame_make_destroy(fm);
}
END_TEST

START_TEST(both_directions_swap_the_ends) {
	struct frame_make_config cfg = {5, 0, 1, kind("udp4"), 1514, 0};
	struct frame_make *fm = frame_make_create(&cfg);
	struct frame_trailer trailer;
	uint8_t ends[2][24]; // MACs, addresses, ports as sent by either end

	ck_assert_ptr_nonnull(fm);
	for (int i = 0; i < 100; i++) {
		size_t len = frame_make_next(fm, frame);

		ck_assert(frame_trailer_read(frame, len, &trailer));
		memcpy(ends[trailer.reverse], frame, 12);
		memcpy(ends[trailer.reverse] + 12, frame + 26, 12);
	}
	ck_assert_mem_eq(ends[0], ends[1] + 6, 6);
	ck_assert_mem_eq(ends[0] + 6, ends[1], 6);
	ck_assert_mem_eq(ends[0] + 12, ends[1] + 16, 4);
	ck_assert_mem_eq(ends[0] + 16, ends[1] + 12, 4);
	ck_assert_mem_eq(ends[0] + 20, ends[1] + 22, 2);
	ck_assert_mem_eq(ends[0] + 22, ends[1] + 20, 2);
	frame_make_destroy(fm);
}
END_TEST

START_TEST(wrong_configurations_are_refused) {
	static const struct frame_make_config wrong[] = {
		{1, 0, 0, 0, 1514, 0},
		{1, 0, FRAME_MAKE_MAX_FLOWS + 1, 0, 1514, 0},
		{1, 0, 1, 0, FRAME_MAKE_MIN_MAX_BYTES - 1, 0},
		{1, 0, 1, 0, FRAME_MAKE_MAX_BYTES + 1, 0},
		{1, 0, 1, 0, 1514, 1515},
		{1, 0, 1, 1u << 31, 1514, 0},
		{1, FRAME_MAKE_MAX_FLOWS, 1, 0, 1514, 0},
		{1, FRAME_MAKE_MAX_FLOWS - 1, 2, 0, 1514, 0},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		errno = 0;
		ck_assert_ptr_null(frame_make_create(&wrong[i]));
		ck_assert_int_eq(errno, EINVAL);
	}
}
END_TEST

// Known answers: RFC 1071, section 3, and RFC 3720, appendix B.4.
START_TEST(checksums_of_known_data) {
	static const uint8_t rfc1071[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	uint8_t data[32];

	ck_assert_uint_eq(checksum_fold(checksum_add(0, rfc1071, 8)), 0x220d);
	ck_assert_uint_eq(checksum_fold(checksum_add(0, rfc1071, 7)), 0x2304);
	ck_assert_uint_eq(checksum_fold(0), 0xffff);
	memset(data, 0, sizeof(data));
	ck_assert_uint_eq(checksum_crc32c(data, sizeof(data)), 0x8a9136aa);
	for (uint8_t i = 0; i < 32; i++)
		data[i] = i;
	ck_assert_uint_eq(checksum_crc32c(data, sizeof(data)), 0x46dd794e);
	ck_assert_uint_eq(checksum_crc32c(data, 0), 0);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("frame_make");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, same_seed_same_frames);
	tcase_add_test(tcase, another_seed_other_frames);
	tcase_add_test(tcase, other_flows_other_frames);
	tcase_add_test(tcase, trailer_counts_in_each_flow);
	tcase_add_test(tcase, trailer_is_not_seen_where_there_is_none);
	tcase_add_test(tcase, lengths_keep_to_the_limits);
	tcase_add_test(tcase, checksums_are_right);
	tcase_add_test(tcase, bad_checksums_are_bad);
	tcase_add_test(tcase, fragments_make_a_datagram);
	tcase_add_test(tcase, tags_are_in_their_order);
	tcase_add_test(tcase, both_directions_swap_the_ends);
	tcase_add_test(tcase, wrong_configurations_are_refused);
	tcase_add_test(tcase, checksums_of_known_data);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
