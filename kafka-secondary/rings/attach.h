// SPDX-License-Identifier: BSD-3-Clause
// Attach to an instance as a DPDK secondary: once, one at a time, before any worker is forked.

#pragma once

#include "config.h"
#include "counters_file.h"
#include "instance.h"
#include "message.h"
#include "shm_check.h"

struct rte_ring;

struct attachment {
	struct rtap_shm *shm; // in the primary's hugepages: for values that change
	struct rtap_shm_header header; // our copy, checked
	struct shm_zones zones;
	struct rte_ring *rings[RTAP_MAX_RINGS];
	struct rtap_counters counters; // mapped for writing
	struct message_origin *origins; // of each ring's packets
	bool eal_started; // EAL has made files for this process: detach()
	int attached_fd; // read lock, which the next primary waits for; workers inherit it
};

// Take the attach gate and the lock `attached.lock`, let EAL attach, look up block and rings, check
// that both sides are of one build and that every address there is inside the zones, leave the
// gate. Returns 0, or a negative errno with the reason and the remedy logged: -ESRCH when the
// instance has no primary that is ready, -EPROTO when it is not of our build or its memory is
// corrupted, -ETIMEDOUT when another secondary stays in the gate, -EIO when EAL does not attach,
// -EINVAL for the configuration. A hung attach ends the process with RTAP_EXIT_ATTACH.
int attach(struct attachment *a, const struct rtap_config *cfg, const struct rtap_instance *inst);
