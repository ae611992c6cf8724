// SPDX-License-Identifier: BSD-3-Clause
// The interface of the kernel that a virtual device captures from (net_af_packet, net_af_xdp, net_pcap,
// net_tap). Their drivers go on as if nothing had happened when it is deleted, as a container's veth is, and
// never find another one of its name.

#pragma once

#include <net/if.h>

enum kernel_interface_state {
	KERNEL_INTERFACE_UP,
	KERNEL_INTERFACE_DOWN,
	KERNEL_INTERFACE_GONE,
	KERNEL_INTERFACE_REPLACED, // gone, and there is another one of its name
};

struct kernel_interface {
	char name[IF_NAMESIZE];
	unsigned int index; // 0 = the device has none
};

// Remember the interface that has this name now, in this process's network namespace. Returns 0 or -ENODEV.
int kernel_interface_find(struct kernel_interface *iface, const char *name);

// One or two ioctls; the name may have changed meanwhile.
enum kernel_interface_state kernel_interface_look(const struct kernel_interface *iface);
