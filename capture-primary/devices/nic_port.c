// SPDX-License-Identifier: BSD-3-Clause
// Configure, start, watch and stop a DPDK port.

#include "nic_port.h"

#include "log.h"
#include "nic_bond.h"
#include "nic_rss.h"
#include "rx_worker.h"

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

// Before it is configured, a device whose arguments make its queues has them already. Only this
// process fills the rings of net_ring.
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
	if (strcmp(port->driver, "net_memif") == 0)
		LOG(NOTICE,
		    "port %u (net_memif): the peer must have as many queues, %u; with fewer the driver "
		    "hands over copies of old frames, with more the link stays down",
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

// The largest MTU that a device takes, at most `mtu`.
static uint32_t limit_mtu(uint32_t mtu, const struct rte_eth_dev_info *info) {
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		overhead = info->max_rx_pktlen - info->max_mtu;
	if (mtu > info->max_mtu)
		mtu = info->max_mtu;
	if (info->max_rx_pktlen > overhead && mtu > info->max_rx_pktlen - overhead)
		mtu = info->max_rx_pktlen - overhead;
	return mtu;
}

// net_bonding names a larger one than its members take, and is refused by them.
static uint32_t limit_mtu_by_members(uint32_t mtu, const struct rtap_config *cfg) {
	struct rte_eth_dev_info info;
	uint16_t port_id;

	RTE_ETH_FOREACH_DEV(port_id) {
		if (nic_bond_has_member(cfg, port_id) && rte_eth_dev_info_get(port_id, &info) == 0)
			mtu = limit_mtu(mtu, &info);
	}
	return mtu;
}

static uint16_t adjust_mtu(
	const struct nic_port *port, const struct rtap_config *cfg,
	const struct rte_eth_dev_info *info
) {
	uint32_t mtu = limit_mtu((uint32_t)cfg->mtu, info);

	if (strcmp(port->driver, "net_bonding") == 0)
		mtu = limit_mtu_by_members(mtu, cfg);
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
	// By the MTU asked for: a device such as net_tap hands over larger frames than it admits
	// to.
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
	if (rc < 0) {
		LOG(ERR, "port %u (%s): does not describe itself: %s", port->port_id, port->name,
		    strerror(-rc));
		return rc;
	}
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
	LOG(NOTICE, "port %u: %s, driver %s, NUMA node %u, %u descriptors per queue, MTU %u%s",
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
