// SPDX-License-Identifier: BSD-3-Clause
// For LD_PRELOAD: every port says that it takes at most 512 descriptors. No virtual device has a
// limit within the range of the configuration.

#include <rte_ethdev.h>

#include <dlfcn.h>

int rte_eth_dev_info_get(uint16_t port_id, struct rte_eth_dev_info *info) {
	int (*real)(uint16_t, struct rte_eth_dev_info *);
	int rc;

	*(void **)&real = dlsym(RTLD_NEXT, "rte_eth_dev_info_get");
	rc = real(port_id, info);
	info->rx_desc_lim.nb_max = 512;
	return rc;
}
