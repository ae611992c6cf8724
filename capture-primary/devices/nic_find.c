// SPDX-License-Identifier: BSD-3-Clause
// Find the ports to capture from.

#include "nic_find.h"

#include "config_schema.h"
#include "device_check.h"
#include "log.h"
#include "memif_buffers.h"
#include "nic_bond.h"
#include "pci_nics.h"
#include "sizing.h"
#include "vdev_args.h"

#include <rte_ethdev.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOG_TYPE "port"

static bool gave_a_port(const char *device) {
	struct rte_dev_iterator iterator;
	uint16_t port_id = RTE_MAX_ETHPORTS;
	char name[RTE_ETH_NAME_MAX_LEN];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	if (rte_eth_iterator_init(&iterator, name) == 0)
		port_id = rte_eth_iterator_next(&iterator);
	if (port_id == RTE_MAX_ETHPORTS)
		return false;
	rte_eth_iterator_cleanup(&iterator);
	return true;
}

// EAL goes on without a device that it cannot use; half a tap must not look like a whole one.
static int check_named_devices(const struct rtap_config *cfg) {
	char place[512];

	for (unsigned int i = 0; i < cfg->devices.nb_items; i++) {
		const char *device = cfg->devices.items[i];

		if (gave_a_port(device))
			continue;
		rtap_config_place(cfg, "devices", place, sizeof(place));
		if (rtap_config_device_is_pci(device))
			LOG(ERR,
			    "%s: %s gave no port, EAL's lines above may say why; NICs of this "
			    "machine: %s; `dpdk-devbind.py --bind=vfio-pci ADDRESS` binds one",
			    place, device, pci_nics_describe());
		else
			LOG(ERR,
			    "%s: %s gave no port, EAL's lines above may say why; check its arguments, "
			    "and that no other program uses what they name",
			    place, device);
		return -ENODEV;
	}
	return 0;
}

static const char *device_of(const struct rtap_config *cfg, const char *port_name) {
	size_t len = strlen(port_name);

	for (unsigned int i = 0; i < cfg->devices.nb_items; i++) {
		const char *device = cfg->devices.items[i];

		if (strncmp(device, port_name, len) == 0 && strchr(",", device[len]) != NULL)
			return device;
	}
	return NULL;
}

// What the configuration's arguments tell of a port.
static void find_device(struct nic_port *port, const struct rtap_config *cfg) {
	const char *device = device_of(cfg, port->name);
	struct memif_buffers memif;
	char value[VDEV_INTERFACE_SIZE];

	if (device == NULL)
		return;
	if (vdev_args_interface(device, value, sizeof(value)) == 0 && *value != '\0')
		interface_watch_find(&port->link.iface, value);
	port->link.own_iface = vdev_args_driver_is(device, "net_tap");
	port->cut_bytes = device_check_cut_bytes(device);
	if (vdev_args_driver_is(device, "net_memif") && memif_buffers_read(&memif, device) == 0) {
		port->reconnect.wanted = !memif.server;
		port->reconnect.device = device;
	}
}

int nic_find_ports(const struct rtap_config *cfg, struct nic_port *ports) {
	uint16_t port_id;
	int nb_ports = 0, rc;

	rc = check_named_devices(cfg);
	if (rc < 0)
		return rc;
	RTE_ETH_FOREACH_DEV(port_id) {
		struct nic_port *port = &ports[nb_ports];
		struct rte_eth_dev_info info;
		int node = rte_eth_dev_socket_id(port_id);

		if (cfg->port_mask != 0 && (port_id >= 64 || (cfg->port_mask >> port_id & 1) == 0))
			continue;
		if (nb_ports == NIC_PORT_MAX || rte_eth_dev_info_get(port_id, &info) != 0
		    || nic_bond_has_member(cfg, port_id))
			continue;
		memset(port, 0, sizeof(*port));
		port->port_id = port_id;
		port->node = node < 0 || node >= RTAP_MAX_NODES ? 0 : (unsigned int)node;
		port->driver = info.driver_name;
		nic_counters_init(&port->counted, port->driver);
		rte_eth_dev_get_name_by_port(port_id, port->name);
		find_device(port, cfg);
		nb_ports++;
	}
	if (nb_ports > 0)
		return nb_ports;
	LOG(ERR,
	    "no ports: EAL found %u, port-mask 0x%" PRIx64 " takes none; NICs of this machine: %s; "
	    "bind one with `dpdk-devbind.py --bind=vfio-pci ADDRESS` and name it under `devices`",
	    rte_eth_dev_count_avail(), cfg->port_mask, pci_nics_describe());
	return -ENODEV;
}
