// SPDX-License-Identifier: BSD-3-Clause
// Whether the shared block and its rings are what a primary of our build left there. Couriers can write to
// them: nothing there is followed that was not checked here. Pure: works on any memory.

#pragma once

#include "shm_layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rte_ring;

#define SHM_CHECK_CORRUPTED                                                                        \
	"the shared block is corrupted: a courier wrote where it must not; restart the primary"

struct control_zone {
	uint64_t start, bytes; // whole pages
};

// The memory of the block and of all rings, as EAL knows it.
struct control_zones {
	unsigned int nb;
	struct control_zone zones[RTAP_MAX_ZONES]; // the block is at the start of the first
};

// Copy the block's header and check the copy. Returns -1, or the exit code to leave with and what to say
// in `why`: what is wrong and the remedy.
int shm_check_block(
	struct rtap_shm_header *header, const struct control_zones *zones, const char *dpdk_version,
	char *why, size_t why_size
);

// Whether an address lies within the zones.
bool shm_check_is_inside(const struct control_zones *zones, const void *address);

// Whether a ring lies within the zones and is one of `size` slots, single producer, single consumer.
bool shm_check_ring(const struct control_zones *zones, uint32_t size, const struct rte_ring *ring);
