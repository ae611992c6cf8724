// SPDX-License-Identifier: BSD-3-Clause
// Find the members of net_bonding devices: only that driver polls their ports.

#pragma once

#include "config.h"

#include <stdbool.h>
#include <stdint.h>

// Whether a net_bonding device of the configuration names the port as a member. Asks the
// configuration, as the driver takes its members only when it is configured, later than this.
bool nic_bond_has_member(const struct rtap_config *cfg, uint16_t port_id);
