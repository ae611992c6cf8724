// SPDX-License-Identifier: BSD-3-Clause
// The sizes of net_af_packet's receive ring: what a slot holds, and which ones kernel and driver
// agree on.

#include "af_packet_ring.h"
#include "check_main.h"

#include <check.h>

#include <errno.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof((array)[0]))
#define PAGE 4096

static const struct {
	const char *device;
	int rc;
	const char *key;
	uint32_t frame_bytes, block_bytes, nb_frames;
} rings[] = {
	{"net_af_packet0,iface=x", 0, "", 2048, PAGE, 512},
	{"net_af_packet0,iface=x,framesz=9216,blocksz=36864,framecnt=64", 0, "", 9216, 36864, 64},
	{"net_af_packet0,framesz=9k", -EINVAL, "framesz", 0, 0, 0},
	{"net_af_packet0,framesz=0", -EINVAL, "framesz", 0, 0, 0},
	{"net_af_packet0,blocksz=-1", -EINVAL, "blocksz", 0, 0, 0},
	{"net_af_packet0,framecnt=", -EINVAL, "framecnt", 0, 0, 0},
};

START_TEST(arguments) {
	struct af_packet_ring ring;
	const char *key;

	ck_assert_int_eq(af_packet_ring_read(&ring, rings[_i].device, PAGE, &key), rings[_i].rc);
	if (rings[_i].rc < 0) {
		ck_assert_str_eq(key, rings[_i].key);
		return;
	}
	ck_assert_uint_eq(ring.frame_bytes, rings[_i].frame_bytes);
	ck_assert_uint_eq(ring.block_bytes, rings[_i].block_bytes);
	ck_assert_uint_eq(ring.nb_frames, rings[_i].nb_frames);
}
END_TEST

// By a run: of a frame of 2,000 bytes 1,982 came out of a slot of 2,048.
START_TEST(room) {
	ck_assert_uint_eq(af_packet_ring_room(2048), 1982);
	ck_assert_uint_eq(af_packet_ring_room(66), 0);
	ck_assert_uint_eq(af_packet_ring_room(0), 0);
}
END_TEST

START_TEST(slots_hold_their_frames) {
	for (uint32_t bytes = 1; bytes < 65536; bytes += 7) {
		struct af_packet_ring ring = {
			.frame_bytes = af_packet_ring_slot(bytes), .nb_frames = 512};

		ck_assert_uint_ge(af_packet_ring_room(ring.frame_bytes), bytes);
		ck_assert_uint_lt(af_packet_ring_room(ring.frame_bytes), bytes + 1024);
		ring.block_bytes = af_packet_ring_block(ring.frame_bytes, PAGE);
		ck_assert(af_packet_ring_fits(&ring, PAGE));
		ck_assert_uint_le(
			ring.block_bytes, 4 * ring.frame_bytes > PAGE ? 4 * ring.frame_bytes : PAGE
		);
	}
}
END_TEST

START_TEST(block_is_the_smallest) {
	for (uint32_t bytes = 16; bytes < 20000; bytes += 16) {
		uint32_t block = af_packet_ring_block(bytes, PAGE), smaller = PAGE;

		while (smaller % bytes != 0)
			smaller += PAGE;
		ck_assert_uint_eq(block, smaller);
	}
}
END_TEST

START_TEST(data_room) {
	ck_assert_uint_eq(af_packet_ring_data_room(2048), 2144);
	ck_assert_uint_eq(af_packet_ring_data_room(9216), 9312);
	ck_assert_uint_eq(af_packet_ring_data_room(UINT32_MAX), UINT64_C(4294967391));
	ck_assert_uint_eq(af_packet_ring_slot_of_room(2176), 2048);
	ck_assert_uint_eq(af_packet_ring_slot_of_room(9311), 8192);
	ck_assert_uint_eq(af_packet_ring_slot_of_room(9312), 9216);
}
END_TEST

static const struct {
	struct af_packet_ring ring;
	bool fits;
} together[] = {
	{{2048, PAGE, 512, true, true}, true},
	{{2048, PAGE, 511, true, true}, false}, // a block of half its slots
	{{2040, 2040 * PAGE, 8192, true, true}, false}, // not aligned
	{{9216, 10 * PAGE, 512, true, true}, false}, // a rest after the slots of a block
	{{9216, 9216, 512, true, true}, false}, // a block of no whole pages
	{{9216, 9 * PAGE, 512, true, true}, true},
	{{9216, 0, 512, true, true}, false},
};

START_TEST(fits) {
	ck_assert(af_packet_ring_fits(&together[_i].ring, PAGE) == together[_i].fits);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("af_packet_ring");
	TCase *tcase = tcase_create("af_packet_ring");

	tcase_add_loop_test(tcase, arguments, 0, LENGTH(rings));
	tcase_add_test(tcase, room);
	tcase_add_test(tcase, slots_hold_their_frames);
	tcase_add_test(tcase, block_is_the_smallest);
	tcase_add_test(tcase, data_room);
	tcase_add_loop_test(tcase, fits, 0, LENGTH(together));
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
