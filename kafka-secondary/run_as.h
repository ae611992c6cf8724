// SPDX-License-Identifier: BSD-3-Clause
// The user that does what needs no root: all that meets Kafka.

#pragma once

#include "config.h"

#include <sys/types.h>

struct run_as {
	const char *name; // NULL = stay who we are
	uid_t uid;
	gid_t gid;
};

// Look up the user of the key `run-as`. `cfg` must outlive *who. 0 or -EINVAL, logged.
int run_as_find(struct run_as *who, const struct rtap_config *cfg);

// Become that user with its groups, for good; nothing when we are not root to begin with. No core dump
// afterwards. Ends what the kernel keeps for an unchanged user only: PR_SET_PDEATHSIG has to be set anew.
// 0 or a negative errno.
int run_as_become(const struct run_as *who);
