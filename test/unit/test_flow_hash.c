// SPDX-License-Identifier: BSD-3-Clause
// The symmetric flow hash: what belongs together, what does not, even spread, hostile bytes.

#include "check_main.h"
#include "flow_hash.h"

#include <check.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAME 512
#define MAX_TAGS 4

enum kind {
	IPV4,
	IPV6,
	OTHER, // `type` and the MAC addresses alone
};

// All that a frame is built from.
struct packet {
	enum kind kind;
	uint8_t macs[2][6];
	uint8_t addresses[2][16]; // IPv4: the first four bytes
	uint16_t ports[2];
	uint8_t protocol;
	uint16_t type; // OTHER
	unsigned int nb_tags;
	uint16_t tags[MAX_TAGS];
	unsigned int nb_option_words; // IPv4
	unsigned int nb_extensions; // IPv6: destination options
	uint16_t fragment; // the field as IPv4 or IPv6 has it
	bool has_fragment_header; // IPv6
};

struct frame {
	uint8_t bytes[MAX_FRAME];
	uint32_t len;
};

static uint64_t random_state;

static uint64_t random_u64(void) {
	random_state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = random_state;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void random_bytes(void *bytes, size_t len) {
	for (size_t i = 0; i < len; i++)
		((uint8_t *)bytes)[i] = (uint8_t)random_u64();
}

static void put(struct frame *frame, const void *bytes, uint32_t len) {
	memcpy(frame->bytes + frame->len, bytes, len);
	frame->len += len;
}

static void put_be16(struct frame *frame, uint16_t value) {
	put(frame, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_ipv4(struct frame *frame, const struct packet *packet) {
	uint8_t header[20] = {0};

	header[0] = (uint8_t)(0x45 + packet->nb_option_words);
	header[6] = (uint8_t)(packet->fragment >> 8);
	header[7] = (uint8_t)packet->fragment;
	header[8] = (uint8_t)random_u64(); // TTL and checksum are not the flow's
	header[9] = packet->protocol;
	header[10] = (uint8_t)random_u64();
	memcpy(header + 12, packet->addresses[0], 4);
	memcpy(header + 16, packet->addresses[1], 4);
	put(frame, header, sizeof(header));
	for (unsigned int i = 0; i < packet->nb_option_words; i++)
		put(frame, "\1\1\1", 4);
}

static void put_ipv6(struct frame *frame, const struct packet *packet) {
	uint8_t header[40] = {0x60, (uint8_t)random_u64(), (uint8_t)random_u64()};
	uint8_t next = packet->has_fragment_header ? IPPROTO_FRAGMENT : packet->protocol;

	header[6] = packet->nb_extensions > 0 ? IPPROTO_DSTOPTS : next;
	memcpy(header + 8, packet->addresses[0], 16);
	memcpy(header + 24, packet->addresses[1], 16);
	put(frame, header, sizeof(header));
	for (unsigned int i = 1; i <= packet->nb_extensions; i++) {
		uint8_t options[24] = {0}, words = i % 3;

		options[0] = i < packet->nb_extensions ? IPPROTO_DSTOPTS : next;
		options[1] = words;
		put(frame, options, 8u + words * 8u);
	}
	if (packet->has_fragment_header) {
		put_be16(frame, (uint16_t)(packet->protocol << 8));
		put_be16(frame, packet->fragment);
		put(frame, "idid", 4);
	}
}

static struct frame build(const struct packet *packet) {
	static const uint16_t types[] = {[IPV4] = 0x0800, [IPV6] = 0x86dd};
	struct frame frame = {0};
	uint8_t payload[16];

	put(&frame, packet->macs, 12);
	for (unsigned int i = 0; i < packet->nb_tags; i++) {
		put_be16(&frame, packet->tags[i]);
		put_be16(&frame, (uint16_t)random_u64());
	}
	put_be16(&frame, packet->kind == OTHER ? packet->type : types[packet->kind]);
	if (packet->kind == IPV4)
		put_ipv4(&frame, packet);
	if (packet->kind == IPV6)
		put_ipv6(&frame, packet);
	put_be16(&frame, packet->ports[0]);
	put_be16(&frame, packet->ports[1]);
	random_bytes(payload, sizeof(payload));
	put(&frame, payload, sizeof(payload));
	return frame;
}

// From a buffer that ends where the frame ends, at an odd address: for memory checkers.
static uint32_t hash_bytes(const uint8_t *bytes, uint32_t len) {
	uint8_t *copy = malloc(len + 1);
	uint32_t hash;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy + 1, bytes, len);
	hash = rtap_flow_hash(copy + 1, len);
	free(copy);
	return hash;
}

static uint32_t hash_packet(const struct packet *packet) {
	struct frame frame = build(packet);

	return hash_bytes(frame.bytes, frame.len);
}

static struct packet random_packet(enum kind kind, uint8_t protocol) {
	struct packet packet = {.kind = kind, .protocol = protocol, .type = 0x0806};

	random_bytes(packet.macs, sizeof(packet.macs));
	random_bytes(packet.addresses, sizeof(packet.addresses));
	random_bytes(packet.ports, sizeof(packet.ports));
	return packet;
}

static void swap(void *a, void *b, size_t size) {
	uint8_t saved[16];

	memcpy(saved, a, size);
	memcpy(a, b, size);
	memcpy(b, saved, size);
}

static void swap_addresses(struct packet *packet) {
	swap(packet->macs[0], packet->macs[1], 6);
	swap(packet->addresses[0], packet->addresses[1], 16);
}

static void swap_ports(struct packet *packet) {
	swap(&packet->ports[0], &packet->ports[1], 2);
}

static void setup(void) {
	random_state = 1;
}

static const uint8_t with_ports[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
static const uint8_t without_ports[] = {IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_GRE, IPPROTO_ESP};

START_TEST(both_directions_meet) {
	for (unsigned int i = 0; i < 3000; i++) {
		struct packet packet = random_packet(i % 2 ? IPV4 : IPV6, with_ports[i % 3]);
		uint32_t hash = hash_packet(&packet);

		swap_addresses(&packet);
		ck_assert_uint_ne(hash_packet(&packet), hash); // a port belongs to its address
		swap_ports(&packet);
		ck_assert_uint_eq(hash_packet(&packet), hash);
	}
}
END_TEST

START_TEST(both_directions_meet_without_ports) {
	for (unsigned int i = 0; i < 3000; i++) {
		struct packet packet = random_packet(i % 3, without_ports[i % 4]);
		uint32_t hash = hash_packet(&packet);

		random_bytes(packet.ports, sizeof(packet.ports)); // payload here
		swap_addresses(&packet);
		ck_assert_uint_eq(hash_packet(&packet), hash);
	}
}
END_TEST

// A host that talks to itself, and one whose address is the other's: only the ports tell them
// apart.
START_TEST(equal_addresses) {
	for (unsigned int i = 0; i < 100; i++) {
		struct packet packet = random_packet(i % 2 ? IPV4 : IPV6, IPPROTO_TCP);
		uint32_t hash;

		memcpy(packet.addresses[1], packet.addresses[0], 16);
		hash = hash_packet(&packet);
		swap_ports(&packet);
		ck_assert_uint_eq(hash_packet(&packet), hash);
		packet.ports[0]++;
		ck_assert_uint_ne(hash_packet(&packet), hash);
	}
}
END_TEST

START_TEST(every_bit_of_the_flow_counts) {
	for (enum kind kind = IPV4; kind <= IPV6; kind++) {
		struct packet packet = random_packet(kind, IPPROTO_UDP);
		unsigned int nb_bits = kind == IPV4 ? 32 : 128;
		uint32_t hash = hash_packet(&packet);
		struct packet other = packet;

		for (unsigned int bit = 0; bit < 2 * nb_bits; bit++) {
			unsigned int side = bit / nb_bits, byte = bit % nb_bits / 8;

			other = packet;
			other.addresses[side][byte] ^= (uint8_t)(1 << bit % 8);
			ck_assert_uint_ne(hash_packet(&other), hash);
		}
		for (unsigned int bit = 0; bit < 32; bit++) {
			other = packet;
			other.ports[bit / 16] ^= (uint16_t)(1 << bit % 16);
			ck_assert_uint_ne(hash_packet(&other), hash);
		}
		other = packet;
		other.protocol = IPPROTO_TCP;
		ck_assert_uint_ne(hash_packet(&other), hash);
		other = packet;
		random_bytes(other.macs, sizeof(other.macs)); // the way is not the flow
		ck_assert_uint_eq(hash_packet(&other), hash);
	}
}
END_TEST

START_TEST(fragments_stay_together) {
	static const uint16_t ipv4[] = {0x2000, 0x20b9, 0x0172, 0x1fff, 0x6001};
	static const uint16_t ipv6[] = {0x0001, 0x05c9, 0x0b90, 0xfff8, 0x0009};

	for (unsigned int i = 0; i < 3000; i++) {
		struct packet packet = random_packet(i % 2 ? IPV4 : IPV6, with_ports[i % 3]);
		uint32_t whole = hash_packet(&packet), hash;

		packet.has_fragment_header = true;
		packet.fragment = packet.kind == IPV4 ? ipv4[0] : ipv6[0];
		hash = hash_packet(&packet);
		ck_assert_uint_ne(hash, whole);
		for (unsigned int j = 1; j < 5; j++) {
			packet.fragment = packet.kind == IPV4 ? ipv4[j] : ipv6[j];
			random_bytes(packet.ports, sizeof(packet.ports)); // payload here
			ck_assert_uint_eq(hash_packet(&packet), hash);
		}
		swap_addresses(&packet);
		ck_assert_uint_eq(hash_packet(&packet), hash);
	}
}
END_TEST

// "Don't fragment" and a fragment header on a whole packet make no fragment.
START_TEST(whole_packets_are_no_fragments) {
	struct packet packet = random_packet(IPV4, IPPROTO_TCP);
	uint32_t hash = hash_packet(&packet);

	packet.fragment = 0x4000;
	ck_assert_uint_eq(hash_packet(&packet), hash);
	packet.kind = IPV6;
	packet.fragment = 0;
	hash = hash_packet(&packet);
	packet.has_fragment_header = true;
	packet.fragment = 0x0006; // reserved bits
	ck_assert_uint_eq(hash_packet(&packet), hash);
}
END_TEST

START_TEST(vlan_tags_do_not_count) {
	static const uint16_t types[] = {0x8100, 0x88a8, 0x9100};

	for (unsigned int i = 0; i < 3000; i++) {
		struct packet packet = random_packet(i % 3, with_ports[i % 2]);
		uint32_t hash = hash_packet(&packet);

		for (unsigned int j = 0; j < MAX_TAGS; j++)
			packet.tags[j] = types[random_u64() % 3];
		for (packet.nb_tags = 1; packet.nb_tags < MAX_TAGS; packet.nb_tags++)
			ck_assert_uint_eq(hash_packet(&packet), hash);
		hash_packet(&packet); // one tag too many: any value will do
	}
}
END_TEST

START_TEST(options_and_extensions_do_not_count) {
	struct packet packet = random_packet(IPV4, IPPROTO_TCP);
	uint32_t hash = hash_packet(&packet);

	for (packet.nb_option_words = 1; packet.nb_option_words <= 10; packet.nb_option_words++)
		ck_assert_uint_eq(hash_packet(&packet), hash);
	packet = random_packet(IPV6, IPPROTO_UDP);
	hash = hash_packet(&packet);
	for (packet.nb_extensions = 1; packet.nb_extensions < 8; packet.nb_extensions++)
		ck_assert_uint_eq(hash_packet(&packet), hash);
	// The walk is bounded.
	packet.nb_extensions = 9;
	ck_assert_uint_ne(hash_packet(&packet), hash);
}
END_TEST

// Each kind of extension header is walked, the fragment header among them.
START_TEST(ipv6_extension_kinds) {
	static const uint8_t kinds[] = {IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS};
	struct packet packet = random_packet(IPV6, IPPROTO_SCTP);
	uint32_t hash = hash_packet(&packet), fragment_hash;

	packet.nb_extensions = 1;
	for (unsigned int i = 0; i < 3; i++) {
		struct frame frame = build(&packet);

		frame.bytes[14 + 6] = kinds[i];
		ck_assert_uint_eq(hash_bytes(frame.bytes, frame.len), hash);
	}
	packet.has_fragment_header = true;
	packet.fragment = 0x05c9;
	fragment_hash = hash_packet(&packet);
	ck_assert_uint_ne(fragment_hash, hash);
	packet.nb_extensions = 0;
	ck_assert_uint_eq(hash_packet(&packet), fragment_hash);
}
END_TEST

START_TEST(not_ip_goes_by_macs_and_type) {
	static const uint16_t types[] = {0x0806, 0x8847, 0x8848, 0x88cc, 0x8864};
	struct packet packet = random_packet(OTHER, 0);
	uint32_t hashes[5];

	for (unsigned int i = 0; i < 5; i++) {
		packet.type = types[i];
		hashes[i] = hash_packet(&packet);
		random_bytes(packet.ports, sizeof(packet.ports)); // labels of MPLS
		ck_assert_uint_eq(hash_packet(&packet), hashes[i]);
		for (unsigned int j = 0; j < i; j++)
			ck_assert_uint_ne(hashes[i], hashes[j]);
	}
	for (unsigned int bit = 0; bit < 96; bit++) {
		struct packet other = packet;

		other.macs[bit / 48][bit % 48 / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_uint_ne(hash_packet(&other), hashes[4]);
	}
	// The length of an 802.3 frame is not a type.
	packet.type = 38;
	hashes[0] = hash_packet(&packet);
	packet.type = 0x5ff;
	ck_assert_uint_eq(hash_packet(&packet), hashes[0]);
}
END_TEST

// What says that it is IP and is not.
START_TEST(broken_ip_goes_by_macs_and_type) {
	for (enum kind kind = IPV4; kind <= IPV6; kind++) {
		struct packet packet = random_packet(kind, IPPROTO_TCP);
		struct frame frame = build(&packet);
		uint32_t hash = hash_bytes(frame.bytes, 14);

		frame.bytes[14] = kind == IPV4 ? 0x65 : 0x45;
		ck_assert_uint_eq(hash_bytes(frame.bytes, frame.len), hash);
		frame.bytes[0] ^= 1;
		ck_assert_uint_ne(hash_bytes(frame.bytes, frame.len), hash);
	}
}
END_TEST

START_TEST(short_ipv4_header_has_no_ports) {
	struct packet packet = random_packet(IPV4, IPPROTO_TCP);
	struct frame frame = build(&packet);
	uint32_t hash;

	frame.bytes[14] = 0x44;
	hash = hash_bytes(frame.bytes, frame.len);
	swap_addresses(&packet);
	random_bytes(packet.ports, sizeof(packet.ports));
	frame = build(&packet);
	frame.bytes[14] = 0x44;
	ck_assert_uint_eq(hash_bytes(frame.bytes, frame.len), hash);
	frame.bytes[14 + 19] ^= 1; // an address
	ck_assert_uint_ne(hash_bytes(frame.bytes, frame.len), hash);
}
END_TEST

// Cut anywhere: by all that is there, and no byte beyond it.
START_TEST(truncated) {
	for (unsigned int i = 0; i < 60; i++) {
		struct packet packet = random_packet(i % 3, with_ports[i % 2]);
		uint32_t hash, ports_end;
		struct frame frame;

		packet.nb_tags = i % 4;
		for (unsigned int j = 0; j < MAX_TAGS; j++)
			packet.tags[j] = 0x8100;
		packet.nb_option_words = i % 5;
		packet.nb_extensions = i % 7;
		packet.has_fragment_header = i % 2;
		frame = build(&packet);
		hash = hash_bytes(frame.bytes, frame.len);
		ports_end = frame.len - 16;
		for (uint32_t len = 0; len <= frame.len; len++) {
			uint32_t cut_hash = hash_bytes(frame.bytes, len);

			if (len >= ports_end)
				ck_assert_uint_eq(cut_hash, hash);
			if (len < 12)
				ck_assert_uint_eq(cut_hash, hash_bytes(frame.bytes, 0));
			else if (packet.kind != OTHER && len < ports_end)
				ck_assert_uint_ne(cut_hash, hash);
		}
	}
}
END_TEST

START_TEST(any_bytes) {
	static const uint16_t types[] = {0x0800, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x8847};
	static const uint8_t nexts[] = {0, 6, 17, 43, 44, 60, 132};

	for (unsigned int i = 0; i < 300000; i++) {
		uint32_t len = (uint32_t)(random_u64() % 128);
		struct frame frame = {0};

		random_bytes(frame.bytes, len);
		if (i % 4 != 0) {
			frame.len = 12;
			put_be16(&frame, types[random_u64() % 6]);
			frame.bytes[14] = (uint8_t)(i % 4 == 1 ? 0x40 + i % 16 : 0x60);
			frame.bytes[14 + 6] = nexts[random_u64() % 7];
			frame.bytes[14 + 40] = nexts[random_u64() % 7];
			frame.bytes[14 + 41] &= 3;
		}
		hash_bytes(frame.bytes, len);
	}
	for (unsigned int byte = 0; byte < 256; byte++) {
		uint8_t same[MAX_FRAME];

		memset(same, (int)byte, sizeof(same));
		for (uint32_t len = 0; len < 100; len++)
			hash_bytes(same, len);
	}
	// A hash of a length is not asked of a frame that is not there.
	rtap_flow_hash("", 0);
}
END_TEST

// Sequential flows, the worst that real networks offer.
enum sequence {
	PORTS,
	ADDRESSES,
	PORTS_AND_ADDRESSES,
	SUBNETS,
	NB_SEQUENCES,
};

#define NB_FLOWS 65536
#define NB_BUCKETS 16

static struct packet sequential_packet(enum kind kind, enum sequence sequence, unsigned int i) {
	struct packet packet = {
		.kind = kind,
		.protocol = IPPROTO_TCP,
		.addresses = {{10, 0, 0, 1}, {192, 168, 1, 1}},
		.macs = {{2, 0, 0, 0, 0, 1}, {2}},
		.ports = {40000, 443},
		.type = 0x0806,
	};
	unsigned int last = kind == IPV4 ? 3 : 15;
	uint8_t high = (uint8_t)(i >> 8), low = (uint8_t)i;

	if (sequence == PORTS)
		packet.ports[0] = (uint16_t)i;
	if (sequence == PORTS_AND_ADDRESSES)
		packet.ports[0] = packet.ports[1] = high;
	if (sequence == ADDRESSES)
		packet.addresses[0][last - 1] = high;
	if (sequence == ADDRESSES || sequence == PORTS_AND_ADDRESSES)
		packet.addresses[0][last] = low;
	if (sequence == SUBNETS) {
		packet.addresses[1][0] = low;
		packet.addresses[0][1] = high;
	}
	packet.macs[1][4] = high;
	packet.macs[1][5] = low;
	return packet;
}

// 15 degrees of freedom: above 45 once in 10,000 times for a perfect hash.
static double chi_square(const unsigned int *buckets) {
	double expected = (double)NB_FLOWS / NB_BUCKETS, sum = 0;

	for (unsigned int i = 0; i < NB_BUCKETS; i++) {
		double difference = buckets[i] - expected;
		sum += difference * difference / expected;
	}
	return sum;
}

static int compare_u32(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

START_TEST(even_spread) {
	enum kind kind = (enum kind)(_i / NB_SEQUENCES);
	unsigned int low[NB_BUCKETS] = {0}, middle[NB_BUCKETS] = {0}, high[NB_BUCKETS] = {0};
	unsigned int nb_equal = 0;
	uint32_t *hashes = calloc(NB_FLOWS, sizeof(*hashes));

	ck_assert_ptr_nonnull(hashes);
	for (unsigned int i = 0; i < NB_FLOWS; i++) {
		struct packet packet = sequential_packet(kind, _i % NB_SEQUENCES, i);
		struct frame frame = build(&packet);

		hashes[i] = rtap_flow_hash(frame.bytes, frame.len);
		low[hashes[i] % NB_BUCKETS]++;
		middle[hashes[i] >> 14 & (NB_BUCKETS - 1)]++;
		high[hashes[i] >> 28]++;
	}
	ck_assert_double_lt(chi_square(low), 45);
	ck_assert_double_lt(chi_square(middle), 45);
	ck_assert_double_lt(chi_square(high), 45);

	qsort(hashes, NB_FLOWS, sizeof(*hashes), compare_u32);
	for (unsigned int i = 1; i < NB_FLOWS; i++)
		nb_equal += hashes[i] == hashes[i - 1];
	free(hashes);
	ck_assert_uint_lt(nb_equal, 6); // 0.5 are expected
}
END_TEST

// The value is a contract too: secondaries of two versions must agree on a flow's partition.
START_TEST(same_on_every_machine) {
	struct packet packet = sequential_packet(IPV4, PORTS, 1);

	ck_assert_uint_eq(hash_packet(&packet), 0xac398e0c);
	packet.kind = IPV6;
	ck_assert_uint_eq(hash_packet(&packet), 0x0301b7a4);
	packet.kind = OTHER;
	ck_assert_uint_eq(hash_packet(&packet), 0x8dd048e9);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("flow_hash");
	TCase *tcase = tcase_create("flow_hash");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, both_directions_meet);
	tcase_add_test(tcase, both_directions_meet_without_ports);
	tcase_add_test(tcase, equal_addresses);
	tcase_add_test(tcase, every_bit_of_the_flow_counts);
	tcase_add_test(tcase, fragments_stay_together);
	tcase_add_test(tcase, whole_packets_are_no_fragments);
	tcase_add_test(tcase, vlan_tags_do_not_count);
	tcase_add_test(tcase, options_and_extensions_do_not_count);
	tcase_add_test(tcase, ipv6_extension_kinds);
	tcase_add_test(tcase, not_ip_goes_by_macs_and_type);
	tcase_add_test(tcase, broken_ip_goes_by_macs_and_type);
	tcase_add_test(tcase, short_ipv4_header_has_no_ports);
	tcase_add_test(tcase, truncated);
	tcase_add_test(tcase, any_bytes);
	tcase_add_loop_test(tcase, even_spread, 0, 2 * NB_SEQUENCES + 1);
	tcase_add_test(tcase, same_on_every_machine);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
