// SPDX-License-Identifier: BSD-3-Clause
// A shared block with rings, as a primary leaves it, on any memory; and the names of its words.

#pragma once

#include "patch_lines.h"
#include "shm_layout.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#define BLOCK_RINGS 3
#define BLOCK_RING_SIZE 16
#define BLOCK_RING_BYTES (sizeof(struct rte_ring) + BLOCK_RING_SIZE * sizeof(void *))
#define BLOCK_PAGE 4096
#define BLOCK_BYTES                                                                                \
	((sizeof(struct rtap_shm) + BLOCK_RINGS * BLOCK_RING_BYTES + BLOCK_PAGE - 1) / BLOCK_PAGE  \
	 * BLOCK_PAGE)
#define BLOCK_DPDK_VERSION "DPDK 22.11.11"

extern const struct patch_field block_fields[];
extern const size_t block_nb_fields;

// Fill BLOCK_BYTES at `base`, aligned to a page; the rings are empty.
void block_build(struct rtap_shm *shm);

struct rte_ring *block_ring(struct rtap_shm *shm, unsigned int i);
