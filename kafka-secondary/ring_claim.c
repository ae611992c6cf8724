// SPDX-License-Identifier: BSD-3-Clause
// Which rings a worker serves.

#include "ring_claim.h"

#include "log.h"

#include <rte_ring.h>

#include <errno.h>
#include <string.h>

#define LOG_TYPE "claim"

#define SECOND_NS UINT64_C(1000000000)
#define GIVE_BACK_LEAST_S 5

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

static int claim(struct ring_claims *c, struct ring_feed *f) {
	uint64_t owner = atomic_load_explicit(&f->shared->owner, memory_order_acquire);
	int rc;

	// Its owner may have died a moment ago; then nothing is in its hands any more.
	if (owner != 0
	    && (!worker_slot_is_dead(c->shm, c->slot->lock_fd, owner)
		|| !atomic_compare_exchange_strong(&f->shared->owner, &owner, 0)))
		return 0;
	owner = 0;
	if (!atomic_compare_exchange_strong(&f->shared->owner, &owner, c->slot->incarnation))
		return 0;
	rc = ring_feed_begin(f, c->ctx);
	if (rc < 0) {
		LOG(ERR, "%s: cannot be taken over: %s", f->name, strerror(-rc));
		return rc;
	}
	c->nb_owned++;
	LOG(DEBUG, "%s: serving", f->name);
	return 0;
}

static void give_back(struct ring_claims *c, struct ring_feed *f) {
	ring_feed_end(f);
	atomic_store_explicit(&f->shared->owner, 0, memory_order_release);
	c->nb_owned--;
	LOG(DEBUG, "%s: given back", f->name);
}

static int check_deadline(struct ring_claims *c, bool waiting) {
	// Not shorter than a healthy Kafka takes, or workers would chase each other away.
	uint64_t timeout_s = c->ctx->cfg->drain_timeout_s > GIVE_BACK_LEAST_S
		? c->ctx->cfg->drain_timeout_s
		: GIVE_BACK_LEAST_S;

	if (!waiting) {
		c->give_back_deadline_ns = 0;
		return 0;
	}
	if (c->give_back_deadline_ns == 0)
		c->give_back_deadline_ns = c->ctx->now_ns + timeout_s * SECOND_NS;
	if (c->ctx->now_ns <= c->give_back_deadline_ns)
		return 0;
	LOG(WARNING, "a ring for another worker cannot be emptied in time; ending, so that it can");
	return -ETIMEDOUT;
}

// Nobody clears the word of a living worker. This one ends before a second one serves the same ring.
static int overwritten(const char *ring) {
	LOG(ERR,
	    "%s: its owner is no longer this worker: a courier wrote where it must not; ending",
	    ring);
	return -EIO;
}

int ring_claims_update(struct ring_claims *c, enum claim_policy policy) {
	bool waiting = false;
	int rc;

	for (unsigned int i = 0; i < c->ctx->shm_header->nb_rings; i++) {
		struct ring_feed *f = &c->feeds[i];
		bool wanted = shall_serve(c, f->shared, policy);

		if (!f->owned) {
			rc = wanted ? claim(c, f) : 0;
			if (rc < 0)
				return rc;
			continue;
		}
		if (atomic_load_explicit(&f->shared->owner, memory_order_relaxed)
		    != c->slot->incarnation)
			return overwritten(f->name);
		f->giving_back = !wanted;
		if (!wanted && ring_feed_is_empty(f))
			give_back(c, f);
		else if (!wanted)
			waiting = true;
	}
	// A worker that stops has a deadline of its own.
	return policy == CLAIM_ASSIGNED ? check_deadline(c, waiting) : 0;
}

uint64_t ring_claims_waiting(const struct ring_claims *c) {
	uint64_t nb = 0;

	for (unsigned int i = 0; i < c->ctx->shm_header->nb_rings; i++)
		if (!is_quarantined(c->feeds[i].shared))
			nb += rte_ring_count(c->feeds[i].ring);
	return nb;
}

uint64_t ring_claims_in_windows(const struct ring_claims *c) {
	uint64_t nb = 0;

	for (unsigned int i = 0; i < c->ctx->shm_header->nb_rings; i++)
		if (c->feeds[i].owned)
			nb += c->feeds[i].consumer.in_window;
	return nb;
}
