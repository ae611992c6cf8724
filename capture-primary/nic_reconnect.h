// SPDX-License-Identifier: BSD-3-Clause
// A device that looks for its peer at its start only: net_memif with role=client. While its link is down it is
// stopped, and started again when its server is there, which is looked for every second. Control thread only.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rx_queue;

struct nic_reconnect {
	bool wanted; // the device is one of those
	const char *device; // its entry in the configuration
	bool started;
	bool pausing; // its receive workers shall leave the queues alone
	uint64_t next_ns; // try again then, monotonic
};

// Start the port for the first time, before its queues are polled. Without a peer its queues are paused.
// Returns 0 or a negative errno.
int nic_reconnect_start(
	struct nic_reconnect *r, uint16_t port_id, struct rx_queue *queues, unsigned int nb_queues
);

// When it is time: pause the queues, and once their receive workers rest, start the port again.
void nic_reconnect_update(
	struct nic_reconnect *r, uint16_t port_id, bool link_up, struct rx_queue *queues,
	unsigned int nb_queues
);
