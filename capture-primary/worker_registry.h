// SPDX-License-Identifier: BSD-3-Clause
// Who is at which slot, who died, and which ring each shall serve. Control thread only.

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
	bool quarantined[RTAP_MAX_RINGS]; // said so already
};

void worker_registry_init(
	struct worker_registry *reg, struct rtap_shm *shm, struct rtap_counters *counters,
	int slots_fd
);

// One round: notice workers that came, left and died, clear the words of the dead, assign rings anew
// when something changed, publish states. Call it every 10 ms or so.
void worker_registry_update(struct worker_registry *reg);

// Workers at their slots, in whatever state.
unsigned int worker_registry_nb_workers(const struct worker_registry *reg);
