// SPDX-License-Identifier: BSD-3-Clause
// Link of a port: what its driver says, and what the kernel says of the interface under it. Control thread only.

#pragma once

#include "counters.h"
#include "interface_watch.h"

#include <stdbool.h>
#include <stdint.h>

struct nic_link {
	bool known; // its state was seen
	struct interface_watch iface; // index 0: there is none
	bool own_iface; // the device made it, and makes it again at a start only
	bool gone; // the interface was deleted: the device captures nothing any more
	bool replaced; // and a start would capture again
};

// Look at the link, count and log a change.
void nic_link_update(struct nic_link *link, uint16_t port_id, struct rtap_port_counters *counters);
