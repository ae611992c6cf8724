// SPDX-License-Identifier: BSD-3-Clause
// Varied Ethernet frames: pick a flow, plan its next frame, build the datagram, wrap it in headers.
//
// What a fragment carries is cut out of the whole datagram, which is built again for each fragment:
// so checksums over a fragmented datagram are right, and nothing is kept between frames but a
// sequence number for each flow.

#include "frame_make.h"

#include "checksum.h"

#include <endian.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_MPLS 0x8847
#define ETHER_BYTES 14
#define IPV4_BYTES 20
#define IPV6_BYTES 40
#define IPV6_FRAGMENT_BYTES 8
#define UDP_BYTES 8
#define TCP_BYTES 20
#define SCTP_BYTES 28 // common header and the header of one DATA chunk
#define ARP_BYTES 28
// Three pieces of this size still make a datagram below 64 KiB.
#define MAX_FRAGMENT_BYTES 21832

enum encapsulation {
	ENCAP_NONE,
	ENCAP_VLAN,
	ENCAP_QINQ,
	ENCAP_MPLS,
};

enum family {
	FAMILY_ANY, // one of the IP versions, by flow
	FAMILY_ARP,
	FAMILY_IPV4,
	FAMILY_IPV6,
};

struct kind {
	const char *name;
	enum encapsulation encap;
	enum family family;
	uint8_t protocol; // 0 = TCP or UDP, by flow
	uint8_t nb_pieces; // fragments of a datagram
	bool runt; // shorter than the wire allows: padded
	bool bad_checksum;
};

static const struct kind all_kinds[] = {
	{"arp", .family = FAMILY_ARP, .nb_pieces = 1},
	{"tcp4", .family = FAMILY_IPV4, .protocol = IPPROTO_TCP, .nb_pieces = 1},
	{"udp4", .family = FAMILY_IPV4, .protocol = IPPROTO_UDP, .nb_pieces = 1},
	{"sctp4", .family = FAMILY_IPV4, .protocol = IPPROTO_SCTP, .nb_pieces = 1},
	{"icmp4", .family = FAMILY_IPV4, .protocol = IPPROTO_ICMP, .nb_pieces = 1},
	{"tcp6", .family = FAMILY_IPV6, .protocol = IPPROTO_TCP, .nb_pieces = 1},
	{"udp6", .family = FAMILY_IPV6, .protocol = IPPROTO_UDP, .nb_pieces = 1},
	{"sctp6", .family = FAMILY_IPV6, .protocol = IPPROTO_SCTP, .nb_pieces = 1},
	{"icmp6", .family = FAMILY_IPV6, .protocol = IPPROTO_ICMPV6, .nb_pieces = 1},
	{"vlan", .encap = ENCAP_VLAN, .nb_pieces = 1},
	{"qinq", .encap = ENCAP_QINQ, .nb_pieces = 1},
	{"mpls", .encap = ENCAP_MPLS, .nb_pieces = 1},
	{"frag4", .family = FAMILY_IPV4, .protocol = IPPROTO_UDP, .nb_pieces = 3},
	{"frag6", .family = FAMILY_IPV6, .protocol = IPPROTO_UDP, .nb_pieces = 3},
	{"runt", .family = FAMILY_IPV4, .protocol = IPPROTO_UDP, .nb_pieces = 1, .runt = true},
	{"badsum", .nb_pieces = 1, .bad_checksum = true},
};

#define NB_ALL_KINDS (sizeof(all_kinds) / sizeof(all_kinds[0]))

struct frame_make {
	struct frame_make_config cfg;
	const struct kind *kinds[NB_ALL_KINDS];
	unsigned int nb_kinds;
	uint64_t nb_frames; // made so far
	uint8_t datagram[UINT16_MAX + 1];
	uint64_t next_sequence[]; // of each flow
};

// What is decided about a frame before its bytes are written.
struct plan {
	const struct kind *kind;
	enum family family; // never FAMILY_ANY
	uint8_t protocol;
	bool bad_ip_checksum, bad_l4_checksum;
	uint32_t flow;
	bool reverse;
	uint64_t sequence; // of the frame in the flow
	uint64_t packet; // of the datagram in the flow: the fragments of one share it
	uint64_t random; // state of the datagram's random numbers
	size_t header_bytes; // before the datagram or its fragment
	size_t piece_bytes; // of the datagram in every frame but the last one
	size_t datagram_bytes;
};

// SplitMix64: the state is a counter, so any state is a good start.
static uint64_t random_next(uint64_t *state) {
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t random_mix(uint64_t a, uint64_t b) {
	uint64_t state = a;

	state = random_next(&state) ^ b;
	return random_next(&state);
}

// A number of low..high.
static size_t random_between(uint64_t *state, size_t low, size_t high) {
	return low + random_next(state) % (high - low + 1);
}

static void random_fill(uint64_t *state, uint8_t *p, size_t len) {
	for (; len >= sizeof(uint64_t); p += sizeof(uint64_t), len -= sizeof(uint64_t)) {
		uint64_t word = htole64(random_next(state)); // the same bytes on every machine

		memcpy(p, &word, sizeof(word));
	}
	for (uint64_t word = random_next(state); len > 0; len--, word >>= 8)
		*p++ = (uint8_t)word;
}

static uint8_t *put_be16(uint8_t *p, uint16_t value) {
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
	return p + 2;
}

static uint8_t *put_be32(uint8_t *p, uint32_t value) {
	return put_be16(put_be16(p, (uint16_t)(value >> 16)), (uint16_t)value);
}

static uint8_t *put_be64(uint8_t *p, uint64_t value) {
	return put_be32(put_be32(p, (uint32_t)(value >> 32)), (uint32_t)value);
}

static uint32_t get_be32(const uint8_t *p) {
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool frame_trailer_read(const void *frame, size_t len, struct frame_trailer *trailer) {
	const uint8_t *p = frame;

	if (len < FRAME_TRAILER_BYTES)
		return false;
	p += len - FRAME_TRAILER_BYTES;
	if (get_be32(p) != FRAME_TRAILER_MAGIC)
		return false;
	trailer->reverse = get_be32(p + 4) >> 31;
	trailer->flow = get_be32(p + 4) & INT32_MAX;
	trailer->sequence = (uint64_t)get_be32(p + 8) << 32 | get_be32(p + 12);
	return true;
}

static void put_trailer(uint8_t *end, const struct plan *plan, uint64_t sequence) {
	uint8_t *p = put_be32(end - FRAME_TRAILER_BYTES, FRAME_TRAILER_MAGIC);

	p = put_be32(p, plan->flow | (uint32_t)plan->reverse << 31);
	put_be64(p, sequence);
}

// Addresses and ports of a flow: `server` 0 or 1 says which of its two ends.
static uint8_t *put_mac(uint8_t *p, const struct plan *plan, bool server) {
	return put_be32(put_be16(p, 0x0200), (uint32_t)server << 24 | plan->flow);
}

static uint8_t *put_ipv4_address(uint8_t *p, const struct plan *plan, bool server) {
	if (!server)
		return put_be32(p, 10u << 24 | plan->flow);
	return put_be32(p, 198u << 24 | 18u << 16 | (plan->flow & 0x1ffff)); // 198.18/15: RFC 2544
}

static uint8_t *put_ipv6_address(uint8_t *p, const struct plan *plan, bool server) {
	p = put_be64(p, UINT64_C(0x20010db800000000) | server); // 2001:db8::/32: RFC 3849
	return put_be64(p, plan->flow + 1);
}

static uint16_t port_of(const struct plan *plan, bool server) {
	static const uint16_t services[] = {53, 80, 443, 5060, 8080, 9092};

	if (server)
		return services[plan->flow % (sizeof(services) / sizeof(services[0]))];
	return (uint16_t)(1024 + random_mix(plan->flow, 1) % (UINT16_MAX - 1024));
}

static size_t l4_header_bytes(uint8_t protocol) {
	switch (protocol) {
	case IPPROTO_TCP:
		return TCP_BYTES;
	case IPPROTO_SCTP:
		return SCTP_BYTES;
	default:
		return UDP_BYTES; // an ICMP echo has as many
	}
}

static size_t header_bytes(const struct plan *plan) {
	static const uint8_t encap_bytes[] = {
		[ENCAP_NONE] = 0, [ENCAP_VLAN] = 4, [ENCAP_QINQ] = 8, [ENCAP_MPLS] = 8};
	size_t bytes = ETHER_BYTES + encap_bytes[plan->kind->encap];

	if (plan->family == FAMILY_IPV4)
		return bytes + IPV4_BYTES;
	return bytes + IPV6_BYTES + (plan->kind->nb_pieces > 1 ? IPV6_FRAGMENT_BYTES : 0);
}

// Length of a frame whose kind needs at least `min` bytes.
static size_t plan_size(const struct frame_make_config *cfg, uint64_t *random, size_t min) {
	size_t small = min + 534 < cfg->max_bytes ? min + 534 : cfg->max_bytes;
	uint64_t choice;

	if (cfg->size != 0)
		return cfg->size > min ? cfg->size : min;
	choice = random_next(random) % 8;
	if (choice < 2)
		return min;
	if (choice < 4)
		return random_between(random, min, small);
	if (choice < 7)
		return random_between(random, min, cfg->max_bytes);
	return cfg->max_bytes;
}

// How the datagram is laid over its frames.
static void plan_lengths(const struct frame_make_config *cfg, struct plan *plan) {
	size_t l4_bytes = l4_header_bytes(plan->protocol);
	size_t min, max_last;

	plan->header_bytes = header_bytes(plan);
	if (plan->kind->runt) {
		plan->piece_bytes = plan->datagram_bytes = l4_bytes;
		return;
	}
	min = plan->header_bytes + l4_bytes + FRAME_TRAILER_BYTES;
	if (min < FRAME_MAKE_MIN_BYTES)
		min = FRAME_MAKE_MIN_BYTES;
	if (plan->kind->nb_pieces > 1) // all pieces but the last one are in units of 8 bytes
		min = plan->header_bytes + ((min - plan->header_bytes + 7) & ~(size_t)7);
	plan->piece_bytes = plan_size(cfg, &plan->random, min) - plan->header_bytes;
	plan->datagram_bytes = plan->piece_bytes;
	if (plan->kind->nb_pieces > 1) {
		if (plan->piece_bytes > MAX_FRAGMENT_BYTES)
			plan->piece_bytes = MAX_FRAGMENT_BYTES;
		max_last = plan->piece_bytes;
		plan->piece_bytes &= ~(size_t)7;
		plan->datagram_bytes = (plan->kind->nb_pieces - 1u) * plan->piece_bytes
			+ random_between(&plan->random, min - plan->header_bytes, max_last);
	}
	if (plan->protocol == IPPROTO_SCTP) // chunks are padded to 4 bytes: leave nothing to pad
		plan->datagram_bytes &= ~(size_t)3;
}

static void plan_next(struct frame_make *fm, struct plan *plan) {
	uint32_t variant, n;

	memset(plan, 0, sizeof(*plan));
	n = (uint32_t)(random_mix(fm->cfg.seed, fm->nb_frames++) % fm->cfg.nb_flows);
	plan->flow = fm->cfg.first_flow + n;
	plan->kind = fm->kinds[plan->flow % fm->nb_kinds];
	variant = plan->flow / fm->nb_kinds; // what the kind leaves open
	plan->family = plan->kind->family;
	if (plan->family == FAMILY_ANY)
		plan->family = variant % 2 == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
	plan->protocol = plan->kind->protocol;
	if (plan->protocol == 0)
		plan->protocol = variant / 2 % 2 == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	if (plan->kind->bad_checksum) { // IPv6 has none of its own
		plan->bad_ip_checksum = plan->family == FAMILY_IPV4 && variant / 4 % 2 == 0;
		plan->bad_l4_checksum = !plan->bad_ip_checksum;
	}
	plan->sequence = fm->next_sequence[n]++;
	plan->packet = plan->sequence / plan->kind->nb_pieces;
	plan->random = random_mix(random_mix(fm->cfg.seed, plan->flow), ~plan->packet);
	plan->reverse = random_next(&plan->random) & 1;
	if (plan->family != FAMILY_ARP)
		plan_lengths(&fm->cfg, plan);
}

static void put_l4_header(uint8_t *p, const struct plan *plan) {
	uint16_t from = port_of(plan, plan->reverse), to = port_of(plan, !plan->reverse);

	if (plan->protocol == IPPROTO_ICMP || plan->protocol == IPPROTO_ICMPV6) {
		// Echo request one way, reply the other.
		p[0] = plan->protocol == IPPROTO_ICMP ? (plan->reverse ? 0 : 8)
						      : 128 + plan->reverse;
		p[1] = 0;
		p = put_be32(p + 2, port_of(plan, false)); // no checksum yet, identifier
		put_be16(p, (uint16_t)plan->packet);
		return;
	}
	p = put_be16(put_be16(p, from), to);
	if (plan->protocol == IPPROTO_UDP) {
		put_be32(p, (uint32_t)plan->datagram_bytes << 16);
	} else if (plan->protocol == IPPROTO_TCP) {
		p = put_be32(put_be32(p, (uint32_t)plan->packet), 1);
		p = put_be32(p, 0x5018ffff); // no options, PSH and ACK, window
		put_be32(p, 0);
	} else { // SCTP: verification tag, no checksum yet; one whole DATA chunk
		p = put_be32(put_be32(p, plan->flow + 1), 0);
		p = put_be32(p, 0x00030000 | (uint32_t)(plan->datagram_bytes - 12));
		p = put_be64(p, plan->packet << 32); // TSN, stream, stream sequence
		put_be32(p, 0);
	}
}

static uint16_t l4_checksum(const struct plan *plan, const uint8_t *datagram) {
	uint8_t pseudo[40], *p = pseudo;

	if (plan->protocol != IPPROTO_ICMP) {
		if (plan->family == FAMILY_IPV4)
			p = put_ipv4_address(put_ipv4_address(p, plan, false), plan, true);
		else
			p = put_ipv6_address(put_ipv6_address(p, plan, false), plan, true);
		p = put_be32(put_be32(p, (uint32_t)plan->datagram_bytes), plan->protocol);
	}
	return checksum_fold(checksum_add(
		checksum_add(0, pseudo, (size_t)(p - pseudo)), datagram, plan->datagram_bytes
	));
}

static void put_l4_checksum(uint8_t *datagram, const struct plan *plan) {
	uint16_t wrong = plan->bad_l4_checksum ? 0x5555 : 0, sum;

	switch (plan->protocol) {
	case IPPROTO_SCTP: {
		uint32_t crc = htole32(checksum_crc32c(datagram, plan->datagram_bytes));

		memcpy(datagram + 8, &crc, sizeof(crc));
		return;
	}
	case IPPROTO_TCP:
		put_be16(datagram + 16, l4_checksum(plan, datagram) ^ wrong);
		return;
	case IPPROTO_UDP:
		sum = l4_checksum(plan, datagram) ^ wrong;
		put_be16(datagram + 6, sum != 0 ? sum : UINT16_MAX); // 0 would mean: none
		return;
	default: // ICMP, ICMPv6
		put_be16(datagram + 2, l4_checksum(plan, datagram));
	}
}

// The whole datagram, with the trailers of all the frames that will carry it.
static void build_datagram(uint8_t *datagram, struct plan *plan) {
	uint64_t first = plan->packet * plan->kind->nb_pieces;

	random_fill(&plan->random, datagram, plan->datagram_bytes);
	put_l4_header(datagram, plan);
	if (!plan->kind->runt) {
		for (unsigned int i = 0; i + 1 < plan->kind->nb_pieces; i++)
			put_trailer(datagram + (i + 1) * plan->piece_bytes, plan, first + i);
		put_trailer(
			datagram + plan->datagram_bytes, plan, first + plan->kind->nb_pieces - 1
		);
	}
	put_l4_checksum(datagram, plan);
}

static uint8_t *put_ethernet(uint8_t *p, const struct plan *plan) {
	uint16_t vlan_id = (uint16_t)(1 + plan->flow % 4094);

	p = put_mac(put_mac(p, plan, !plan->reverse), plan, plan->reverse);
	switch (plan->kind->encap) {
	case ENCAP_QINQ:
		p = put_be16(put_be16(p, ETHERTYPE_QINQ), 0x6000 | vlan_id); // priority 3
		// fall through
	case ENCAP_VLAN:
		p = put_be16(put_be16(p, ETHERTYPE_VLAN), 0xa000 | vlan_id); // priority 5
		break;
	case ENCAP_MPLS: // two labels, and nothing that names what follows
		p = put_be16(p, ETHERTYPE_MPLS);
		p = put_be32(p, (16 + plan->flow % 1000) << 12 | 64);
		return put_be32(p, (16 + plan->flow) << 12 | 0x100 | 64); // bottom of the stack
	case ENCAP_NONE:
		break;
	}
	if (plan->family == FAMILY_ARP)
		return put_be16(p, ETHERTYPE_ARP);
	return put_be16(p, plan->family == FAMILY_IPV4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
}

static uint8_t *
put_ipv4(uint8_t *start, const struct plan *plan, size_t offset, size_t len, bool more) {
	uint8_t *p = put_be32(start, 0x45000000 | (uint32_t)(IPV4_BYTES + len));

	p = put_be16(put_be16(p, (uint16_t)plan->packet), (uint16_t)(more << 13 | offset / 8));
	p = put_be32(p, 64u << 24 | (uint32_t)plan->protocol << 16);
	p = put_ipv4_address(p, plan, plan->reverse);
	p = put_ipv4_address(p, plan, !plan->reverse);
	put_be16(
		start + 10,
		checksum_fold(checksum_add(0, start, IPV4_BYTES))
			^ (plan->bad_ip_checksum ? 0x5555 : 0)
	);
	return p;
}

static uint8_t *
put_ipv6(uint8_t *p, const struct plan *plan, size_t offset, size_t len, bool more) {
	bool fragment = plan->kind->nb_pieces > 1;
	uint8_t next = fragment ? IPPROTO_FRAGMENT : plan->protocol;

	len += fragment ? IPV6_FRAGMENT_BYTES : 0;
	p = put_be32(p, 6u << 28);
	p = put_be32(p, (uint32_t)len << 16 | (uint32_t)next << 8 | 64);
	p = put_ipv6_address(p, plan, plan->reverse);
	p = put_ipv6_address(p, plan, !plan->reverse);
	if (fragment) {
		p = put_be32(p, (uint32_t)plan->protocol << 24 | (uint32_t)offset | more);
		p = put_be32(p, (uint32_t)plan->packet);
	}
	return p;
}

// Both directions unicast, as when a neighbour is confirmed (RFC 1122): a broadcast would have no
// flow.
static size_t build_arp(uint8_t *frame, struct plan *plan) {
	uint8_t *p = put_ethernet(frame, plan);

	p = put_be64(p, UINT64_C(0x0001080006040001) + plan->reverse); // request, reply
	p = put_ipv4_address(put_mac(p, plan, plan->reverse), plan, plan->reverse);
	p = put_ipv4_address(put_mac(p, plan, !plan->reverse), plan, !plan->reverse);
	memset(p, 0, FRAME_MAKE_MIN_BYTES - ETHER_BYTES - ARP_BYTES);
	put_trailer(frame + FRAME_MAKE_MIN_BYTES, plan, plan->sequence);
	return FRAME_MAKE_MIN_BYTES;
}

static size_t build_ip(uint8_t *frame, struct plan *plan, uint8_t *datagram) {
	unsigned int piece = (unsigned int)(plan->sequence % plan->kind->nb_pieces);
	bool more = piece + 1u < plan->kind->nb_pieces;
	size_t offset = piece * plan->piece_bytes;
	size_t len = more ? plan->piece_bytes : plan->datagram_bytes - offset;
	uint8_t *p = put_ethernet(frame, plan);

	if (plan->family == FAMILY_IPV4)
		p = put_ipv4(p, plan, offset, len, more);
	else
		p = put_ipv6(p, plan, offset, len, more);
	build_datagram(datagram, plan);
	memcpy(p, datagram + offset, len);
	p += len;
	if (plan->kind->runt) {
		memset(p, 0, (size_t)(frame + FRAME_MAKE_MIN_BYTES - p));
		p = frame + FRAME_MAKE_MIN_BYTES;
		put_trailer(p, plan, plan->sequence);
	}
	return (size_t)(p - frame);
}

size_t frame_make_next(struct frame_make *fm, uint8_t *buf) {
	struct plan plan;

	plan_next(fm, &plan);
	if (plan.family == FAMILY_ARP)
		return build_arp(buf, &plan);
	return build_ip(buf, &plan, fm->datagram);
}

const char *frame_make_kind_name(unsigned int n) {
	return n < NB_ALL_KINDS ? all_kinds[n].name : NULL;
}

static bool config_is_valid(const struct frame_make_config *cfg) {
	return cfg->nb_flows >= 1 && cfg->first_flow < FRAME_MAKE_MAX_FLOWS
		&& cfg->nb_flows <= FRAME_MAKE_MAX_FLOWS - cfg->first_flow
		&& cfg->max_bytes >= FRAME_MAKE_MIN_MAX_BYTES
		&& cfg->max_bytes <= FRAME_MAKE_MAX_BYTES && cfg->size <= cfg->max_bytes
		&& cfg->kinds >> NB_ALL_KINDS == 0;
}

struct frame_make *frame_make_create(const struct frame_make_config *cfg) {
	struct frame_make *fm;

	if (!config_is_valid(cfg)) {
		errno = EINVAL;
		return NULL;
	}
	fm = calloc(1, sizeof(*fm) + cfg->nb_flows * sizeof(fm->next_sequence[0]));
	if (fm == NULL)
		return NULL;
	fm->cfg = *cfg;
	for (unsigned int n = 0; n < NB_ALL_KINDS; n++)
		if (cfg->kinds == 0 || (cfg->kinds >> n & 1) != 0)
			fm->kinds[fm->nb_kinds++] = &all_kinds[n];
	return fm;
}

void frame_make_destroy(struct frame_make *fm) {
	free(fm);
}
