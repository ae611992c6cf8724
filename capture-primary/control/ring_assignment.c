// SPDX-License-Identifier: BSD-3-Clause
// Assign rings to slots: evenly, with as few moves as possible.

#include "ring_assignment.h"

#include "fixed_limits.h"

#include <assert.h>
#include <stdbool.h>

static_assert(RTAP_MAX_SLOTS <= 64, "a set of slots is a uint64_t");

// The share of each slot is `floor` rings, and one more for `nb_ceilings` of the slots.
struct shares {
	uint64_t slots;
	unsigned int rings_of_slot[RTAP_MAX_SLOTS];
	unsigned int floor;
	unsigned int nb_ceilings; // still to be had
};

static bool has_slot(const struct shares *shares, int slot) {
	return slot >= 0 && slot < RTAP_MAX_SLOTS && (shares->slots & UINT64_C(1) << slot) != 0;
}

// Give one more ring to the slot, unless it has its share.
static bool take(struct shares *shares, int slot) {
	if (!has_slot(shares, slot) || shares->rings_of_slot[slot] > shares->floor)
		return false;
	if (shares->rings_of_slot[slot] == shares->floor) {
		if (shares->nb_ceilings == 0)
			return false;
		shares->nb_ceilings--;
	}
	shares->rings_of_slot[slot]++;
	return true;
}

static int least_loaded(const struct shares *shares) {
	int least = RING_ASSIGNMENT_NONE;

	for (int slot = 0; slot < RTAP_MAX_SLOTS; slot++) {
		if (has_slot(shares, slot)
		    && (least == RING_ASSIGNMENT_NONE
			|| shares->rings_of_slot[slot] < shares->rings_of_slot[least]))
			least = slot;
	}
	return least;
}

static unsigned int release_all(int16_t *slot_of_ring, unsigned int nb_rings) {
	unsigned int nb_moves = 0;

	for (unsigned int i = 0; i < nb_rings; i++) {
		nb_moves += slot_of_ring[i] != RING_ASSIGNMENT_NONE;
		slot_of_ring[i] = RING_ASSIGNMENT_NONE;
	}
	return nb_moves;
}

unsigned int ring_assignment_update(int16_t *slot_of_ring, unsigned int nb_rings, uint64_t slots) {
	unsigned int nb_slots = (unsigned int)__builtin_popcountll(slots);
	struct shares shares = {.slots = slots};
	unsigned int nb_moves = 0;

	if (nb_slots == 0)
		return release_all(slot_of_ring, nb_rings);
	shares.floor = nb_rings / nb_slots;
	shares.nb_ceilings = nb_rings % nb_slots;

	// Those who have more than the floor get the ceilings first: each saves a move.
	for (unsigned int i = 0; i < nb_rings; i++) {
		if (!take(&shares, slot_of_ring[i]))
			slot_of_ring[i] = RING_ASSIGNMENT_NONE;
	}
	for (unsigned int i = 0; i < nb_rings; i++) {
		if (slot_of_ring[i] == RING_ASSIGNMENT_NONE) {
			slot_of_ring[i] = (int16_t)least_loaded(&shares);
			take(&shares, slot_of_ring[i]);
			nb_moves++;
		}
	}
	return nb_moves;
}
