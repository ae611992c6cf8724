// SPDX-License-Identifier: BSD-3-Clause
// Assign rings to slots: evenly, with as few moves as possible. Pure: no EAL, no shared memory.

#pragma once

#include <stdint.h>

#define RING_ASSIGNMENT_NONE (-1)

// Assign each of `nb_rings` rings to one of the slots whose bit is set in `slots`, in place.
// In: the slot of each ring so far, RING_ASSIGNMENT_NONE for none. Out: the same with
//  - every ring at a slot of `slots` (NONE for all when `slots` is 0),
//  - the numbers of rings of any two of these slots differing by one at most,
//  - no ring moved that did not have to: its slot is gone, or holds more than its share.
// Returns the number of rings whose slot changed.
unsigned int ring_assignment_update(int16_t *slot_of_ring, unsigned int nb_rings, uint64_t slots);
