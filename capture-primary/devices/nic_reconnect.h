// SPDX-License-Identifier: BSD-3-Clause
// Start a device again that looks for its peer only when it starts: net_memif with role=client.
// While its link is down it is stopped; every second, it is started if its server is there. Control
// thread only.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rx_queue;

struct nic_reconnect {
	bool wanted; // the device is such a one
	const char *device; // its entry in the configuration
	bool started;
	bool pausing; // its receive workers must not poll the queues
	uint64_t next_ns; // time of the next attempt, monotonic
};

// Start the port for the first time, before its queues are polled. Without a peer its queues are
// paused. Returns 0 or a negative errno.
int nic_reconnect_start(
	struct nic_reconnect *r, uint16_t port_id, struct rx_queue *queues, unsigned int nb_queues
);

// Once a second while the link is down: pause the queues and, when their receive workers no longer
// poll them, start the port again.
void nic_reconnect_update(
	struct nic_reconnect *r, uint16_t port_id, bool link_up, struct rx_queue *queues,
	unsigned int nb_queues
);
