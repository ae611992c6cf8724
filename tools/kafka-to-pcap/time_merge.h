// SPDX-License-Identifier: BSD-3-Clause
// Put packets into time order, as far as they come within a window of it. Pure.
//
// A packet is held until all has been read up to a time that is newer by the window, so it leaves
// in order if nothing older comes later than that. Packets of the same time leave in the order they
// came.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_MERGE_ALL UINT64_MAX

struct time_merge_entry {
	uint64_t time_ns;
	uint64_t arrival; // order of coming, for equal times
	size_t bytes;
	void *item;
};

struct time_merge {
	uint64_t window_ns;
	size_t max_bytes;
	struct time_merge_entry *heap; // the oldest first
	size_t nb_held, room;
	size_t held_bytes;
	uint64_t nb_pushed;
	uint64_t last_ns; // of all that left
};

// Hold items for `window_ns`; above `max_bytes` the oldest leave before their window is over, so
// that packets of any times need no more memory than that.
void time_merge_init(struct time_merge *merge, uint64_t window_ns, size_t max_bytes);

// Frees the heap, not the items that are still held: pop them first.
void time_merge_fini(struct time_merge *merge);

// Hand over an item that counts as `bytes`. Returns 0; -ENOMEM when it could not be taken.
int time_merge_push(struct time_merge *merge, uint64_t time_ns, void *item, size_t bytes);

// Take the oldest item if its time has come: the caller has read all up to `reached_ns`, and does
// not want to wait for anything when that is TIME_MERGE_ALL. *late tells whether a newer one has
// left before it. NULL when there is none; the item is the caller's again.
void *time_merge_pop(struct time_merge *merge, uint64_t reached_ns, uint64_t *time_ns, bool *late);
