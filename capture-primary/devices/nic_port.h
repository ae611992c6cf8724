// SPDX-License-Identifier: BSD-3-Clause
// Configure, start, watch and stop a DPDK port.

#pragma once

#include "config.h"
#include "counters.h"
#include "nic_counters.h"
#include "nic_link.h"
#include "nic_reconnect.h"

#include <stdbool.h>
#include <stdint.h>

struct rte_mempool;
struct rx_queue;

#define NIC_PORT_MAX 32

struct nic_port {
	uint16_t port_id;
	unsigned int node; // NUMA node; 0 when the device has none
	uint16_t nb_queues;
	uint16_t nb_descriptors; // per queue, after the device's adjustment
	char name[64];
	const char *driver;
	bool symmetric_rss; // the device confirmed key and functions: both directions share a hash
	bool device_clock; // packets may carry the device's own time, in us
	uint64_t device_time_flag;
	int device_time_offset;
	uint64_t nb_kept_buffers; // buffers that its driver does not return at the end
	uint32_t cut_bytes; // length of a packet that the device cut, 0 = it cuts none
	struct nic_link link;
	struct nic_counters counted;
	struct nic_reconnect reconnect;
};

// Configure queues, RSS, MTU, promiscuous mode; set up the queues on `pool`; log what is in force.
// Returns 0 or a negative errno, logged with both the setting and the device's limit.
int nic_port_configure(
	struct nic_port *port, const struct rtap_config *cfg, struct rte_mempool *pool
);

// Start receiving on its `queues`, before they are polled. A link that is down is no error, nor is
// a memif server that is missing: nic_port_update() reports both. Returns 0 or a negative errno,
// logged.
int nic_port_start(struct nic_port *port, struct rx_queue *queues);
void nic_port_stop(struct nic_port *port);

// Copy the driver's counters, check the link, start a device again that lost its peer. Logs link
// changes, and drops once a minute with the remedy. Control thread only. Returns false when only a
// restart of the program can capture from the device again.
bool nic_port_update(
	struct nic_port *port, struct rx_queue *queues, struct rtap_port_counters *counters
);
