// SPDX-License-Identifier: BSD-3-Clause
// The members of net_bonding devices: ports that are polled by that driver alone.

#pragma once

#include "config.h"

#include <stdbool.h>
#include <stdint.h>

// Whether a net_bonding device of the configuration names the port as a member: its driver polls it. It takes
// its members when it is configured, later than this.
bool nic_bond_has_member(const struct rtap_config *cfg, uint16_t port_id);
