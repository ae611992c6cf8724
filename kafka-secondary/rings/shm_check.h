// SPDX-License-Identifier: BSD-3-Clause
// Check that the shared block and its rings are as a primary of our build made them. Transmit
// workers can write to them: no address or index in them is used before it was checked here. Pure:
// works on any memory.

#pragma once

#include "shm_layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rte_ring;

#define SHM_CHECK_CORRUPTED                                                                        \
	"the shared block is corrupted: a transmit worker overwrote it; restart the primary"

struct shm_zone {
	uint64_t start, bytes; // whole pages
};

// The memory of the block and of all rings, as EAL knows it.
struct shm_zones {
	unsigned int nb;
	struct shm_zone zones[RTAP_MAX_ZONES]; // the block is at the start of the first
};

// Copy the block's header and check the copy. Returns 0; -ESRCH when the primary has made no block
// yet, -EPROTO when it is not ours, with the reason and the remedy in `why`.
int shm_check_block(
	struct rtap_shm_header *header, const struct shm_zones *zones, const char *dpdk_version,
	char *why, size_t why_size
);

// Whether an address lies within the zones.
bool shm_check_is_inside(const struct shm_zones *zones, const void *address);

// Whether a ring lies within the zones and is one of `size` slots, single producer, single
// consumer.
bool shm_check_ring(const struct shm_zones *zones, uint32_t size, const struct rte_ring *ring);
