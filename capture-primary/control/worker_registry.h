// SPDX-License-Identifier: BSD-3-Clause
// Track which transmit worker holds each slot, notice deaths, and assign each ring to a worker.
// Control thread only.

#pragma once

#include "counters.h"
#include "shm_layout.h"

#include <stdbool.h>
#include <stdint.h>

struct worker_registry {
	struct rtap_shm *shm;
	struct rtap_counters *counters;
	int slots_fd; // of the instance's file `slots`
	uint64_t known[RTAP_MAX_SLOTS]; // incarnation alive at each slot, 0 = none
	uint64_t buried[RTAP_MAX_SLOTS]; // the last one that ended there
	uint64_t eligible; // slots whose workers take rings
	int16_t slot_of_ring[RTAP_MAX_RINGS];
	bool quarantined[RTAP_MAX_RINGS]; // already logged
};

void worker_registry_init(
	struct worker_registry *reg, struct rtap_shm *shm, struct rtap_counters *counters,
	int slots_fd
);

// One round: notice workers that joined, left and died, clear the owner words of the dead, reassign
// rings when something changed, publish states. Call it about every 10 ms.
void worker_registry_update(struct worker_registry *reg);

// Number of workers at their slots, in any state.
unsigned int worker_registry_nb_workers(const struct worker_registry *reg);
