// SPDX-License-Identifier: BSD-3-Clause
// Drop root: become the user that connects to Kafka.

#pragma once

#include "config.h"

#include <sys/types.h>

struct run_as {
	const char *name; // NULL = the user does not change
	uid_t uid;
	gid_t gid;
};

// Look up the user of the key `run-as`. `cfg` must outlive *who. 0 or -EINVAL, logged.
int run_as_find(struct run_as *who, const struct rtap_config *cfg);

// Become that user with its groups, for good; does nothing when we are not root. Core dumps stay
// off. The kernel clears PR_SET_PDEATHSIG when the user changes: set it again. 0 or a negative
// errno.
int run_as_become(const struct run_as *who);
