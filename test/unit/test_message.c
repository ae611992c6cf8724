// SPDX-License-Identifier: BSD-3-Clause
// Tests of a packet's key and partition.

#include "check_main.h"
#include "message.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MAX_RINGS 24
#define MAX_PARTITIONS 80

static const struct {
	uint64_t ns;
	uint8_t key[MESSAGE_KEY_BYTES];
} keys[] = {
	{0, {0, 0, 0, 0, 0, 0, 0, 0}},
	{999, {0, 0, 0, 0, 0, 0, 0, 0}}, // cut, not rounded
	{1000, {0, 0, 0, 0, 0, 0, 0, 1}},
	{1999, {0, 0, 0, 0, 0, 0, 0, 1}},
	{UINT64_C(255000), {0, 0, 0, 0, 0, 0, 0, 0xff}},
	{UINT64_C(256000), {0, 0, 0, 0, 0, 0, 1, 0}},
	// 2023-11-14 22:13:20.123456 UTC
	{UINT64_C(1700000000123456000), {0x00, 0x06, 0x0a, 0x24, 0x18, 0x20, 0x22, 0x40}},
	{UINT64_C(1700000000123456789), {0x00, 0x06, 0x0a, 0x24, 0x18, 0x20, 0x22, 0x40}},
	{UINT64_C(9007199254740992000), {0x00, 0x20, 0, 0, 0, 0, 0, 0}}, // 2^53 us
	{UINT64_C(9007199254740993000), {0x00, 0x20, 0, 0, 0, 0, 0, 1}}, // not a double
	{UINT64_MAX, {0x00, 0x41, 0x89, 0x37, 0x4b, 0xc6, 0xa7, 0xef}},
};

START_TEST(key_bytes) {
	uint8_t key[MESSAGE_KEY_BYTES + 2];

	memset(key, 0xaa, sizeof(key));
	message_key(keys[_i].ns, RTAP_KEY_US, key + 1);
	ck_assert_mem_eq(key + 1, keys[_i].key, MESSAGE_KEY_BYTES);
	ck_assert_uint_eq(key[0], 0xaa);
	ck_assert_uint_eq(key[MESSAGE_KEY_BYTES + 1], 0xaa);
}
END_TEST

START_TEST(key_in_ns) {
	static const uint8_t wanted[] = {0x17, 0x97, 0x9c, 0xfe, 0x3d, 0x79, 0xe4, 0x15};
	uint8_t key[MESSAGE_KEY_BYTES];

	message_key(UINT64_C(0x17979cfe3d79e415), RTAP_KEY_NS, key);
	ck_assert_mem_eq(key, wanted, MESSAGE_KEY_BYTES);
}
END_TEST

static const struct {
	const char *name;
	size_t size;
	uint8_t value[16];
} wanted_headers[MESSAGE_NB_HEADERS] = {
	{"wl", 4, {0x00, 0x01, 0xff, 0xfe}},
	{"if", 10, "tap7:net:0"},
	{"q", 4, {0x03, 0xff, 0x00, 0x0f}},
	{"seq", 8, {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08}},
	{"ts", 8, {0x17, 0x97, 0x9c, 0xfe, 0x3d, 0x79, 0xe4, 0x15}},
};

START_TEST(header_bytes) {
	struct message_origin origin;
	struct message_headers h;
	struct message r = {
		.wire_bytes = 0x1fffe,
		.sequence = UINT64_C(0x0102030405060708),
		.time_ns = UINT64_C(0x17979cfe3d79e415),
		.origin = &origin,
	};
	size_t bytes = 0;

	message_origin_init(&origin, "tap7", "net:0", 1023, 15);
	message_headers(&r, &h);
	for (int i = 0; i < MESSAGE_NB_HEADERS; i++) {
		ck_assert_str_eq(h.items[i].name, wanted_headers[i].name);
		ck_assert_uint_eq(h.items[i].size, wanted_headers[i].size);
		ck_assert_mem_eq(h.items[i].value, wanted_headers[i].value, h.items[i].size);
		bytes += 2 + strlen(h.items[i].name) + h.items[i].size; // as Kafka writes it
	}
	ck_assert_uint_ge(origin.header_bytes, bytes);
	ck_assert_uint_le(origin.header_bytes, bytes + 8);
}
END_TEST

static int32_t member(const struct message_partitions *set, int32_t i) {
	return set->first + set->step * i;
}

// As many partitions as rings, or more: each partition belongs to exactly one ring.
START_TEST(ring_sets_are_disjoint) {
	for (int32_t nb_rings = 1; nb_rings <= MAX_RINGS; nb_rings++) {
		for (int32_t nb = nb_rings; nb <= MAX_PARTITIONS; nb++) {
			int owner[MAX_PARTITIONS] = {0};

			for (int32_t ring = 0; ring < nb_rings; ring++) {
				struct message_partitions set = message_partitions_of_ring(
					RTAP_PARTITIONER_RING, (uint32_t)ring, (uint32_t)nb_rings,
					nb
				);

				ck_assert_int_gt(set.nb, 0);
				for (int32_t i = 0; i < set.nb; i++) {
					ck_assert_int_lt(member(&set, i), nb);
					ck_assert_int_eq(member(&set, i) % nb_rings, ring);
					owner[member(&set, i)]++;
				}
			}
			for (int32_t p = 0; p < nb; p++)
				ck_assert_int_eq(owner[p], 1);
		}
	}
}
END_TEST

// Fewer: each ring has one, and the rings are spread evenly over all of them.
START_TEST(rings_share_too_few_partitions) {
	for (int32_t nb_rings = 2; nb_rings <= MAX_RINGS; nb_rings++) {
		for (int32_t nb = 1; nb < nb_rings; nb++) {
			int rings[MAX_RINGS] = {0};

			for (int32_t ring = 0; ring < nb_rings; ring++) {
				struct message_partitions set = message_partitions_of_ring(
					RTAP_PARTITIONER_RING, (uint32_t)ring, (uint32_t)nb_rings,
					nb
				);

				ck_assert_int_eq(set.nb, 1);
				ck_assert_int_ge(set.first, 0);
				ck_assert_int_lt(set.first, nb);
				rings[set.first]++;
			}
			for (int32_t p = 0; p < nb; p++) {
				ck_assert_int_ge(rings[p], nb_rings / nb);
				ck_assert_int_le(rings[p], nb_rings / nb + 1);
			}
		}
	}
}
END_TEST

START_TEST(flow_and_burst_use_all) {
	const enum rtap_partitioner all[] = {RTAP_PARTITIONER_FLOW, RTAP_PARTITIONER_BURST};

	for (unsigned int i = 0; i < 2; i++) {
		for (uint32_t ring = 0; ring < MAX_RINGS; ring++) {
			struct message_partitions set = message_partitions_of_ring(
				all[i], ring, MAX_RINGS, 12
			);

			ck_assert_int_eq(set.first, 0);
			ck_assert_int_eq(set.step, 1);
			ck_assert_int_eq(set.nb, 12);
		}
	}
}
END_TEST

START_TEST(partitions_not_known_yet) {
	for (int partitioner = RTAP_PARTITIONER_RING; partitioner <= RTAP_PARTITIONER_BURST;
	     partitioner++)
		ck_assert_int_eq(
			message_partitions_of_ring((enum rtap_partitioner)partitioner, 3, 4, 0).nb,
			0
		);
}
END_TEST

static uint32_t hash_of(uint32_t i) {
	const uint32_t edges[] = {0, 1, UINT32_MAX, UINT32_MAX - 1, 0x7fffffff, 0x80000000};

	return i < 6 ? edges[i] : i * UINT32_C(0x9e3779b1);
}

// Every hash leads into the ring's set, and every partition of the set is reached about equally.
START_TEST(partition_of_a_flow) {
	const int32_t counts[] = {1, 3, 4, 16, 61, 1000, 100000};
	const uint32_t nb_hashes = 200000;
	static uint32_t hits[100000];

	for (unsigned int c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		struct message_partitions set = message_partitions_of_ring(
			RTAP_PARTITIONER_RING, 2, 4, counts[c]
		);

		memset(hits, 0, sizeof(hits));
		for (uint32_t i = 0; i < nb_hashes; i++) {
			int32_t p = message_partition(&set, hash_of(i)) - set.first;

			if (p < 0 || p % set.step != 0 || p / set.step >= set.nb)
				ck_abort_msg("hash %u leads out of the set", hash_of(i));
			hits[p / set.step]++;
		}
		for (int32_t i = 0; i < set.nb && set.nb <= 250; i++) {
			ck_assert_uint_gt(hits[i], nb_hashes / (uint32_t)set.nb * 9 / 10);
			ck_assert_uint_lt(hits[i], nb_hashes / (uint32_t)set.nb * 11 / 10);
		}
	}
}
END_TEST

// The low bits have chosen the ring: flows of one ring must still reach all of its partitions.
START_TEST(low_bits_do_not_matter) {
	struct message_partitions set = {.first = 0, .step = 1, .nb = 64};

	for (uint32_t high = 0; high < 64; high++)
		for (uint32_t low = 0; low < 16; low++)
			ck_assert_int_eq(message_partition(&set, high << 26 | low), (int32_t)high);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("record");
	TCase *tc = tcase_create("record");

	tcase_add_loop_test(tc, key_bytes, 0, sizeof(keys) / sizeof(keys[0]));
	tcase_add_test(tc, key_in_ns);
	tcase_add_test(tc, header_bytes);
	tcase_add_test(tc, ring_sets_are_disjoint);
	tcase_add_test(tc, rings_share_too_few_partitions);
	tcase_add_test(tc, flow_and_burst_use_all);
	tcase_add_test(tc, partitions_not_known_yet);
	tcase_add_test(tc, partition_of_a_flow);
	tcase_add_test(tc, low_bits_do_not_matter);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
