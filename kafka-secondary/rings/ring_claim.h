// SPDX-License-Identifier: BSD-3-Clause
// Claim the rings that the primary assigned to this worker, give back the others.

#pragma once

#include "delivery.h"
#include "worker_slot.h"

enum claim_policy {
	CLAIM_ASSIGNED, // what the primary assigned
	CLAIM_ANY, // the primary drains or died: every ring, whichever worker comes first
	CLAIM_NONE, // this worker stops
};

struct ring_claims {
	struct rtap_shm *shm;
	const struct worker_slot *slot;
	struct delivery_context *ctx;
	struct delivery *deliveries; // one for each ring of the instance
	unsigned int nb_owned;
	// Since when a ring waits for another worker and nothing is delivered, 0 = none does.
	uint64_t giving_back_ns;
	uint64_t delivered; // at that time
};

// One round: claim, give back. A ring is given back with an empty window only: the sink still
// reads the frames of what it holds. Returns 0; -ETIMEDOUT when a ring that another worker waits
// for was not emptied and nothing was delivered for longer than the client waits for an answer,
// -ENOMEM, or -EIO when a ring of this worker names another owner: then only the end of this
// process helps.
int ring_claims_update(struct ring_claims *c, enum claim_policy policy);

// Packets in all rings of the instance that are not quarantined, whichever worker owns them.
uint64_t ring_claims_waiting(const struct ring_claims *c);

// Packets in the windows of the rings that this worker owns.
uint64_t ring_claims_in_windows(const struct ring_claims *c);
