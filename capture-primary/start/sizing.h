// SPDX-License-Identifier: BSD-3-Clause
// Compute the memory that an instance needs, from its configuration, its ports and the size of its
// hugepages. Pure: no EAL.
//
// `buffer-memory` bridges the time in which Kafka is slow; all receive queues share it evenly. On
// top come the buffers that the NIC and the lcores hold, so that the writers can never starve the
// NIC.

#pragma once

#include "byte_units.h"
#include "config.h"
#include "fixed_limits.h"

#include <stdint.h>
#include <stdio.h>

#define SIZING_MBUF_BYTES 128 // sizeof(struct rte_mbuf)
#define SIZING_OBJECT_HEADER_BYTES 64 // of a mempool object
#define SIZING_RING_BYTES 512 // a transmit ring without its slots
#define SIZING_CACHE 256 // buffers of a mempool's lcore cache
#define SIZING_EAL_BYTES (24 * RTAP_MIB) // EAL's and the drivers' own objects

struct sizing_node {
	uint32_t nb_ports;
	uint32_t nb_buffers; // of the node's pool, 0 = no port here
	uint64_t pool_bytes; // buffers and the pool's own ring
	uint64_t control_bytes; // shared block and transmit rings
	uint64_t held_bytes; // the receive workers' copies of what is in the rings
	uint64_t socket_mem_mib; // for EAL, whole pages
};

struct sizing {
	uint32_t nb_queues; // of all ports
	uint32_t buffer_bytes; // one mbuf with its data room and headers
	uint32_t queue_budget; // buffers that a queue may have outstanding
	uint32_t ring_size; // power of two; by default a ring holds the queue's whole budget
	uint32_t nb_lcores;
	unsigned int nb_nodes;
	struct sizing_node nodes[RTAP_MAX_NODES];
	uint64_t total_bytes; // hugepages, all nodes
};

// `ports_on_node[n]` ports on NUMA node n, at least one in all; `page_bytes` of the hugepages;
// `nb_lcores` that touch the pools. Returns 0, or -EINVAL when buffer-memory is less than four
// bursts a queue (*least_bytes is what it takes).
int sizing_compute(
	struct sizing *s, const struct rtap_config *cfg, const uint32_t *ports_on_node,
	unsigned int nb_nodes, uint64_t page_bytes, uint32_t nb_lcores, uint64_t *least_bytes
);

// Print the need with its parts, and how long the rings bridge a stalled Kafka.
void sizing_print(const struct sizing *s, const struct rtap_config *cfg, FILE *out);
