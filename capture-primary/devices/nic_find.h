// SPDX-License-Identifier: BSD-3-Clause
// Find the ports to capture from, and apply what the arguments of their devices say.

#pragma once

#include "config.h"
#include "nic_port.h"

// Find the ports that `port-mask` selects, except members of a bonded one; `ports` has room for
// NIC_PORT_MAX. Returns their number, or -ENODEV with the reason logged: a device that gave no
// port, or the NICs of the machine with their drivers, and the remedy.
int nic_find_ports(const struct rtap_config *cfg, struct nic_port *ports);
