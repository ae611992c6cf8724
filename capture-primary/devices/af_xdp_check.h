// SPDX-License-Identifier: BSD-3-Clause
// Check that a net_af_xdp device gets all frames of its interface, and uncut.

#pragma once

#include "device_entry.h"
#include "interface.h"

// Compare the device with the queues and the MTU of its interface. Returns as device_entry.h says.
int af_xdp_check(const struct device_entry *entry, const char *name, const struct interface *interface);
