// SPDX-License-Identifier: BSD-3-Clause
// Find the members of net_bonding devices.

#include "nic_bond.h"

#include "vdev_args.h"

#include <rte_ethdev.h>

#include <stdio.h>
#include <stdlib.h>

// As net_bonding takes a member: a name, a PCI address without its domain, or the number of a port.
static bool is_named(uint16_t port_id, const char *name) {
	char address[RTE_ETH_NAME_MAX_LEN + 8], *end;
	unsigned long number = strtoul(name, &end, 10);
	uint16_t other;

	if (end != name && *end == '\0')
		return number == port_id;
	if (rte_eth_dev_get_port_by_name(name, &other) == 0)
		return other == port_id;
	snprintf(address, sizeof(address), "0000:%s", name);
	return rte_eth_dev_get_port_by_name(address, &other) == 0 && other == port_id;
}

bool nic_bond_has_member(const struct rtap_config *cfg, uint16_t port_id) {
	static const char *const keys[] = {"slave", "member"}; // DPDK 22.11, 23.11
	char name[RTE_ETH_NAME_MAX_LEN];

	for (unsigned int i = 0; i < cfg->devices.nb_items; i++) {
		const char *device = cfg->devices.items[i];

		if (!vdev_args_driver_is(device, "net_bonding"))
			continue;
		for (unsigned int k = 0; k < 2; k++)
			for (unsigned int n = 0;
			     vdev_args_get(device, keys[k], n, name, sizeof(name)) == 0; n++)
				if (is_named(port_id, name))
					return true;
	}
	return false;
}
