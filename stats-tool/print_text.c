// SPDX-License-Identifier: BSD-3-Clause
// Text for people: the primary's line, tables of every part, the explanation.

#include "fields.h"
#include "print.h"
#include "table.h"

#include <inttypes.h>
#include <string.h>

#define COLUMN 10
#define SILENT_US 1000000 // a worker beats every millisecond or so

struct age {
	char text[32];
};

struct print_name print_name(const char *name) {
	struct print_name p;
	size_t i;

	for (i = 0; i < sizeof(p.text) - 1 && name[i] != '\0'; i++)
		p.text[i] = (char)(name[i] >= 0x20 && name[i] < 0x7f ? name[i] : '?');
	p.text[i] = '\0';
	return p;
}

// "2d 3h", "3m 5s", "0.4s" since `then_us`; "-" for never. Clocks of two readings may disagree a
// little.
static struct age age_since(uint64_t now_us, uint64_t then_us) {
	uint64_t us = now_us > then_us ? now_us - then_us : 0, s = us / 1000000;
	struct age age;

	if (then_us == 0)
		snprintf(age.text, sizeof(age.text), "-");
	else if (s < 60)
		snprintf(age.text, sizeof(age.text), "%.1fs", (double)us / 1e6);
	else if (s < 3600)
		snprintf(age.text, sizeof(age.text), "%" PRIu64 "m%" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(
			age.text, sizeof(age.text), "%" PRIu64 "h%" PRIu64 "m", s / 3600,
			s / 60 % 60
		);
	else
		snprintf(
			age.text, sizeof(age.text), "%" PRIu64 "d%" PRIu64 "h", s / 86400,
			s / 3600 % 24
		);
	return age;
}

void print_primary(FILE *out, const struct view *view) {
	const struct rtap_counters_header *h = view->counters.header;
	uint64_t updated_us = rtap_counter_get(&h->updated_us);

	fprintf(out, "primary: %s ", view_primary_name(view->primary));
	switch (view->primary) {
	case VIEW_RUNNING:
		fprintf(out, "(pid %" PRId64 "), %s, %s, up %s\n", h->primary_pid,
			view_phase_name(rtap_counter_get(&h->state)),
			print_name(h->dpdk_version).text,
			age_since(view->now_us, h->started_us).text);
		break;
	case VIEW_STOPPED:
		fprintf(out, "(pid was %" PRId64 ") %s ago; this is its final balance\n",
			h->primary_pid, age_since(view->now_us, updated_us).text);
		break;
	case VIEW_KILLED:
		fprintf(out,
			"(pid was %" PRId64
			") while %s, last seen %s ago; these are its last counters\n",
			h->primary_pid, view_phase_name(rtap_counter_get(&h->state)),
			age_since(view->now_us, updated_us).text);
		break;
	case VIEW_REPLACED:
		fprintf(out, "(these counters are of the one before, pid %" PRId64 ")\n",
			h->primary_pid);
		break;
	}
}

static int width_of(const struct field *f) {
	int len = (int)strlen(f->name);

	return len > COLUMN ? len : COLUMN;
}

static void print_names(FILE *out, const struct field_list *list) {
	for (size_t i = 0; i < list->nb_fields; i++)
		fprintf(out, " %*s", width_of(&list->fields[i]), list->fields[i].name);
	fputc('\n', out);
}

static void print_values(FILE *out, const struct field_list *list, const void *base) {
	for (size_t i = 0; i < list->nb_fields; i++)
		fprintf(out, " %*" PRIu64, width_of(&list->fields[i]),
			field_get(&list->fields[i], base));
	fputc('\n', out);
}

static void print_instance(FILE *out, const struct rtap_counters_header *h) {
	for (size_t i = 0; i < fields_instance.nb_fields; i++) {
		const struct field *f = &fields_instance.fields[i];

		fprintf(out, "%-15s %10" PRIu64 "  %s\n", f->name, field_get(f, h), f->help);
	}
}

static void print_ports(FILE *out, const struct rtap_counters *c) {
	fprintf(out, "\n%-24s %-16s", "port", "driver");
	print_names(out, &fields_port);
	for (uint32_t i = 0; i < c->shape.nb_ports; i++) {
		const struct rtap_port_counters *p = &c->ports[i];

		fprintf(out, "%-2" PRIu64 " %-21s %-16s", p->port_id, print_name(p->name).text,
			print_name(p->driver).text);
		print_values(out, &fields_port, p);
	}
}

static void print_queues(FILE *out, const struct rtap_counters *c) {
	fprintf(out, "\n%4s %5s %5s", "port", "queue", "lcore");
	print_names(out, &fields_queue);
	for (uint32_t i = 0; i < c->shape.nb_queues; i++) {
		const struct rtap_queue_counters *q = &c->queues[i];

		fprintf(out, "%4" PRIu32 " %5" PRIu32 " %5" PRIu32, q->port_id, q->queue_id,
			q->lcore_id);
		print_values(out, &fields_queue, q);
	}
}

static void print_rings(FILE *out, const struct rtap_counters *c) {
	fprintf(out, "\n%-31s %4s %5s %4s %8s %6s", "ring", "port", "queue", "ring", "size",
		"worker");
	print_names(out, &fields_ring);
	for (uint32_t i = 0; i < c->shape.nb_rings; i++) {
		const struct rtap_ring_counters *r = &c->rings[i];
		uint64_t owner = rtap_counter_get(&r->owner);

		fprintf(out, "%-31s %4" PRIu32 " %5" PRIu32 " %4" PRIu32 " %8" PRIu32,
			print_name(r->name).text, r->port_id, r->queue_id, r->ring_id, r->size);
		if (owner == 0)
			fprintf(out, " %6s", "-");
		else
			fprintf(out, " %6" PRIu64, owner - 1);
		print_values(out, &fields_ring, r);
	}
}

static void print_workers(FILE *out, const struct view *view) {
	const struct rtap_counters *c = &view->counters;

	fprintf(out, "\n%6s %-8s %7s %10s %7s %9s %11s", "worker", "state", "pid", "supervisor",
		"age", "heartbeat", "waiting_for");
	print_names(out, &fields_worker);
	for (uint32_t i = 0; i < c->shape.nb_slots; i++) {
		const struct rtap_slot_counters *s = &c->slots[i];
		uint64_t started_us = rtap_counter_get(&s->started_us);

		if (started_us == 0)
			continue;
		fprintf(out, "%6" PRIu32 " %-8s %7" PRIu64 " %10" PRIu64 " %7s %9s %11s", i,
			view_worker_state_name(rtap_counter_get(&s->state)),
			rtap_counter_get(&s->pid), rtap_counter_get(&s->supervisor_pid),
			age_since(view->now_us, started_us).text,
			age_since(view->now_us, rtap_counter_get(&s->heartbeat_us)).text,
			view_wait_name(view_waiting_for(s)));
		print_values(out, &fields_worker, s);
	}
}

void print_silent_workers(FILE *out, const struct view *view) {
	const struct rtap_counters *c = &view->counters;
	// The primary copies the signs of life: older than its own last one means nothing.
	uint64_t updated_us = rtap_counter_get(&c->header->updated_us);

	if (view->primary != VIEW_RUNNING)
		return;
	for (uint32_t i = 0; i < c->shape.nb_slots; i++) {
		const struct rtap_slot_counters *s = &c->slots[i];
		uint64_t beat_us = rtap_counter_get(&s->heartbeat_us);

		if (!rtap_slot_is_live(s) || updated_us < beat_us + SILENT_US)
			continue;
		fprintf(out,
			"worker %" PRIu32 " (pid %" PRIu64 "): no heartbeat for %s; its supervisor "
			"(pid %" PRIu64 ") replaces it after stuck-timeout-s\n",
			i, rtap_counter_get(&s->pid), age_since(view->now_us, beat_us).text,
			rtap_counter_get(&s->supervisor_pid));
	}
}

void print_waiting_workers(FILE *out, const struct view *view) {
	const struct rtap_counters *c = &view->counters;

	for (uint32_t i = 0; i < c->shape.nb_slots; i++) {
		const struct rtap_slot_counters *s = &c->slots[i];
		enum rtap_wait wait = view_waiting_for(s);

		if (wait == RTAP_WAIT_NOTHING)
			continue;
		fprintf(out,
			"worker %" PRIu32 " (pid %" PRIu64 ") waits: %s (%" PRIu64
			" partitions with packets); its log says more\n",
			i, rtap_counter_get(&s->pid), view_wait_text(wait),
			rtap_counter_get(&s->partitions_waiting));
	}
}

void print_verbose(FILE *out, const struct view *view) {
	print_instance(out, view->counters.header);
	print_ports(out, &view->counters);
	print_queues(out, &view->counters);
	print_rings(out, &view->counters);
	print_workers(out, view);
}

static void explain_list(FILE *out, const struct field_list *list, const char *about) {
	fprintf(out, "\n\"%s\": %s\n", list->title, about);
	for (size_t i = 0; i < list->nb_fields; i++) {
		const struct field *f = &list->fields[i];

		fprintf(out, "  %-16s %-8s %s%s\n", f->name, f->unit, f->help,
			f->gauge ? " (goes up and down)" : "");
	}
}

void print_explanation(FILE *out) {
	rtap_table_explain(out);
	fputs("\nCounters, with their names in --verbose and --json. They start at 0 with the primary and\n"
	      "only grow, unless they say otherwise. In JSON, \"balance\" is the table (null for \"-\" of\n"
	      "queued and out), \"primary\" the state of the primary, times end in _us: microseconds\n"
	      "since the epoch, UTC.\n",
	      out);
	explain_list(out, &fields_instance, "the instance");
	explain_list(out, &fields_port, "per port: what the driver says");
	explain_list(out, &fields_queue, "per receive queue, by \"port_id\" and \"queue_id\"");
	explain_list(
		out, &fields_ring,
		"per transmit ring; \"worker\" is the one that serves it, or null"
	);
	explain_list(
		out, &fields_worker,
		"per transmit worker, by \"worker\"; numbers are reused and their counters\n"
		"  continue; gauges are 0 for a worker that is gone"
	);
	fprintf(out, "  %-16s %-8s %s\n", "waiting_for", "reason",
		"what most of partitions_waiting wait for:");
	for (uint64_t wait = 0; wait < RTAP_NB_WAITS; wait++)
		fprintf(out, "  %-25s %s: %s\n", "", view_wait_name(wait), view_wait_text(wait));
}
