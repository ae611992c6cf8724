// SPDX-License-Identifier: BSD-3-Clause
// One look as a JSON object. Names are those of counters.def and never change their meaning.

#include "fields.h"
#include "json_string.h"
#include "print.h"

#include <inttypes.h>

// A string of ours is ASCII, but the file may hold anything, even without an end.
static void put_string(FILE *out, const char *text) {
	rtap_json_put_string(out, text, sizeof(struct print_name) - 1);
}

static void put_text_member(FILE *out, const char *name, const char *text) {
	fprintf(out, "\"%s\":", name);
	put_string(out, text);
	fputc(',', out);
}

static void put_number(FILE *out, const char *name, uint64_t value) {
	fprintf(out, "\"%s\":%" PRIu64 ",", name, value);
}

// The counters are the last members of their object.
static void put_fields(FILE *out, const struct field_list *list, const void *base) {
	for (size_t i = 0; i < list->nb_fields; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", list->fields[i].name,
			field_get(&list->fields[i], base));
	fputc('}', out);
}

static void put_primary(FILE *out, const struct view *view) {
	const struct rtap_counters_header *h = view->counters.header;

	fputs("\"primary\":{", out);
	put_text_member(out, "state", view_primary_name(view->primary));
	put_text_member(out, "phase", view_phase_name(rtap_counter_get(&h->state)));
	put_text_member(out, "dpdk_version", h->dpdk_version);
	fputs("\"boot_id\":\"", out);
	for (int i = 0; i < RTAP_BOOT_ID_SIZE; i++)
		fprintf(out, "%02x", h->boot_id[i]);
	fputs("\",", out);
	put_number(out, "started_us", h->started_us);
	put_number(out, "updated_us", rtap_counter_get(&h->updated_us));
	fprintf(out, "\"pid\":%" PRId64 "},", h->primary_pid);
}

static void put_row(FILE *out, const char *name, const struct rtap_row *row) {
	fprintf(out,
		"\"%s\":{\"in\":%" PRIu64 ",\"queued\":%" PRIu64 ",\"out\":%" PRIu64
		",\"drops\":%" PRIu64 "},",
		name, row->in, row->queued, row->out, row->drops);
}

static void put_balance(FILE *out, const struct rtap_counters *c) {
	struct rtap_balance b;

	rtap_balance_compute(c, &b);
	fprintf(out, "\"balance\":{\"nic\":{\"in\":%" PRIu64 ",\"queued\":null,\"out\":null,",
		b.nic.in);
	fprintf(out, "\"drops\":%" PRIu64 "},", b.nic.drops);
	put_row(out, "rx", &b.rx);
	put_row(out, "tx", &b.tx);
	put_row(out, "kaf", &b.kaf);
	put_number(out, "filtered", b.filtered);
	fprintf(out, "\"sent_again\":%" PRIu64 "},", b.sent_again);
}

static void put_port(FILE *out, const struct rtap_port_counters *p) {
	fputc('{', out);
	put_number(out, "port_id", p->port_id);
	put_text_member(out, "name", p->name);
	put_text_member(out, "driver", p->driver);
	put_fields(out, &fields_port, p);
}

static void put_queue(FILE *out, const struct rtap_queue_counters *q) {
	fputc('{', out);
	put_number(out, "port_id", q->port_id);
	put_number(out, "queue_id", q->queue_id);
	put_number(out, "lcore_id", q->lcore_id);
	put_fields(out, &fields_queue, q);
}

static void put_ring(FILE *out, const struct rtap_ring_counters *r) {
	uint64_t owner = rtap_counter_get(&r->owner);

	fputc('{', out);
	put_text_member(out, "name", r->name);
	put_number(out, "port_id", r->port_id);
	put_number(out, "queue_id", r->queue_id);
	put_number(out, "ring_id", r->ring_id);
	put_number(out, "size", r->size);
	if (owner == 0)
		fputs("\"worker\":null,", out);
	else
		put_number(out, "worker", owner - 1);
	put_fields(out, &fields_ring, r);
}

static void put_worker(FILE *out, uint32_t slot, const struct rtap_slot_counters *s) {
	fputc('{', out);
	put_number(out, "worker", slot);
	put_text_member(out, "state", view_worker_state_name(rtap_counter_get(&s->state)));
	put_number(out, "pid", rtap_counter_get(&s->pid));
	put_number(out, "supervisor_pid", rtap_counter_get(&s->supervisor_pid));
	put_number(out, "started_us", rtap_counter_get(&s->started_us));
	put_number(out, "heartbeat_us", rtap_counter_get(&s->heartbeat_us));
	put_text_member(out, "waiting_for", view_wait_name(view_waiting_for(s)));
	put_fields(out, &fields_worker, s);
}

static void put_workers(FILE *out, const struct rtap_counters *c) {
	bool first = true;

	fprintf(out, ",\"%s\":[", fields_worker.title);
	for (uint32_t i = 0; i < c->shape.nb_slots; i++) {
		if (rtap_counter_get(&c->slots[i].started_us) == 0)
			continue;
		if (!first)
			fputc(',', out);
		first = false;
		put_worker(out, i, &c->slots[i]);
	}
	fputc(']', out);
}

#define PUT_ARRAY(out, list, nb, put, items)                                                       \
	do {                                                                                       \
		fprintf(out, ",\"%s\":[", (list).title);                                           \
		for (uint32_t i = 0; i < (nb); i++) {                                              \
			if (i > 0)                                                                 \
				fputc(',', out);                                                   \
			put(out, &(items)[i]);                                                     \
		}                                                                                  \
		fputc(']', out);                                                                   \
	} while (0)

void print_json(FILE *out, const struct view *view) {
	const struct rtap_counters *c = &view->counters;

	fputc('{', out);
	put_text_member(out, "name", c->header->instance);
	put_number(out, "time_us", view->now_us);
	put_primary(out, view);
	put_balance(out, c);
	fprintf(out, "\"%s\":{", fields_instance.title);
	put_fields(out, &fields_instance, c->header);
	PUT_ARRAY(out, fields_port, c->shape.nb_ports, put_port, c->ports);
	PUT_ARRAY(out, fields_queue, c->shape.nb_queues, put_queue, c->queues);
	PUT_ARRAY(out, fields_ring, c->shape.nb_rings, put_ring, c->rings);
	put_workers(out, c);
	fputs("}\n", out);
}
