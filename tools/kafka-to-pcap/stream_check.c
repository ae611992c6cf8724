// SPDX-License-Identifier: BSD-3-Clause
// Whether every packet of a stream is there: a list of gaps for each run of numbers.

#include "stream_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLACES ((size_t)2 * STREAM_CHECK_MAX_STREAMS)

_Static_assert(STREAM_CHECK_MAX_STREAMS < UINT16_MAX, "a place holds the number of a stream");

int stream_check_init(struct stream_check *check) {
	memset(check, 0, sizeof(*check));
	check->places = calloc(PLACES, sizeof(*check->places));
	check->streams = calloc(STREAM_CHECK_MAX_STREAMS, sizeof(*check->streams));
	if (check->places != NULL && check->streams != NULL)
		return 0;
	free(check->streams);
	free(check->places);
	memset(check, 0, sizeof(*check));
	return -ENOMEM;
}

static void fini_run(struct stream_run *run) {
	run_times_fini(&run->times);
	free(run->gaps);
}

static void free_stream(struct stream *stream) {
	for (unsigned int i = 0; i < stream->nb_runs; i++)
		fini_run(&stream->runs[i]);
	free(stream->runs);
}

void stream_check_fini(struct stream_check *check) {
	for (unsigned int i = 0; i < check->nb_streams; i++)
		free_stream(&check->streams[i]);
	free(check->streams);
	free(check->places);
	memset(check, 0, sizeof(*check));
}

// ---- gaps ----

// Half of the oldest gaps at once, so that a lossy stream does not move the list for every gap.
static void forget_gaps(struct stream_run *run) {
	unsigned int nb = run->nb_gaps / 2;

	for (unsigned int i = 0; i < nb; i++)
		run->nb_forgotten += run->gaps[i].last - run->gaps[i].first + 1;
	run->nb_gaps -= nb;
	memmove(run->gaps, run->gaps + nb, run->nb_gaps * sizeof(*run->gaps));
}

static int make_room(struct stream_run *run) {
	unsigned int room = run->room != 0 ? run->room * 2 : 8;
	struct stream_gap *gaps;

	if (run->nb_gaps < run->room)
		return 0;
	if (run->nb_gaps == STREAM_CHECK_MAX_GAPS) {
		forget_gaps(run);
		return 0;
	}
	gaps = reallocarray(run->gaps, room, sizeof(*gaps));
	if (gaps == NULL)
		return -ENOMEM;
	run->gaps = gaps;
	run->room = room;
	return 0;
}

// Index of the first gap that ends at `seq` or above.
static unsigned int find_gap(const struct stream_run *run, uint64_t seq) {
	unsigned int low = 0, high = run->nb_gaps;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (run->gaps[middle].last < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_gap(struct stream_run *run, uint64_t first, uint64_t last, uint64_t until_ns) {
	struct stream_gap gap = {first, last, until_ns};
	unsigned int at;

	if (first > last)
		return;
	if (make_room(run) < 0) {
		run->nb_forgotten += last - first + 1;
		return;
	}
	at = find_gap(run, first);
	memmove(run->gaps + at + 1, run->gaps + at, (run->nb_gaps - at) * sizeof(gap));
	run->gaps[at] = gap;
	run->nb_gaps++;
}

// Returns false when `seq` is in no gap.
static bool fill_gap(struct stream_run *run, uint64_t seq, uint64_t time_ns) {
	unsigned int at = find_gap(run, seq);
	struct stream_gap *gap, before;

	if (at == run->nb_gaps || seq < run->gaps[at].first)
		return false;
	gap = &run->gaps[at];
	before = (struct stream_gap){gap->first, seq - 1, time_ns};
	gap->first = seq + 1;
	if (gap->first > gap->last) {
		run->nb_gaps--;
		memmove(gap, gap + 1, (run->nb_gaps - at) * sizeof(*gap));
	}
	add_gap(run, before.first, before.last, before.until_ns);
	return true;
}

// ---- runs ----

static void join(struct stream_run *run, uint64_t seq, uint64_t time_ns) {
	bool is_new = true;

	if (seq > run->last) {
		add_gap(run, run->last + 1, seq - 1, time_ns);
		run->last = seq;
		run_times_add(&run->times, seq, time_ns);
	} else if (seq < run->first) {
		add_gap(run, seq + 1, run->first - 1, run->first_ns);
		run->first = seq;
	} else {
		is_new = fill_gap(run, seq, time_ns);
	}
	run->nb_received += is_new;
	run->nb_duplicates += !is_new;
	if (time_ns > run->last_ns)
		run->last_ns = time_ns;
	if (time_ns < run->first_ns)
		run->first_ns = time_ns;
}

static void insert_run(
	struct stream_check *check, struct stream *stream, unsigned int at, uint64_t seq,
	uint64_t time_ns
) {
	struct stream_run run = {
		.first = seq,
		.last = seq,
		.first_ns = time_ns,
		.last_ns = time_ns,
		.nb_received = 1,
	};
	struct stream_run *runs = NULL;

	if (check->nb_runs < STREAM_CHECK_MAX_RUNS)
		runs = reallocarray(stream->runs, stream->nb_runs + 1, sizeof(run));
	if (runs == NULL) {
		check->nb_not_judged++;
		return;
	}
	run_times_add(&run.times, seq, time_ns);
	memmove(runs + at + 1, runs + at, (stream->nb_runs - at) * sizeof(run));
	runs[at] = run;
	stream->runs = runs;
	stream->nb_runs++;
	check->nb_runs++;
}

static bool contradicts(const struct stream_run *run, uint64_t seq, uint64_t time_ns) {
	unsigned int at = find_gap(run, seq);

	if (seq > run->last)
		return time_ns < run->last_ns;
	if (at < run->nb_gaps && seq >= run->gaps[at].first && time_ns > run->gaps[at].until_ns)
		return true;
	return !run_times_fit(&run->times, seq, time_ns);
}

static void
add_to_stream(struct stream_check *check, struct stream *stream, uint64_t seq, uint64_t time_ns) {
	unsigned int next = stream->nb_runs; // the run after that of this time
	bool within, before;

	while (next > 0 && stream->runs[next - 1].first_ns > time_ns)
		next--;
	within = next > 0 && time_ns <= stream->runs[next - 1].last_ns;
	before = next < stream->nb_runs && seq < stream->runs[next].first;
	if (within && contradicts(&stream->runs[next - 1], seq, time_ns))
		check->nb_contradicting++;
	else if (before && !within)
		join(&stream->runs[next], seq, time_ns); // its first packets came late
	else if (within || (next > 0 && seq > stream->runs[next - 1].last))
		join(&stream->runs[next - 1], seq, time_ns);
	else
		insert_run(check, stream, next, seq, time_ns);
}

// ---- streams ----

static bool is_stream(const struct stream *stream, unsigned int interface, uint32_t queue_ring) {
	return stream->interface == interface && stream->queue_ring == queue_ring;
}

// NULL when there is no room for one more.
static struct stream *
find_stream(struct stream_check *check, unsigned int interface, uint32_t queue_ring) {
	uint64_t key = (uint64_t)interface << 32 | queue_ring;
	size_t at = key * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (PLACES - 1);
	struct stream *stream;

	for (; check->places[at] != 0; at = (at + 1) & (PLACES - 1)) {
		stream = &check->streams[check->places[at] - 1];
		if (is_stream(stream, interface, queue_ring))
			return stream;
	}
	if (check->nb_streams == STREAM_CHECK_MAX_STREAMS)
		return NULL;
	stream = &check->streams[check->nb_streams++];
	*stream = (struct stream){.interface = interface, .queue_ring = queue_ring};
	check->places[at] = (uint16_t)check->nb_streams;
	return stream;
}

void stream_check_add(
	struct stream_check *check, unsigned int interface, uint32_t queue_ring, uint64_t seq,
	uint64_t time_ns
) {
	struct stream *stream = find_stream(check, interface, queue_ring);

	if (stream != NULL)
		add_to_stream(check, stream, seq, time_ns);
	else
		check->nb_not_judged++;
}

// ---- sums ----

uint64_t stream_run_missing(const struct stream_run *run, uint64_t horizon_ns) {
	uint64_t nb = 0;

	for (unsigned int i = 0; i < run->nb_gaps; i++)
		if (run->gaps[i].until_ns <= horizon_ns)
			nb += run->gaps[i].last - run->gaps[i].first + 1;
	return nb;
}

static void
add_stream(struct stream_totals *totals, const struct stream *stream, uint64_t horizon_ns) {
	for (unsigned int i = 0; i < stream->nb_runs; i++) {
		totals->nb_received += stream->runs[i].nb_received;
		totals->nb_missing += stream_run_missing(&stream->runs[i], horizon_ns);
		totals->nb_forgotten += stream->runs[i].nb_forgotten;
		totals->nb_duplicates += stream->runs[i].nb_duplicates;
	}
	totals->nb_restarts += stream->nb_runs > 0 ? stream->nb_runs - 1 : 0;
}

struct stream_totals stream_check_totals(const struct stream_check *check, uint64_t horizon_ns) {
	struct stream_totals totals = {0};

	for (unsigned int i = 0; i < check->nb_streams; i++)
		add_stream(&totals, &check->streams[i], horizon_ns);
	return totals;
}

struct stream_totals stream_check_interface_totals(
	const struct stream_check *check, unsigned int interface, uint64_t horizon_ns
) {
	struct stream_totals totals = {0};

	for (unsigned int i = 0; i < check->nb_streams; i++)
		if (check->streams[i].interface == interface)
			add_stream(&totals, &check->streams[i], horizon_ns);
	return totals;
}
