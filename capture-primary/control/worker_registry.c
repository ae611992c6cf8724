// SPDX-License-Identifier: BSD-3-Clause
// Track transmit workers and assign rings to them.

#include "worker_registry.h"

#include "instance.h"
#include "lock_file.h"
#include "log.h"
#include "now.h"
#include "ring_assignment.h"

#include <inttypes.h>
#include <string.h>

#define LOG_TYPE "workers"

void worker_registry_init(
	struct worker_registry *reg, struct rtap_shm *shm, struct rtap_counters *counters,
	int slots_fd
) {
	memset(reg, 0, sizeof(*reg));
	reg->shm = shm;
	reg->counters = counters;
	reg->slots_fd = slots_fd;
	for (unsigned int i = 0; i < RTAP_MAX_RINGS; i++)
		reg->slot_of_ring[i] = RING_ASSIGNMENT_NONE;
}

// The worker of `incarnation` is gone with all its threads: its rings are free for the next one.
static void bury(struct worker_registry *reg, unsigned int slot, bool left_well) {
	struct rtap_counters_header *h = reg->counters->header;
	uint64_t incarnation = reg->known[slot];
	unsigned int nb_rings = 0;

	for (unsigned int i = 0; i < reg->counters->shape.nb_rings; i++) {
		uint64_t owner = incarnation;

		if (atomic_compare_exchange_strong(&reg->shm->rings[i].owner, &owner, 0))
			nb_rings++;
	}
	rtap_counter_add(left_well ? &h->workers_left : &h->workers_died, 1);
	rtap_counter_set(&reg->counters->slots[slot].state, RTAP_WORKER_NONE);
	if (left_well)
		LOG(NOTICE, "worker %u left", slot);
	else
		LOG(WARNING,
		    "worker %u (pid %" PRIu64
		    ") died holding %u rings; their next worker continues "
		    "after the last packet that Kafka has",
		    slot, rtap_counter_get(&reg->counters->slots[slot].pid), nb_rings);
	reg->buried[slot] = incarnation;
	reg->known[slot] = 0;
}

static void welcome(struct worker_registry *reg, unsigned int slot, uint64_t incarnation) {
	const struct rtap_shm_slot *s = &reg->shm->slots[slot];
	struct rtap_slot_counters *c = &reg->counters->slots[slot];

	reg->known[slot] = incarnation;
	rtap_counter_set(&c->pid, (uint64_t)atomic_load(&s->pid));
	rtap_counter_set(&c->supervisor_pid, (uint64_t)atomic_load(&s->supervisor_pid));
	rtap_counter_set(&c->started_us, atomic_load(&s->started_us));
	rtap_counter_add(&reg->counters->header->workers_joined, 1);
	LOG(NOTICE, "worker %u (pid %d) joined", slot, atomic_load(&s->pid));
}

static void publish_slot(struct worker_registry *reg, unsigned int slot, uint32_t state) {
	struct rtap_slot_counters *c = &reg->counters->slots[slot];
	uint64_t mono_us = rtap_monotonic_ns() / 1000;
	uint64_t beat_us = atomic_load(&reg->shm->slots[slot].heartbeat_ns) / 1000;

	rtap_counter_set(&c->state, state);
	rtap_counter_set(&c->heartbeat_us, rtap_utc_ns() / 1000 - (mono_us - beat_us));
}

// Returns whether the slot's worker takes rings.
static bool look_at_slot(struct worker_registry *reg, unsigned int slot) {
	struct rtap_shm_slot *s = &reg->shm->slots[slot];
	uint64_t incarnation = atomic_load_explicit(&s->incarnation, memory_order_acquire);
	uint32_t state = atomic_load_explicit(&s->state, memory_order_acquire);
	bool held;

	// Between the lock and its own incarnation, a new worker shows its predecessor's.
	if (incarnation == 0 || incarnation == reg->buried[slot])
		return false;
	if (reg->known[slot] != 0 && reg->known[slot] != incarnation)
		bury(reg, slot, false); // another worker is at the slot already
	// An error counts as held: burying a live worker would give its rings two owners.
	held = rtap_lock_is_held(reg->slots_fd, slot, 1) != 0;
	if (!held) {
		// Read again: it may have said goodbye between our look at the state and at the
		// lock.
		state = atomic_load_explicit(&s->state, memory_order_acquire);
		if (reg->known[slot] == incarnation)
			bury(reg, slot, state == RTAP_WORKER_LEFT);
		return false;
	}
	if (reg->known[slot] == 0)
		welcome(reg, slot, incarnation);
	publish_slot(reg, slot, state);
	return state == RTAP_WORKER_SERVING;
}

static void assign(struct worker_registry *reg) {
	unsigned int moved, nb_rings = reg->counters->shape.nb_rings;

	moved = ring_assignment_update(reg->slot_of_ring, nb_rings, reg->eligible);
	rtap_counter_add(&reg->counters->header->assignments, 1);
	LOG(INFO, "%u rings for %d workers, %u moved", nb_rings,
	    __builtin_popcountll(reg->eligible), moved);
}

// Every round, so that what a transmit worker overwrote is put right.
static void publish_assignments(struct worker_registry *reg) {
	for (unsigned int i = 0; i < reg->counters->shape.nb_rings; i++) {
		struct rtap_shm_ring *shared = &reg->shm->rings[i];
		int slot = reg->slot_of_ring[i];
		uint64_t to = slot == RING_ASSIGNMENT_NONE ? 0 : reg->known[slot];

		if (atomic_load_explicit(&shared->quarantined, memory_order_relaxed) != 0)
			to = 0;
		if (atomic_load_explicit(&shared->assigned, memory_order_relaxed) != to)
			atomic_store_explicit(&shared->assigned, to, memory_order_release);
	}
}

// Publish owners; say once which ring was quarantined. Returns whether one was.
static bool look_at_rings(struct worker_registry *reg) {
	bool changed = false;
	uint64_t owner;

	for (unsigned int i = 0; i < reg->counters->shape.nb_rings; i++) {
		struct rtap_ring_counters *c = &reg->counters->rings[i];

		owner = atomic_load_explicit(&reg->shm->rings[i].owner, memory_order_relaxed);
		rtap_counter_set(&c->owner, owner == 0 ? 0 : RTAP_INCARNATION_SLOT(owner) + 1);
		if (reg->quarantined[i] || rtap_counter_get(&c->quarantined) == 0)
			continue;
		LOG(ERR,
		    "ring %.32s is quarantined: corrupted indexes, a transmit worker overwrote shared "
		    "memory; its packets are kept and not sent, new packets for it are dropped; "
		    "restart the primary when convenient",
		    c->name);
		reg->quarantined[i] = changed = true;
	}
	return changed;
}

void worker_registry_update(struct worker_registry *reg) {
	uint64_t eligible = 0, incarnations_before[RTAP_MAX_SLOTS];
	bool changed;

	memcpy(incarnations_before, reg->known, sizeof(incarnations_before));
	for (unsigned int slot = 0; slot < RTAP_MAX_SLOTS; slot++)
		if (look_at_slot(reg, slot))
			eligible |= UINT64_C(1) << slot;
	changed = eligible != reg->eligible;
	// The same slot in other hands: its rings need the new incarnation.
	for (unsigned int slot = 0; slot < RTAP_MAX_SLOTS; slot++)
		changed |= (eligible >> slot & 1) != 0
			&& reg->known[slot] != incarnations_before[slot];
	changed |= look_at_rings(reg);
	reg->eligible = eligible;
	if (changed)
		assign(reg);
	publish_assignments(reg);
	rtap_counter_set(&reg->counters->header->workers, worker_registry_nb_workers(reg));
}

unsigned int worker_registry_nb_workers(const struct worker_registry *reg) {
	unsigned int nb = 0;

	for (unsigned int slot = 0; slot < RTAP_MAX_SLOTS; slot++)
		nb += reg->known[slot] != 0;
	return nb;
}
