// SPDX-License-Identifier: BSD-3-Clause
// The ports that EAL found, and what the configuration's arguments tell of them.

#pragma once

#include "config.h"
#include "nic_port.h"

// The ports that `port-mask` takes, without the members of a bonded one; `ports` has room for NIC_PORT_MAX.
// Returns how many, or -ENODEV with the reason logged: a device that gave none, or which NICs of the machine are
// bound to which driver, and what to do.
int nic_find_ports(const struct rtap_config *cfg, struct nic_port *ports);
