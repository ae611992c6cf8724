// SPDX-License-Identifier: BSD-3-Clause
// Watch the kernel interface that a virtual device captures from (net_af_packet, net_af_xdp,
// net_pcap, net_tap). Their drivers carry on without an error when it is deleted, as a container's
// veth is, and never find another one of its name.

#pragma once

#include <net/if.h>

enum interface_watch_state {
	INTERFACE_WATCH_UP,
	INTERFACE_WATCH_DOWN,
	INTERFACE_WATCH_GONE,
	INTERFACE_WATCH_REPLACED, // gone, and there is another one of its name
};

struct interface_watch {
	char name[IF_NAMESIZE];
	unsigned int index; // 0 = the device has none
};

// Remember the interface that has this name now, in this process's network namespace. Returns 0 or
// -ENODEV.
int interface_watch_find(struct interface_watch *iface, const char *name);

// Ask the kernel: a few ioctls, no waiting. A renamed interface is still the same one.
enum interface_watch_state interface_watch_look(const struct interface_watch *iface);
