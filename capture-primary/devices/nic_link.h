// SPDX-License-Identifier: BSD-3-Clause
// Watch the link of a port: its driver's state and that of the kernel interface under it. Control
// thread only.

#pragma once

#include "counters.h"
#include "interface_watch.h"

#include <stdbool.h>
#include <stdint.h>

struct nic_link {
	bool known; // its state was read once
	struct interface_watch iface; // index 0: there is none
	bool own_iface; // the device made it, and makes it again only when it starts
	bool gone; // the interface was deleted: the device captures nothing until a restart
	bool replaced; // and a restart would capture again
};

// Look at the link, count and log a change.
void nic_link_update(struct nic_link *link, uint16_t port_id, struct rtap_port_counters *counters);
