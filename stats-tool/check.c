// SPDX-License-Identifier: BSD-3-Clause
// Verify the laws of an instance over snapshots, and say which one does not hold.

#include "check.h"

#include "now.h"
#include "print.h"

#include <inttypes.h>
#include <stdbool.h>
#include <time.h>

#define ROUNDS_MIN 20 // 0.2 s: time for the instance to be at rest in one of them
#define ROUNDS_MAX (3 * RTAP_LAW_FAILURES) // one that often cannot be judged gets its failures too

static void pause_ms(long ms) {
	const struct timespec t = {.tv_nsec = ms * (long)RTAP_MS_NS};

	nanosleep(&t, NULL);
}

static void print_place(FILE *out, const struct rtap_law *law, const struct rtap_counters *c) {
	const struct rtap_queue_counters *q = &c->queues[law->index];

	if (law->kind == RTAP_LAW_DEVICE)
		fprintf(out, "port %" PRIu64, c->ports[law->index].port_id);
	else if (law->kind <= RTAP_LAW_QUEUE_RING_FULL)
		fprintf(out, "queue %" PRIu32 " of port %" PRIu32, q->queue_id, q->port_id);
	else if (law->kind <= RTAP_LAW_TAKEN_ENQUEUED)
		fprintf(out, "ring %s", print_name(c->rings[law->index].name).text);
	else
		fputs("instance", out);
}

static void print_violation(FILE *out, const struct rtap_law *law, const struct rtap_counters *c) {
	fputs("check: ", out);
	print_place(out, law, c);
	fprintf(out, ": violated: %s: left %" PRIu64 ", right %" PRIu64 "\n",
		rtap_law_text(law->kind), law->left, law->right);
}

static int print_verdict(FILE *out, const struct rtap_laws *laws, const struct rtap_counters *c) {
	size_t nb_held = 0, nb_violated = 0;

	for (size_t i = 0; i < laws->nb_laws; i++) {
		const struct rtap_law *law = &laws->laws[i];

		nb_held += law->held;
		if (!rtap_law_is_violated(law))
			continue;
		nb_violated++;
		print_violation(out, law, c);
	}
	fprintf(out, "check: %zu laws hold, %zu violated, %zu not judged\n", nb_held, nb_violated,
		laws->nb_laws - nb_held - nb_violated);
	return nb_violated == 0 ? RTAP_EXIT_OK : RTAP_EXIT_LAW;
}

static void judge_in_rounds(
	struct rtap_laws *laws, const struct rtap_counters *live, struct rtap_counters *first,
	struct rtap_counters *second, bool unfinished
) {
	size_t nb_failing = 0;

	for (int round = 0; round < ROUNDS_MIN || (nb_failing > 0 && round < ROUNDS_MAX); round++) {
		if (round > 0)
			pause_ms(RTAP_LAW_PAUSE_MS);
		rtap_snapshot_take(first, live);
		rtap_snapshot_take(second, live);
		nb_failing = rtap_laws_judge(laws, first, second, unfinished);
	}
}

enum rtap_exit_code
check_laws(FILE *out, const struct view *view, const struct rtap_counters *live) {
	struct rtap_counters first = {0}, second = {0};
	struct rtap_laws laws = {0};
	enum rtap_exit_code exit_code = RTAP_EXIT_FAILURE;

	if (rtap_snapshot_init(&first, live) == 0 && rtap_snapshot_init(&second, live) == 0
	    && rtap_laws_init(&laws, &first) == 0) {
		judge_in_rounds(&laws, live, &first, &second, view->primary == VIEW_KILLED);
		exit_code = print_verdict(out, &laws, &second);
	}
	rtap_laws_fini(&laws);
	rtap_snapshot_fini(&second);
	rtap_snapshot_fini(&first);
	return exit_code;
}
