// SPDX-License-Identifier: BSD-3-Clause
// Read what the kernel says of an interface, in the network namespace of this process.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interface {
	bool up;
	unsigned int mtu;
	unsigned int nb_queues; // receive queues, 0 when not known
	uint16_t link_type; // ARPHRD_*
	bool merges; // the kernel puts several packets into one frame: GRO, LRO, TSO or GSO is on
};

// Returns 0; -ENODEV when there is no interface of this name; another negative errno.
int interface_read(const char *name, struct interface *interface);

// Whether its frames are Ethernet frames.
bool interface_is_ethernet(const struct interface *interface);

// A link type in words. Returns `buf`.
const char *interface_link_type(uint16_t link_type, char *buf, size_t size);
