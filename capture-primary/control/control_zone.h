// SPDX-License-Identifier: BSD-3-Clause
// Create what the primary shares: the block and the transmit rings, on hugepages of their own.

#pragma once

#include "config.h"
#include "counters.h"
#include "rx_worker.h"
#include "shm_layout.h"
#include "sizing.h"

#include <stdint.h>

struct control_zone {
	struct rtap_shm *shm;
	void *address[RTAP_MAX_NODES]; // of the zone on each node, NULL = none
	uint64_t used_bytes[RTAP_MAX_NODES];
	uint64_t bytes[RTAP_MAX_NODES];
	uint32_t nb_rings;
};

// Reserve a zone on each node that has ports and lay out the empty block in the first one.
// Returns 0 or a negative errno, logged.
int control_zone_create(
	struct control_zone *z, const struct sizing *s, const uint8_t boot_id[RTAP_BOOT_ID_SIZE]
);

// Create the named rings of one receive queue on `node`, known to rte_ring_lookup(), and enter them
// into the block. Returns 0, -EINVAL (more rings than the block has room for) or -ENOMEM, logged.
int control_zone_add_queue(
	struct control_zone *z, const struct sizing *s, const struct rtap_config *cfg,
	unsigned int node, struct rx_queue *q
);

// Set the magic number, when the block is complete: secondaries may attach.
void control_zone_publish(struct control_zone *z, int stamp_offset);
