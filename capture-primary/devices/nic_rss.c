// SPDX-License-Identifier: BSD-3-Clause
// Configure a port's RSS.

#include "nic_rss.h"

#include "log.h"

#include <rte_ethdev.h>

#include <stdio.h>
#include <string.h>

#define LOG_TYPE "port"

static const struct {
	uint64_t flag;
	const char *name;
} rss_functions[] = {
	{RTE_ETH_RSS_IPV4, "ipv4"},
	{RTE_ETH_RSS_FRAG_IPV4, "ipv4-frag"},
	{RTE_ETH_RSS_NONFRAG_IPV4_TCP, "ipv4-tcp"},
	{RTE_ETH_RSS_NONFRAG_IPV4_UDP, "ipv4-udp"},
	{RTE_ETH_RSS_NONFRAG_IPV4_SCTP, "ipv4-sctp"},
	{RTE_ETH_RSS_NONFRAG_IPV4_OTHER, "ipv4-other"},
	{RTE_ETH_RSS_IPV6, "ipv6"},
	{RTE_ETH_RSS_FRAG_IPV6, "ipv6-frag"},
	{RTE_ETH_RSS_NONFRAG_IPV6_TCP, "ipv6-tcp"},
	{RTE_ETH_RSS_NONFRAG_IPV6_UDP, "ipv6-udp"},
	{RTE_ETH_RSS_NONFRAG_IPV6_SCTP, "ipv6-sctp"},
	{RTE_ETH_RSS_NONFRAG_IPV6_OTHER, "ipv6-other"},
	{RTE_ETH_RSS_IPV6_EX, "ipv6-ex"},
	{RTE_ETH_RSS_IPV6_TCP_EX, "ipv6-tcp-ex"},
	{RTE_ETH_RSS_IPV6_UDP_EX, "ipv6-udp-ex"},
};

// Toeplitz with a key of equal 16-bit words gives both directions the same hash: swapping addresses
// or ports moves the input by a multiple of 16 bits (Woo and Park, "Scalable TCP Session Monitoring
// with Symmetric Receive-side Scaling", 2012).
void nic_rss_symmetric_key(uint8_t *key, uint8_t len) {
	for (uint8_t i = 0; i < len; i++)
		key[i] = i % 2 == 0 ? 0x6d : 0x5a;
}

uint64_t nic_rss_functions(void) {
	return RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;
}

static void describe_functions(uint64_t functions, char *text, size_t size) {
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(rss_functions) / sizeof(rss_functions[0]); i++)
		if ((functions & rss_functions[i].flag) != 0 && len < size)
			len += (size_t)snprintf(
				text + len, size - len, "%s%s", len > 0 ? " " : "",
				rss_functions[i].name
			);
}

// What the device says is in force, not what was asked for.
bool nic_rss_report(uint16_t port_id, uint16_t nb_queues, uint8_t key_len) {
	uint8_t key[NIC_RSS_KEY_MAX] = {0}, wanted[NIC_RSS_KEY_MAX];
	struct rte_eth_rss_conf in_force = {.rss_key = key, .rss_key_len = key_len};
	char functions[256];
	bool symmetric, symmetric_hash;

	if (nb_queues == 1) {
		LOG(NOTICE, "port %u: one receive queue, both directions of a flow meet: yes",
		    port_id);
		return false;
	}
	if (rte_eth_dev_rss_hash_conf_get(port_id, &in_force) != 0) {
		LOG(NOTICE,
		    "port %u: %u receive queues; the device does not say which RSS functions and key "
		    "are in force, both directions of a flow meet: not known",
		    port_id, nb_queues);
		return false;
	}
	nic_rss_symmetric_key(wanted, key_len);
	symmetric = key_len > 0 && memcmp(key, wanted, key_len) == 0;
	symmetric_hash = symmetric && in_force.rss_hf != 0;
	describe_functions(in_force.rss_hf, functions, sizeof(functions));
	LOG(NOTICE,
	    "port %u: %u receive queues; RSS functions in force: %s; key: %s (%u bytes, "
	    "%02x%02x%02x%02x...); both directions of a flow meet: %s",
	    port_id, nb_queues, functions[0] != '\0' ? functions : "none",
	    symmetric ? "symmetric" : "the device's own", key_len, key[0], key[1], key[2], key[3],
	    symmetric_hash ? "yes" : "no");
	return symmetric_hash;
}
