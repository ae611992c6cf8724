// SPDX-License-Identifier: BSD-3-Clause
// Claim rings and give them back.

#include "ring_claim.h"

#include "log.h"
#include "now.h"

#include <rte_ring.h>

#include <errno.h>
#include <string.h>

#define LOG_TYPE "claim"

// Longer than the client waits for an answer (socket.timeout.ms, 60 s by default).
#define GIVE_BACK_NS (90 * RTAP_SECOND_NS)

static bool is_quarantined(const struct rtap_shm_ring *shared) {
	return atomic_load_explicit(&shared->quarantined, memory_order_acquire) != 0;
}

static bool shall_serve(
	const struct ring_claims *c, const struct rtap_shm_ring *shared, enum claim_policy policy
) {
	if (policy == CLAIM_NONE || is_quarantined(shared))
		return false;
	if (policy == CLAIM_ANY)
		return true;
	return atomic_load_explicit(&shared->assigned, memory_order_acquire)
		== c->slot->incarnation;
}

static int claim(struct ring_claims *c, struct delivery *d) {
	uint64_t owner = atomic_load_explicit(&d->shared->owner, memory_order_acquire);
	int rc;

	// Its owner may have died a moment ago; then nothing is in its hands any more.
	if (owner != 0
	    && (!worker_slot_is_dead(c->shm, c->slot->lock_fd, owner)
		|| !atomic_compare_exchange_strong(&d->shared->owner, &owner, 0)))
		return 0;
	owner = 0;
	if (!atomic_compare_exchange_strong(&d->shared->owner, &owner, c->slot->incarnation))
		return 0;
	rc = delivery_begin(d, c->ctx);
	if (rc < 0) {
		LOG(ERR, "%s: cannot be taken over: %s", d->source.name, strerror(-rc));
		return rc;
	}
	c->nb_owned++;
	LOG(DEBUG, "%s: serving", d->source.name);
	return 0;
}

static void give_back(struct ring_claims *c, struct delivery *d) {
	delivery_end(d);
	atomic_store_explicit(&d->shared->owner, 0, memory_order_release);
	c->nb_owned--;
	LOG(DEBUG, "%s: given back", d->source.name);
}

// As long as anything is delivered the ring may get empty; and what keeps Kafka from taking
// packets of this worker, the next one meets, too: to end would only send twice what is in flight.
// Without either this worker's client may be at fault.
static bool may_get_empty(const struct ring_claims *c) {
	enum rtap_wait reason = c->ctx->waits.reason;

	return rtap_counter_get(&c->ctx->counters->delivered) != c->delivered
		|| (reason != RTAP_WAIT_NOTHING && reason != RTAP_WAIT_ANSWER);
}

static int check_deadline(struct ring_claims *c, bool waiting) {
	if (!waiting || c->giving_back_ns == 0 || may_get_empty(c)) {
		c->giving_back_ns = waiting ? c->ctx->now_ns : 0;
		c->delivered = rtap_counter_get(&c->ctx->counters->delivered);
		return 0;
	}
	if (c->ctx->now_ns - c->giving_back_ns <= GIVE_BACK_NS)
		return 0;
	LOG(WARNING,
	    "a ring that another transmit worker waits for was not emptied in time; ending, so that "
	    "it can take the ring");
	return -ETIMEDOUT;
}

// The word of a living worker is never cleared. This one ends before a second one serves the same
// ring.
static int overwritten(const char *ring) {
	LOG(ERR,
	    "%s: shared memory names another owner than this transmit worker: it was overwritten; "
	    "ending, so that no two workers serve the ring",
	    ring);
	return -EIO;
}

int ring_claims_update(struct ring_claims *c, enum claim_policy policy) {
	bool waiting = false;
	int rc;

	for (unsigned int i = 0; i < c->ctx->shm_header->nb_rings; i++) {
		struct delivery *d = &c->deliveries[i];
		bool wanted = shall_serve(c, d->shared, policy);

		if (!d->owned) {
			rc = wanted ? claim(c, d) : 0;
			if (rc < 0)
				return rc;
			continue;
		}
		if (atomic_load_explicit(&d->shared->owner, memory_order_relaxed)
		    != c->slot->incarnation)
			return overwritten(d->source.name);
		d->giving_back = !wanted;
		if (!wanted && delivery_is_empty(d))
			give_back(c, d);
		else if (!wanted)
			waiting = true;
	}
	// A worker that stops has a deadline of its own.
	return policy == CLAIM_ASSIGNED ? check_deadline(c, waiting) : 0;
}

uint64_t ring_claims_waiting(const struct ring_claims *c) {
	uint64_t nb = 0;

	for (unsigned int i = 0; i < c->ctx->shm_header->nb_rings; i++)
		if (!is_quarantined(c->deliveries[i].shared))
			nb += rte_ring_count(c->deliveries[i].source.ring);
	return nb;
}

uint64_t ring_claims_in_windows(const struct ring_claims *c) {
	uint64_t nb = 0;

	for (unsigned int i = 0; i < c->ctx->shm_header->nb_rings; i++)
		if (c->deliveries[i].owned)
			nb += ring_source_in_window(&c->deliveries[i].source);
	return nb;
}
