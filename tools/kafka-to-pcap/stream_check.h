// SPDX-License-Identifier: BSD-3-Clause
// Check by sequence numbers that every packet of a stream is there. Pure.
//
// A stream is a ring of an interface. Its packets are numbered from 1 on, those that were dropped
// too, and their times grow with their numbers. A run is what came from one start of its primary: a
// number that is not above all before, with a time that is, begins a new one. Packets may come in
// any order. One that can be of no run, since its time contradicts its number, is only counted.
//
// Memory is bounded, whatever comes: of a run with too many gaps the oldest are counted and
// forgotten (what is in one and comes after all counts as a duplicate), and they are not judged,
// nor are streams beyond the limits.

#pragma once

#include "run_times.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_CHECK_MAX_STREAMS 4096
#define STREAM_CHECK_MAX_RUNS 8192 // of all streams
#define STREAM_CHECK_MAX_GAPS 65536 // of a run

struct stream_gap {
	uint64_t first, last; // numbers that did not come
	uint64_t until_ns; // time of the packet after it
};

struct stream_run {
	uint64_t first, last; // numbers of packets that came
	uint64_t first_ns, last_ns;
	uint64_t nb_received; // each number once
	uint64_t nb_duplicates;
	uint64_t nb_forgotten; // numbers in gaps that are not known any more: not judged
	struct stream_gap *gaps; // ascending
	unsigned int nb_gaps, room;
	struct run_times times;
};

struct stream {
	unsigned int interface;
	uint32_t queue_ring;
	struct stream_run *runs; // by time
	unsigned int nb_runs;
};

struct stream_check {
	struct stream *streams; // in the order in which they came
	unsigned int nb_streams;
	unsigned int nb_runs; // of all streams
	uint16_t *places; // hash table of numbers of streams, 0 = none, n = stream n - 1
	uint64_t nb_not_judged; // packets beyond the limits
	uint64_t nb_contradicting; // packets, their time and number
};

struct stream_totals {
	uint64_t nb_received, nb_missing, nb_forgotten, nb_duplicates, nb_restarts;
};

// Returns 0 or -ENOMEM.
int stream_check_init(struct stream_check *check);
void stream_check_fini(struct stream_check *check);

// A packet came. `seq` is at least 1.
void stream_check_add(
	struct stream_check *check, unsigned int interface, uint32_t queue_ring, uint64_t seq,
	uint64_t time_ns
);

// Missing packets of a run, as far as everything before `horizon_ns` has been read.
uint64_t stream_run_missing(const struct stream_run *run, uint64_t horizon_ns);

// Sums over all streams, or over those of one interface.
struct stream_totals stream_check_totals(const struct stream_check *check, uint64_t horizon_ns);
struct stream_totals stream_check_interface_totals(
	const struct stream_check *check, unsigned int interface, uint64_t horizon_ns
);
