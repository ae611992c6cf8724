// SPDX-License-Identifier: BSD-3-Clause
// Check that a net_af_packet device holds the largest frames of its interface.

#pragma once

#include "device_entry.h"
#include "interface.h"

// Add framesz= and blocksz= where they are missing and needed; refuse sizes that are given and too
// small, or that do not fit together. Returns as device_entry.h says.
int af_packet_check(struct device_entry *entry, const char *name, const struct interface *interface);

// Length from which on a frame may have been cut, VLAN tag aside.
uint32_t af_packet_check_cut_bytes(const char *device);
