// SPDX-License-Identifier: BSD-3-Clause
// Allow one primary per instance, and none before the transmit workers of an earlier one have
// ended.

#pragma once

#include "counters.h"
#include "instance.h"

#include <stdbool.h>

// Create the instance's directory, take `attached.lock` exclusively, then the primary's lock: while
// a transmit worker of an earlier primary holds `attached.lock`, this process must not look like
// its primary. With `wait`, waits for such workers, at most `wait_s` and 5 seconds more.
// `attached.lock` is held until instance_locks_let_in(), the primary's lock until the end of the
// process. Returns 0; -EBUSY when another process holds one of them, or another negative errno,
// with the reason logged.
int instance_locks_take(
	const struct rtap_instance *inst, gid_t gid, const uint8_t boot_id[RTAP_BOOT_ID_SIZE],
	bool wait, uint64_t wait_s
);

// When the primary is ready: say where its hugepages are and release `attached.lock`, so that
// secondaries may attach. Returns 0, or a negative errno that was logged.
int instance_locks_let_in(const struct rtap_instance *inst);
