// SPDX-License-Identifier: BSD-3-Clause
// Take one look at an instance: whether its primary runs, and a snapshot of its counters.

#pragma once

#include "balance.h"
#include "instance.h"

#include <stdint.h>

enum view_primary {
	VIEW_RUNNING,
	VIEW_STOPPED, // in order: the counters are the final balance
	VIEW_KILLED, // it ended without saying so: the counters are its last ones
	VIEW_REPLACED, // another primary starts, the counters are still those of the one before
};

struct view {
	enum view_primary primary;
	uint64_t now_us; // UTC
	struct rtap_counters counters; // a snapshot
};

// Map the counters of `inst` and look whether its primary lives, in the order that cannot call one
// that stopped in between killed. Returns 0 or a negative errno; with -EPROTO, `why` says what is
// wrong with the file. On success *live is mapped and *view taken; the caller ends both.
int view_open(
	struct view *view, struct rtap_counters *live, const struct rtap_instance *inst, char *why,
	size_t why_size
);

void view_fini(struct view *view);

const char *view_primary_name(enum view_primary primary);

// "capturing", ...; "unknown" for a number that is none.
const char *view_phase_name(uint64_t state);
const char *view_worker_state_name(uint64_t state);

// What most of the waiting partitions of a worker wait for; nothing when it is gone.
enum rtap_wait view_waiting_for(const struct rtap_slot_counters *slot);

// What partitions wait for, enum rtap_wait: one word, "nothing", ...; and in words.
const char *view_wait_name(uint64_t wait);
const char *view_wait_text(uint64_t wait);
