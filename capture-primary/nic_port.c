// SPDX-License-Identifier: BSD-3-Clause
// A DPDK port.

#include "nic_port.h"

#include "config_schema.h"
#include "device_check.h"
#include "log.h"
#include "nic_rss.h"
#include "pci_nics.h"
#include "rx_worker.h"
#include "sizing.h"
#include "vdev_args.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define LOG_TYPE "port"

#define VLAN_TAGS_BYTES 8 // two tags beyond the MTU
#define AF_XDP_FILL_RING                                                                           \
	2048 // buffers of a queue, as net_af_xdp makes it, and does not empty at its end

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
			    "%s: %s gave no port, EAL's lines above may say why; needs arguments that "
			    "its driver takes, and what they name free for it",
			    place, device);
		return -ENODEV;
	}
	return 0;
}

static bool is_named(uint16_t port_id, const char *name) {
	uint16_t other;

	return rte_eth_dev_get_port_by_name(name, &other) == 0 && other == port_id;
}

// Members of a bond are polled by its driver. It makes them its own when it is configured, later than this.
static bool is_member_of_bond(const struct rtap_config *cfg, uint16_t port_id) {
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

static const char *device_of(const struct rtap_config *cfg, const char *port_name) {
	size_t len = strlen(port_name);

	for (unsigned int i = 0; i < cfg->devices.nb_items; i++) {
		const char *device = cfg->devices.items[i];

		if (strncmp(device, port_name, len) == 0 && strchr(",", device[len]) != NULL)
			return device;
	}
	return NULL;
}

// It is what it is not told to be; "master" is the older name.
static bool is_memif_client(const char *device) {
	char role[16];

	return vdev_args_driver_is(device, "net_memif")
		&& (vdev_args_get(device, "role", 0, role, sizeof(role)) != 0
		    || (strcmp(role, "server") != 0 && strcmp(role, "master") != 0));
}

// What the configuration's arguments tell of a port.
static void find_device(struct nic_port *port, const struct rtap_config *cfg) {
	char value[VDEV_INTERFACE_SIZE];

	port->device = device_of(cfg, port->name);
	if (port->device == NULL)
		return;
	if (vdev_args_interface(port->device, value, sizeof(value)) == 0 && *value != '\0')
		interface_watch_find(&port->link.iface, value);
	port->link.own_iface = vdev_args_driver_is(port->device, "net_tap");
	port->cut_bytes = device_check_cut_bytes(port->device);
	port->reconnect.wanted = is_memif_client(port->device);
}

int nic_port_find(const struct rtap_config *cfg, struct nic_port *ports) {
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
		    || is_member_of_bond(cfg, port_id))
			continue;
		memset(port, 0, sizeof(*port));
		port->port_id = port_id;
		port->node = node < 0 || node >= SIZING_MAX_NODES ? 0 : (unsigned int)node;
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

// Before it is configured, a device whose arguments make its queues has them already. Nobody but this process
// fills the rings of net_ring.
static int check_made_queues(
	const struct nic_port *port, const struct rtap_config *cfg,
	const struct rte_eth_dev_info *info
) {
	char place[512];

	if (info->nb_rx_queues <= cfg->receive_queues || strcmp(port->driver, "net_ring") == 0)
		return 0;
	LOG(ERR,
	    "%s: %" PRIu64 ", but the arguments of %s make %u receive queues, and the packets of "
	    "the others would be lost; set receive-queues to %u, or change the arguments",
	    rtap_config_place(cfg, "receive-queues", place, sizeof(place)), cfg->receive_queues,
	    port->name, info->nb_rx_queues, info->nb_rx_queues);
	return -EINVAL;
}

static int adjust_queues(
	struct nic_port *port, const struct rtap_config *cfg, const struct rte_eth_dev_info *info
) {
	uint16_t most = info->max_rx_queues < info->max_tx_queues ? info->max_rx_queues
								  : info->max_tx_queues;

	if (cfg->receive_queues > most) {
		LOG(ERR,
		    "port %u (%s): receive-queues is %" PRIu64
		    ", the device's maximum is %u; lower it, or give a virtual device more queues",
		    port->port_id, port->driver, cfg->receive_queues, most);
		return -EINVAL;
	}
	port->nb_queues = (uint16_t)cfg->receive_queues;
	if (cfg->receive_queues > 1 && strcmp(port->driver, "net_memif") == 0)
		LOG(WARNING,
		    "port %u (net_memif): the peer must have %u queues, too; with fewer the driver hands "
		    "over copies of old frames, with more the link does not come up",
		    port->port_id, port->nb_queues);
	return check_made_queues(port, cfg, info);
}

// Some drivers name the size of a standard frame as their largest, and hand over larger ones whole.
static bool limits_frames(const char *driver) {
	static const char *const others[] = {"net_af_packet", "net_memif", "net_tap"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(driver, others[i]) == 0)
			return false;
	return true;
}

// The largest MTU that the device takes, at most the one asked for.
static uint16_t adjust_mtu(
	const struct nic_port *port, const struct rtap_config *cfg,
	const struct rte_eth_dev_info *info
) {
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
	uint32_t mtu = (uint32_t)cfg->mtu;

	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		overhead = info->max_rx_pktlen - info->max_mtu;
	if (mtu > info->max_mtu)
		mtu = info->max_mtu;
	if (info->max_rx_pktlen > overhead && mtu > info->max_rx_pktlen - overhead)
		mtu = info->max_rx_pktlen - overhead;
	if (mtu < cfg->mtu && limits_frames(port->driver))
		LOG(WARNING, "port %u (%s): mtu %" PRIu64 " asked for, the device takes %u",
		    port->port_id, port->driver, cfg->mtu, mtu);
	return (uint16_t)mtu;
}

static void offloads(
	const struct nic_port *port, struct rte_eth_conf *conf, const struct rtap_config *cfg,
	const struct rte_eth_dev_info *info
) {
	uint64_t room = cfg->mbuf_data_room_bytes - RTE_PKTMBUF_HEADROOM;
	// By the MTU asked for: a device such as net_tap hands over larger frames than it admits to.
	uint64_t frame = cfg->mtu + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN + VLAN_TAGS_BYTES;
	// Without RSS, that is with one queue, ethdev refuses the offload of its hash.
	uint64_t wanted = port->nb_queues > 1 ? RTE_ETH_RX_OFFLOAD_RSS_HASH : 0;

	if (frame > room)
		wanted |= RTE_ETH_RX_OFFLOAD_SCATTER;
	conf->rxmode.offloads = wanted & info->rx_offload_capa;
}

static int setup_queues(
	struct nic_port *port, const struct rtap_config *cfg, const struct rte_eth_dev_info *info,
	struct rte_mempool *pool
) {
	uint16_t nb_rx = (uint16_t)cfg->receive_descriptors, nb_tx = info->tx_desc_lim.nb_min;
	unsigned int node = port->node;
	int rc;

	rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->port_id, &nb_rx, &nb_tx);
	if (rc < 0)
		return rc;
	if (nb_rx != cfg->receive_descriptors)
		LOG(WARNING,
		    "port %u (%s): receive-descriptors %" PRIu64
		    " adjusted to %u (device: %u to %u)",
		    port->port_id, port->driver, cfg->receive_descriptors, nb_rx,
		    info->rx_desc_lim.nb_min, info->rx_desc_lim.nb_max);
	port->nb_descriptors = nb_rx;
	for (uint16_t q = 0; q < port->nb_queues; q++) {
		rc = rte_eth_rx_queue_setup(port->port_id, q, nb_rx, node, NULL, pool);
		if (rc == 0)
			rc = rte_eth_tx_queue_setup(port->port_id, q, nb_tx, node, NULL);
		if (rc < 0)
			return rc;
	}
	return 0;
}

// net_pcap is the one driver whose receive time has a known unit: the file's, in us.
static void find_device_clock(struct nic_port *port) {
	int bit;

	if (strcmp(port->driver, "net_pcap") == 0) {
		bit = rte_mbuf_dynflag_lookup(RTE_MBUF_DYNFLAG_RX_TIMESTAMP_NAME, NULL);
		port->device_time_offset = rte_mbuf_dynfield_lookup(
			RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, NULL
		);
		port->device_clock = bit >= 0 && port->device_time_offset >= 0;
		port->device_time_flag = port->device_clock ? UINT64_C(1) << bit : 0;
	}
	LOG(NOTICE, "port %u: capture time: %s", port->port_id,
	    port->device_clock
		    ? "the capture file's, where its packets carry one, else the host's UTC"
		    : "the host's UTC at receive (TSC)");
}

static int configure(
	struct nic_port *port, struct rte_eth_conf *conf, const struct rte_eth_dev_info *info,
	uint8_t *key, uint8_t key_len
) {
	int rc;

	if (port->nb_queues > 1) {
		conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf->rx_adv_conf.rss_conf.rss_hf = nic_rss_functions()
			& info->flow_type_rss_offloads;
		conf->rx_adv_conf.rss_conf.rss_key = key_len > 0 ? key : NULL;
		conf->rx_adv_conf.rss_conf.rss_key_len = key_len;
	}
	// As many transmit queues as receive queues: several drivers know pairs only.
	rc = rte_eth_dev_configure(port->port_id, port->nb_queues, port->nb_queues, conf);
	if (rc < 0 && conf->rx_adv_conf.rss_conf.rss_key != NULL) {
		LOG(WARNING, "port %u (%s): refuses the symmetric RSS key, using its own",
		    port->port_id, port->driver);
		conf->rx_adv_conf.rss_conf.rss_key = NULL;
		rc = rte_eth_dev_configure(port->port_id, port->nb_queues, port->nb_queues, conf);
	}
	return rc;
}

int nic_port_configure(
	struct nic_port *port, const struct rtap_config *cfg, struct rte_mempool *pool
) {
	struct rte_eth_conf conf = {0};
	struct rte_eth_dev_info info;
	uint8_t key[NIC_RSS_KEY_MAX], key_len;
	int rc;

	rc = rte_eth_dev_info_get(port->port_id, &info);
	if (rc == 0)
		rc = adjust_queues(port, cfg, &info);
	if (rc < 0)
		return rc;
	key_len = info.hash_key_size < NIC_RSS_KEY_MAX ? info.hash_key_size : NIC_RSS_KEY_MAX;
	nic_rss_symmetric_key(key, key_len);
	conf.rxmode.mtu = adjust_mtu(port, cfg, &info);
	offloads(port, &conf, cfg, &info);
	rc = configure(port, &conf, &info, key, key_len);
	if (rc == 0)
		rc = setup_queues(port, cfg, &info, pool);
	if (rc < 0) {
		LOG(ERR,
		    "port %u (%s, %s): the device refuses its configuration (%u queues, %" PRIu64
		    " descriptors, MTU %u): %s",
		    port->port_id, port->name, port->driver, port->nb_queues,
		    cfg->receive_descriptors, conf.rxmode.mtu, strerror(-rc));
		return rc;
	}
	LOG(NOTICE, "port %u: %s, driver %s, NUMA node %u, %u descriptors a queue, MTU %u%s",
	    port->port_id, port->name, port->driver, port->node, port->nb_descriptors,
	    conf.rxmode.mtu, cfg->promiscuous ? ", promiscuous" : "");
	port->symmetric_rss = nic_rss_report(port->port_id, port->nb_queues, key_len);
	find_device_clock(port);
	if (strcmp(port->driver, "net_af_xdp") == 0)
		port->nb_kept_buffers = (uint64_t)port->nb_queues * AF_XDP_FILL_RING;
	if (cfg->promiscuous && (rc = rte_eth_promiscuous_enable(port->port_id)) != 0
	    && rc != -ENOTSUP)
		LOG(WARNING, "port %u: no promiscuous mode: %s", port->port_id, strerror(-rc));
	return 0;
}

int nic_port_start(struct nic_port *port, struct rx_queue *queues) {
	int rc;

	rc = nic_reconnect_start(&port->reconnect, port->port_id, queues, port->nb_queues);
	if (rc < 0) {
		LOG(ERR, "port %u (%s): does not start: %s", port->port_id, port->driver,
		    strerror(-rc));
		return rc;
	}
	return 0;
}

void nic_port_stop(struct nic_port *port) {
	rte_eth_dev_stop(port->port_id);
	rte_eth_dev_close(port->port_id);
}

static struct nic_queue_sums sum_up(const struct rx_queue *queues, uint16_t nb_queues) {
	struct nic_queue_sums sums = {.nb_queues = nb_queues};

	for (uint16_t i = 0; i < nb_queues; i++) {
		const struct rtap_queue_counters *c = queues[i].counters;

		sums.received += rtap_counter_get(&c->received);
		sums.malformed += rtap_counter_get(&c->malformed);
		sums.cut += rtap_counter_get(&c->cut);
	}
	return sums;
}

bool nic_port_update(
	struct nic_port *port, struct rx_queue *queues, struct rtap_port_counters *counters
) {
	struct nic_queue_sums sums = sum_up(queues, port->nb_queues);
	struct rte_eth_stats stats;
	bool counted = rte_eth_stats_get(port->port_id, &stats) == 0;

	nic_link_update(&port->link, port->port_id, counters);
	if (port->link.gone) // net_pcap counts each vain poll as an error
		stats.ierrors = port->counted.errors.last;
	if (counted)
		nic_counters_update(&port->counted, port->port_id, &stats, &sums, counters);
	nic_reconnect_update(
		&port->reconnect, port->port_id, rtap_counter_get(&counters->link_up) != 0, queues,
		port->nb_queues
	);
	return !port->link.replaced;
}
