// SPDX-License-Identifier: BSD-3-Clause
// The place a worker registers at: taken after the fork, given up by the kernel when the worker
// dies.

#pragma once

#include "counters.h"
#include "shm_layout.h"

#include <stdbool.h>
#include <sys/types.h>

struct worker_slot {
	unsigned int index;
	uint64_t incarnation;
	int lock_fd; // holds the slot's byte; never closed, never inherited
	struct rtap_shm_slot *shared;
};

// Take a free slot and write who we are, state STARTING. `lock_fd` is the instance's file `slots`,
// opened by this process. Returns 0, or -EAGAIN when all slots are taken, or a negative errno.
int worker_slot_claim(
	struct worker_slot *slot, struct rtap_shm *shm, int lock_fd, pid_t supervisor
);

// Whether the slot still says that it is ours. No other worker takes it while we hold its lock.
bool worker_slot_is_intact(const struct worker_slot *slot);

void worker_slot_set_state(struct worker_slot *slot, enum rtap_worker_state state);
void worker_slot_beat(struct worker_slot *slot, uint64_t now_ns);

// Whether the worker of `incarnation` is gone: its slot is unlocked or in other hands.
bool worker_slot_is_dead(const struct rtap_shm *shm, int lock_fd, uint64_t incarnation);
