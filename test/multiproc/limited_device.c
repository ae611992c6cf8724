// SPDX-License-Identifier: BSD-3-Clause
// For LD_PRELOAD: what no virtual device does. Every port says that it takes at most 512
// descriptors and that it can hand over RSS hashes; and with RTAP_TEST_DROPS=N in the environment
// it drops N packets at each of ten looks at its statistics, which then start from 0 again and show
// 3 more, and 7 for want of a buffer.

#include <rte_ethdev.h>

#include <dlfcn.h>
#include <stdlib.h>

#define LOOKS 10

int rte_eth_dev_info_get(uint16_t port_id, struct rte_eth_dev_info *info) {
	int (*real)(uint16_t, struct rte_eth_dev_info *);
	int rc;

	*(void **)&real = dlsym(RTLD_NEXT, "rte_eth_dev_info_get");
	rc = real(port_id, info);
	info->rx_desc_lim.nb_max = 512;
	info->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_RSS_HASH;
	return rc;
}

int rte_eth_stats_get(uint16_t port_id, struct rte_eth_stats *stats) {
	static uint64_t looks;
	int (*real)(uint16_t, struct rte_eth_stats *);
	const char *drops = getenv("RTAP_TEST_DROPS");
	int rc;

	*(void **)&real = dlsym(RTLD_NEXT, "rte_eth_stats_get");
	rc = real(port_id, stats);
	if (drops == NULL)
		return rc;
	looks++;
	stats->imissed = looks <= LOOKS ? looks * strtoull(drops, NULL, 10) : 3;
	stats->rx_nombuf = looks <= LOOKS ? 0 : 7;
	return rc;
}
