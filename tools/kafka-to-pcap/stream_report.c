// SPDX-License-Identifier: BSD-3-Clause
// Report for people whether packets are missing.

#include "stream_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SHOWN_GAPS 10 // of a run

// A name from a record header: '?' for what could mean something to a terminal.
static void print_name(FILE *out, const char *name) {
	for (; *name != '\0'; name++)
		putc(*name >= ' ' && *name <= '~' ? *name : '?', out);
}

static void print_gap(FILE *out, const struct stream_gap *gap) {
	if (gap->first == gap->last)
		fprintf(out, " %" PRIu64, gap->first);
	else
		fprintf(out, " %" PRIu64 "-%" PRIu64, gap->first, gap->last);
}

static void print_gaps(FILE *out, const struct stream_run *run, uint64_t horizon_ns) {
	unsigned int nb_shown = 0, nb_more = 0;

	fputs("  missing:", out);
	for (unsigned int i = 0; i < run->nb_gaps; i++) {
		if (run->gaps[i].until_ns > horizon_ns)
			continue;
		if (nb_shown < MAX_SHOWN_GAPS) {
			print_gap(out, &run->gaps[i]);
			nb_shown++;
		} else {
			nb_more++;
		}
	}
	if (nb_more != 0)
		fprintf(out, " and %u ranges more", nb_more);
	fputc('\n', out);
}

static void print_more(FILE *out, uint64_t nb, const char *what) {
	if (nb != 0)
		fprintf(out, ", %" PRIu64 " %s", nb, what);
}

static void print_run(
	FILE *out, const struct stream_report *report, const struct stream *stream, unsigned int i
) {
	const struct stream_run *run = &stream->runs[i];
	uint64_t missing = stream_run_missing(run, report->horizon_ns);

	fputs("stream ", out);
	print_name(out, report->names->names[stream->interface]);
	fprintf(out, " queue %u ring %u", stream->queue_ring >> 16, stream->queue_ring & 0xffff);
	if (stream->nb_runs > 1)
		fprintf(out, " run %u of %u", i + 1, stream->nb_runs);
	fprintf(out,
		": %" PRIu64 " to %" PRIu64 ", %" PRIu64 " received, %" PRIu64 " missing, %" PRIu64
		" duplicates",
		run->first, run->last, run->nb_received, missing, run->nb_duplicates);
	print_more(out, run->nb_forgotten, "numbers in forgotten gaps not judged");
	fputc('\n', out);
	if (missing != 0)
		print_gaps(out, run, report->horizon_ns);
}

static int compare(const void *a, const void *b) {
	const struct stream *const *x = a, *const *y = b;

	if ((*x)->interface != (*y)->interface)
		return (*x)->interface < (*y)->interface ? -1 : 1;
	return (*x)->queue_ring < (*y)->queue_ring ? -1 : (*x)->queue_ring > (*y)->queue_ring;
}

static void print_streams(FILE *out, const struct stream_report *report) {
	unsigned int nb = report->check->nb_streams;
	const struct stream **sorted = calloc(nb + 1, sizeof(struct stream *));

	for (unsigned int i = 0; sorted != NULL && i < nb; i++)
		sorted[i] = &report->check->streams[i];
	if (sorted != NULL)
		qsort(sorted, nb, sizeof(struct stream *), compare);
	for (unsigned int i = 0; sorted != NULL && i < nb; i++)
		for (unsigned int run = 0; run < sorted[i]->nb_runs; run++)
			print_run(out, report, sorted[i], run);
	free(sorted);
}

void stream_report_print(FILE *out, const struct stream_report *report) {
	struct stream_totals totals = stream_check_totals(report->check, report->horizon_ns);

	print_streams(out, report);
	fprintf(out,
		"%u streams: %" PRIu64 " received, %" PRIu64 " missing, %" PRIu64
		" duplicates, %" PRIu64 " restarts; %" PRIu64 " packets without a sequence number",
		report->check->nb_streams, totals.nb_received, totals.nb_missing,
		totals.nb_duplicates, totals.nb_restarts, report->nb_without);
	print_more(out, report->nb_malformed, "malformed headers");
	print_more(out, totals.nb_forgotten, "numbers in forgotten gaps not judged");
	print_more(
		out, report->check->nb_contradicting, "packets whose time contradicts their number"
	);
	print_more(
		out, report->check->nb_not_judged,
		"packets of too many streams or restarts not judged"
	);
	fputc('\n', out);
}

void stream_report_print_gaps(FILE *out, const struct topic_gaps *gaps) {
	if (gaps->nb_removed + gaps->nb_empty + gaps->nb_restarts + gaps->nb_hidden == 0)
		return;
	fprintf(out,
		"topic: %" PRIu64 " records removed before they were read, %" PRIu64
		" offsets without a record, %" PRIu64 " logs began again, %" PRIu64
		" records behind an open transaction\n",
		gaps->nb_removed, gaps->nb_empty, gaps->nb_restarts, gaps->nb_hidden);
}

// NULL when all of the topic was read.
static const char *why_not_all(const struct topic_gaps *gaps) {
	if (gaps->nb_removed != 0)
		return "completeness is not proved: records were removed before they were read";
	if (gaps->nb_restarts != 0)
		return "completeness is not proved: the topic was deleted and created again, or "
		       "truncated, while it was read";
	if (gaps->nb_hidden != 0)
		return "completeness is not proved: records wait behind an open transaction";
	if (gaps->nb_empty != 0)
		return "completeness is not proved: offsets have no record (compaction, or "
		       "transactions of another program)";
	return NULL;
}

bool stream_report_is_complete(const struct stream_report *report, const char **why) {
	const struct stream_check *check = report->check;
	struct stream_totals totals = stream_check_totals(check, report->horizon_ns);

	if (totals.nb_missing != 0)
		*why = "incomplete: packets are missing";
	else if (report->cut_short)
		*why = "completeness is not proved: reading ended before everything was read";
	else if (check->nb_streams == 0 && report->nb_without == 0)
		*why = "completeness is not proved: there is no packet";
	else if (check->nb_streams == 0)
		*why = "completeness is not proved: no packet has a sequence number; capture with "
		       "`headers: basic`";
	else if (report->nb_without != 0)
		*why = "completeness is not proved: some packets have no sequence number";
	else if (check->nb_contradicting != 0)
		*why = "completeness is not proved: the clock was set back before a primary was "
		       "started again";
	else if (totals.nb_forgotten != 0)
		*why = "completeness is not proved: too many gaps to remember them all";
	else if (check->nb_not_judged != 0)
		*why = "completeness is not proved: too many streams or restarts";
	else if (why_not_all(&report->gaps) != NULL)
		*why = why_not_all(&report->gaps);
	else {
		*why = "complete: no packet is missing between the first and the last of each run";
		return true;
	}
	return false;
}
