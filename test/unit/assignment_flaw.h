// SPDX-License-Identifier: BSD-3-Clause
// What is wrong with an assignment of rings to slots: complete, even, and no move too many.

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define FLAW_NB_SLOTS 64

static inline bool flaw_is_in(uint64_t slots, int slot) {
	return slot >= 0 && slot < FLAW_NB_SLOTS && (slots >> slot & 1) != 0;
}

static inline void
flaw_count(unsigned int *counts, const int16_t *slot_of_ring, unsigned int n, uint64_t slots) {
	for (int slot = 0; slot < FLAW_NB_SLOTS; slot++)
		counts[slot] = 0;
	for (unsigned int i = 0; i < n; i++)
		if (flaw_is_in(slots, slot_of_ring[i]))
			counts[slot_of_ring[i]]++;
}

// The fewest moves. Each slot keeps up to the floor, and as many as there are ceilings keep one
// more.
static inline unsigned int
flaw_least_moves(const unsigned int *counts, unsigned int n, uint64_t slots) {
	unsigned int nb_slots = (unsigned int)__builtin_popcountll(slots);
	unsigned int share = n / nb_slots, nb_ceilings = n % nb_slots;
	unsigned int nb_stay = 0, nb_above = 0;

	for (int slot = 0; slot < FLAW_NB_SLOTS; slot++) {
		nb_stay += counts[slot] < share ? counts[slot] : share;
		nb_above += counts[slot] > share;
	}
	return n - nb_stay - (nb_above < nb_ceilings ? nb_above : nb_ceilings);
}

// `slots`: the living, at least one. Returns NULL, or what is wrong; *nb_moves is the number of
// rings whose slot changed.
static inline const char *assignment_flaw(
	const int16_t *before, const int16_t *after, unsigned int n, uint64_t slots,
	unsigned int *nb_moves
) {
	unsigned int kept[FLAW_NB_SLOTS], counts[FLAW_NB_SLOTS], min = n, max = 0, nb_homeless = 0;
	static char text[128];

	flaw_count(kept, before, n, slots);
	flaw_count(counts, after, n, slots);
	*nb_moves = 0;
	for (unsigned int i = 0; i < n; i++) {
		nb_homeless += !flaw_is_in(slots, after[i]);
		*nb_moves += after[i] != before[i];
	}
	for (int slot = 0; slot < FLAW_NB_SLOTS; slot++) {
		if (!flaw_is_in(slots, slot))
			continue;
		min = counts[slot] < min ? counts[slot] : min;
		max = counts[slot] > max ? counts[slot] : max;
	}
	if (nb_homeless == 0 && max - min <= 1 && *nb_moves == flaw_least_moves(kept, n, slots))
		return NULL;
	snprintf(
		text, sizeof(text), "%u homeless, %u to %u rings per slot, %u moves, %u needed",
		nb_homeless, min, max, *nb_moves, flaw_least_moves(kept, n, slots)
	);
	return text;
}
