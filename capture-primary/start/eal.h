// SPDX-License-Identifier: BSD-3-Clause
// Plan the primary's hugepage memory, check that it is there, and start EAL.

#pragma once

#include "config.h"
#include "sizing.h"

// Compute the memory need from the configuration and this machine, before any port is known: for
// the devices that are named, else for as many ports as the port mask has bits, else for one.
// Returns 0, or -EINVAL with the reason logged.
int eal_plan(const struct rtap_config *cfg, struct sizing *s);

// Check hugepages and start EAL with the arguments made from the configuration, followed by the
// user's. Returns 0, or a negative errno with the reason and the remedy logged: -EINVAL for the
// configuration, -ENOMEM for hugepages, -ENODEV for a device that EAL does not know.
int eal_start(
	const struct rtap_config *cfg, const struct sizing *s, char *const *user_args,
	unsigned int nb_user_args
);
