// SPDX-License-Identifier: BSD-3-Clause
// When the packets of a run were captured, as far as a few of them tell. Pure.
//
// Within a run times grow with numbers. A packet that does not fit between the marks is of another
// run: the clock was set back before the primary was started again. One that does fit may be of
// another, too, if the clock was set back to the very time at which this run was at that number, as
// exactly as the marks are apart: each is less than 1/100 of the run.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RUN_TIMES_MAX 256

struct run_times {
	struct run_time_mark {
		uint64_t seq, time_ns;
	} * marks; // ascending
	unsigned int nb, room;
	uint64_t stride; // numbers between two marks, at least
};

// A packet whose number is above all before. All zero is empty; a mark is left out when memory is
// short.
void run_times_add(struct run_times *times, uint64_t seq, uint64_t time_ns);
void run_times_fini(struct run_times *times);

bool run_times_fit(const struct run_times *times, uint64_t seq, uint64_t time_ns);
