// SPDX-License-Identifier: BSD-3-Clause
// A symmetric software hash of a packet's flow.

#include "flow_hash.h"

#include <endian.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#define ETHERTYPE_QINQ 0x88a8 // 802.1ad
#define ETHERTYPE_QINQ_OLD 0x9100
#define ETHERTYPE_MIN 0x600 // below: an 802.3 length

#define MAX_VLAN_TAGS 3
#define MAX_IPV6_EXTENSIONS 8

#define IPV4_FRAGMENT_MASK 0x3fff // more fragments, offset
#define IPV6_FRAGMENT_MASK 0xfff9 // offset, more fragments

// What a flow is known by. An endpoint is an address with its port.
struct flow {
	uint64_t endpoints[2];
	uint16_t type; // ethertype
	uint8_t protocol;
};

__extension__ typedef unsigned __int128 uint128;

// Both words to 64 bits by a folded multiplication: each bit of one meets each bit of the other.
static inline uint64_t mix(uint64_t a, uint64_t b) {
	uint128 product = (uint128)(a ^ UINT64_C(0x9e3779b97f4a7c15))
		* (b ^ UINT64_C(0xc2b2ae3d27d4eb4f));

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint16_t load_be16(const uint8_t *p) {
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static inline uint32_t load_be32(const uint8_t *p) {
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline uint64_t load_be64(const uint8_t *p) {
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static inline uint64_t load_mac(const uint8_t *p) {
	return (uint64_t)load_be32(p) << 16 | load_be16(p + 4);
}

// Add the ports at `offset` to the endpoints.
static inline void
add_ports(struct flow *flow, const uint8_t *frame, uint32_t len, uint32_t offset) {
	bool has_ports = flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP
		|| flow->protocol == IPPROTO_SCTP;

	if (has_ports && len >= offset + 4) {
		flow->endpoints[0] += load_be16(frame + offset);
		flow->endpoints[1] += load_be16(frame + offset + 2);
	}
}

static inline bool
parse_ipv4(struct flow *flow, const uint8_t *frame, uint32_t len, uint32_t offset) {
	const uint8_t *ip = frame + offset;
	uint32_t header_len;

	if (len < offset + 20 || ip[0] >> 4 != 4)
		return false;
	flow->endpoints[0] = (uint64_t)load_be32(ip + 12) << 16;
	flow->endpoints[1] = (uint64_t)load_be32(ip + 16) << 16;
	flow->protocol = ip[9];

	header_len = (ip[0] & 0xfu) * 4;
	if ((load_be16(ip + 6) & IPV4_FRAGMENT_MASK) == 0 && header_len >= 20)
		add_ports(flow, frame, len, offset + header_len);
	return true;
}

// Walk the extension headers from `offset` to the transport header. False when there is none to
// look at: the packet is a fragment, is cut off, or has more headers than anyone sends.
static inline bool
skip_ipv6_extensions(const uint8_t *frame, uint32_t len, uint8_t *protocol, uint32_t *offset) {
	for (unsigned int i = 0; i < MAX_IPV6_EXTENSIONS; i++) {
		const uint8_t *header = frame + *offset;

		if (*protocol != IPPROTO_HOPOPTS && *protocol != IPPROTO_ROUTING
		    && *protocol != IPPROTO_DSTOPTS && *protocol != IPPROTO_FRAGMENT)
			return true;
		if (len < *offset + 8)
			return false;
		if (*protocol == IPPROTO_FRAGMENT) {
			*protocol = header[0];
			if ((load_be16(header + 2) & IPV6_FRAGMENT_MASK) != 0)
				return false;
			*offset += 8; // a packet in one fragment is whole (RFC 6946)
		} else {
			*protocol = header[0];
			*offset += 8 + header[1] * 8u;
		}
	}
	return false;
}

static inline bool
parse_ipv6(struct flow *flow, const uint8_t *frame, uint32_t len, uint32_t offset) {
	const uint8_t *ip = frame + offset;

	if (len < offset + 40 || ip[0] >> 4 != 6)
		return false;
	flow->endpoints[0] = mix(load_be64(ip + 8), load_be64(ip + 16));
	flow->endpoints[1] = mix(load_be64(ip + 24), load_be64(ip + 32));
	flow->protocol = ip[6];

	offset += 40;
	if (skip_ipv6_extensions(frame, len, &flow->protocol, &offset))
		add_ports(flow, frame, len, offset);
	return true;
}

// The type after the VLAN tags; *offset moves past it. 0 when the frame is cut off.
static inline uint16_t skip_vlan_tags(const uint8_t *frame, uint32_t len, uint32_t *offset) {
	for (unsigned int i = 0; i <= MAX_VLAN_TAGS && len >= *offset + 2; i++) {
		uint16_t type = load_be16(frame + *offset);

		*offset += 2;
		if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ && type != ETHERTYPE_QINQ_OLD)
			return type >= ETHERTYPE_MIN ? type : 0;
		*offset += 2;
	}
	return 0;
}

// The lower endpoint goes first, in whichever direction the packet went.
static inline uint32_t hash_flow(const struct flow *flow) {
	uint64_t a = flow->endpoints[0], b = flow->endpoints[1];
	uint64_t hash = a < b ? mix(a, b) : mix(b, a);

	hash = mix(hash, (uint64_t)flow->type << 8 | flow->protocol);
	return (uint32_t)(hash ^ hash >> 32);
}

uint32_t rtap_flow_hash(const void *frame, uint32_t len) {
	const uint8_t *bytes = frame;
	struct flow flow = {0};
	uint32_t offset = 12;
	bool is_ip = false;

	if (len < offset)
		return hash_flow(&flow);

	flow.type = skip_vlan_tags(bytes, len, &offset);
	if (flow.type == ETHERTYPE_IP)
		is_ip = parse_ipv4(&flow, bytes, len, offset);
	else if (flow.type == ETHERTYPE_IPV6)
		is_ip = parse_ipv6(&flow, bytes, len, offset);
	if (!is_ip) {
		flow.endpoints[0] = load_mac(bytes);
		flow.endpoints[1] = load_mac(bytes + 6);
	}
	return hash_flow(&flow);
}
