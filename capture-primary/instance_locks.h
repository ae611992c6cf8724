// SPDX-License-Identifier: BSD-3-Clause
// One primary an instance, and none before the couriers of an earlier one are gone.

#pragma once

#include "counters.h"
#include "instance.h"

#include <stdbool.h>

// Create the instance's directory, take the primary's lock, then `attached.lock` exclusively. With
// `wait` it waits for couriers of an earlier primary, at most `wait_s` and some seconds more. Both
// locks are held until instance_locks_let_in() or the end of the process.
// Returns -1, or the exit code with the reason (who holds it) logged.
int instance_locks_take(
	const struct rtap_instance *inst, gid_t gid, const uint8_t boot_id[RTAP_BOOT_ID_SIZE],
	bool wait, uint64_t wait_s
);

// The primary is ready: secondaries may take `attached.lock`.
void instance_locks_let_in(void);
