// SPDX-License-Identifier: BSD-3-Clause
// Hold everything that a running primary consists of; create and destroy it once EAL is up.

#pragma once

#include "clock.h"
#include "config.h"
#include "control_zone.h"
#include "counters_file.h"
#include "instance.h"
#include "nic_port.h"
#include "rx_worker.h"
#include "sizing.h"
#include "worker_registry.h"

struct rte_mempool;

struct capture {
	const struct rtap_config *cfg;
	const struct rtap_instance *inst;
	struct sizing sizing;
	struct rte_mempool *pools[RTAP_MAX_NODES]; // by NUMA node
	struct control_zone zone;
	struct rtap_counters counters;
	struct rtap_clock clock;
	struct nic_port ports[NIC_PORT_MAX];
	unsigned int nb_ports;
	struct rx_queue *queues; // of all ports
	unsigned int nb_queues;
	const struct capture_filter *filter; // NULL = every packet
	struct rx_worker *workers;
	unsigned int nb_workers;
	struct worker_registry registry;
	int slots_fd;
	enum rtap_instance_state state;
	bool device_replaced; // a device captures again only after a restart
};

// Find and configure the ports, create pools, rings, shared block and counters file, start the
// ports, launch the receive workers on EAL's lcores, freeze memory. Afterwards nothing is
// allocated. Returns 0, or a negative errno with the reason logged: -EINVAL for the configuration,
// -ENODEV for no usable port, -ENOMEM for hugepages, -EIO for a port that refuses its
// configuration.
int capture_create(
	struct capture *cap, const struct rtap_config *cfg, const struct rtap_instance *inst,
	const struct capture_filter *filter, const uint8_t boot_id[RTAP_BOOT_ID_SIZE], gid_t gid
);

// Update every port's counters and link: nic_port_update(). Control thread only.
void capture_update_ports(struct capture *cap);

// Set the phase of all receive workers and wait until each has obeyed: after RX_RECLAIM everything
// that was received is on the rings and counted, after RX_EXIT the workers have ended.
void capture_set_phase(struct capture *cap, enum rx_phase phase);
void capture_set_state(struct capture *cap, enum rtap_instance_state state);

// Count the buffers that are still on rings.
uint64_t capture_outstanding(const struct capture *cap);

// Count the buffers that are in their pools, and all buffers.
void capture_count_buffers(const struct capture *cap, uint64_t *nb_free, uint64_t *nb_all);

// End the receive workers, stop the ports, and log whether every buffer came back except those on
// the rings. Ends the process when a device does not close within some seconds. Exit right after
// it.
void capture_destroy(struct capture *cap);
