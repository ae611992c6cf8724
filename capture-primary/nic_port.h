// SPDX-License-Identifier: BSD-3-Clause
// A DPDK port: find it, configure its receive queues and RSS, start, watch, stop.

#pragma once

#include "config.h"
#include "counters.h"

#include <stdbool.h>
#include <stdint.h>

struct rte_mempool;

#define NIC_PORT_MAX 32

// Packets that a device dropped for one reason, for the log.
struct nic_port_drops {
	uint64_t unsaid;
	struct rtap_log_limit limit;
};

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
	bool link_known; // its state was seen
	struct { // what the driver said last
		uint64_t received, received_bytes, missed, errors, no_buffer;
	} last;
	struct nic_port_drops missed, no_buffer;
};

// The ports that EAL found, filtered by `port-mask`. Returns how many, or -ENODEV with the reason
// logged: which NICs of the machine are bound to which driver, and what to do.
int nic_port_find(const struct rtap_config *cfg, struct nic_port *ports);

// Configure queues, RSS, MTU, promiscuous mode; set up the queues on `pool`; log what is in force.
// Returns 0 or a negative errno, logged with both the wish and the device's limit.
int nic_port_configure(
	struct nic_port *port, const struct rtap_config *cfg, struct rte_mempool *pool
);

// Start receiving. A link that is down is no error: nic_port_update_counters() says so.
int nic_port_start(struct nic_port *port);
void nic_port_stop(struct nic_port *port);

// Copy what the driver says into the counters. Logs a change of the link, and drops once a minute with what
// helps. Control thread only.
void nic_port_update_counters(struct nic_port *port, struct rtap_port_counters *counters);
