// SPDX-License-Identifier: BSD-3-Clause
// Rows of the table, snapshots, and the laws between counters.

#include "balance.h"

#include "errno_set.h"

#include <stdlib.h>
#include <string.h>

#define ASKED_WITHIN_US 200000 // the control thread asks drivers every 100 ms

// Two counters that were not read at one moment: never below 0.
static uint64_t minus(uint64_t a, uint64_t b) {
	return a > b ? a - b : 0;
}

bool rtap_slot_is_live(const struct rtap_slot_counters *slot) {
	switch (rtap_counter_get(&slot->state)) {
	case RTAP_WORKER_STARTING:
	case RTAP_WORKER_SERVING:
	case RTAP_WORKER_DRAINING:
		return true;
	default:
		return false;
	}
}

static uint64_t dropped_by_device(const struct rtap_port_counters *p) {
	return rtap_counter_get(&p->missed) + rtap_counter_get(&p->errors)
		+ rtap_counter_get(&p->no_buffer);
}

static uint64_t seen_by_device(const struct rtap_port_counters *p) {
	return rtap_counter_get(&p->received) + dropped_by_device(p);
}

static void add_port(const struct rtap_port_counters *p, struct rtap_balance *b) {
	b->nic.in += seen_by_device(p);
	b->nic.drops += dropped_by_device(p);
}

static void add_queue(const struct rtap_queue_counters *q, struct rtap_balance *b) {
	b->rx.in += rtap_counter_get(&q->received);
	b->rx.drops += rtap_counter_get(&q->malformed);
	b->filtered += rtap_counter_get(&q->filtered);
}

static void add_ring(const struct rtap_ring_counters *r, struct rtap_balance *b) {
	uint64_t sent_again = rtap_counter_get(&r->sent_again);
	uint64_t taken = rtap_counter_get(&r->taken);
	uint64_t enqueued = rtap_counter_get(&r->enqueued);

	b->rx.out += enqueued;
	b->rx.queued += minus(enqueued + sent_again, taken);
	b->rx.drops += rtap_counter_get(&r->ring_full);
	b->tx.in += taken;
	b->sent_again += sent_again;
}

static uint64_t failed(const struct rtap_slot_counters *s) {
	return rtap_counter_get(&s->failed_too_large) + rtap_counter_get(&s->failed_invalid);
}

static void add_slot(const struct rtap_slot_counters *s, struct rtap_balance *b) {
	uint64_t returned = rtap_counter_get(&s->returned);

	b->tx.out += minus(rtap_counter_get(&s->accepted), returned);
	b->kaf.out += rtap_counter_get(&s->delivered);
	b->kaf.drops += failed(s);
	if (!rtap_slot_is_live(s))
		return;
	b->tx.queued += rtap_counter_get(&s->tx_queued) + rtap_counter_get(&s->outbox);
	b->tx.drops += rtap_counter_get(&s->tx_refused);
	b->kaf.queued += rtap_counter_get(&s->in_flight);
}

void rtap_balance_compute(const struct rtap_counters *c, struct rtap_balance *balance) {
	memset(balance, 0, sizeof(*balance));
	for (uint32_t i = 0; i < c->shape.nb_slots; i++)
		add_slot(&c->slots[i], balance);
	for (uint32_t i = 0; i < c->shape.nb_rings; i++)
		add_ring(&c->rings[i], balance);
	for (uint32_t i = 0; i < c->shape.nb_queues; i++)
		add_queue(&c->queues[i], balance);
	for (uint32_t i = 0; i < c->shape.nb_ports; i++)
		add_port(&c->ports[i], balance);
	balance->kaf.in = balance->tx.out;
}

// Where the words that change begin.
#define FIRST_WORD (offsetof(struct rtap_counters_header, state) / sizeof(uint64_t))

void rtap_snapshot_take(struct rtap_counters *snapshot, const struct rtap_counters *c) {
	const rtap_counter_t *from = (const void *)c->header;
	rtap_counter_t *to = (void *)snapshot->header;

	for (size_t i = snapshot->mapped_bytes / sizeof(uint64_t); i-- > FIRST_WORD;)
		rtap_counter_set(&to[i], atomic_load_explicit(&from[i], memory_order_acquire));
}

static void *in_copy(unsigned char *base, const struct rtap_counters *c, const void *array) {
	return base + ((const unsigned char *)array - (const unsigned char *)c->header);
}

int rtap_snapshot_init(struct rtap_counters *snapshot, const struct rtap_counters *c) {
	unsigned char *base = aligned_alloc(64, c->mapped_bytes);

	memset(snapshot, 0, sizeof(*snapshot));
	if (base == NULL)
		return errno_set(ENOMEM);
	memcpy(base, c->header, FIRST_WORD * sizeof(uint64_t));
	*snapshot = (struct rtap_counters){
		.header = (void *)base,
		.ports = in_copy(base, c, c->ports),
		.queues = in_copy(base, c, c->queues),
		.rings = in_copy(base, c, c->rings),
		.slots = in_copy(base, c, c->slots),
		.shape = c->shape,
		.mapped_bytes = c->mapped_bytes,
	};
	rtap_snapshot_take(snapshot, c);
	return 0;
}

void rtap_snapshot_fini(struct rtap_counters *snapshot) {
	free(snapshot->header);
	memset(snapshot, 0, sizeof(*snapshot));
}

static const char *const law_texts[] = {
	[RTAP_LAW_DEVICE] = "received of the queues <= received + missed + errors + no_buffer",
	[RTAP_LAW_RECEIVED] = "received = malformed + filtered + enqueued + ring_full",
	[RTAP_LAW_QUEUE_ENQUEUED] = "enqueued of the queue = enqueued of its rings",
	[RTAP_LAW_QUEUE_RING_FULL] = "ring_full of the queue = ring_full of its rings",
	[RTAP_LAW_RELEASED] = "enqueued = released + in_ring",
	[RTAP_LAW_RELEASED_TAKEN] = "released + sent_again <= taken",
	[RTAP_LAW_TAKEN_ENQUEUED] = "taken <= enqueued + sent_again",
	[RTAP_LAW_HANDED_OVER] = "[rx] out + sent again = [rx] queued + [tx] in",
	[RTAP_LAW_RELEASED_DONE] = "released <= delivered + failed",
	[RTAP_LAW_DONE_TAKEN] = "delivered + failed <= taken",
	[RTAP_LAW_AT_REST] = "released = delivered + failed, at rest, up to sent_again",
};

const char *rtap_law_text(enum rtap_law_kind kind) {
	return law_texts[kind];
}

int rtap_laws_init(struct rtap_laws *laws, const struct rtap_counters *snapshot) {
	const struct rtap_counters_shape *shape = &snapshot->shape;
	struct rtap_law *law;

	laws->nb_laws = 0;
	laws->laws = calloc(
		(size_t)shape->nb_ports + 3 * (size_t)shape->nb_queues + 3 * (size_t)shape->nb_rings
			+ 4,
		sizeof(*law)
	);
	if (laws->laws == NULL)
		return errno_set(ENOMEM);
	law = laws->laws;
	for (uint32_t i = 0; i < shape->nb_ports; i++)
		*law++ = (struct rtap_law){.kind = RTAP_LAW_DEVICE, .index = i};
	for (uint32_t i = 0; i < shape->nb_queues; i++)
		for (int kind = RTAP_LAW_RECEIVED; kind <= RTAP_LAW_QUEUE_RING_FULL; kind++)
			*law++ = (struct rtap_law){.kind = kind, .index = i};
	for (uint32_t i = 0; i < shape->nb_rings; i++)
		for (int kind = RTAP_LAW_RELEASED; kind <= RTAP_LAW_TAKEN_ENQUEUED; kind++)
			if (rtap_counter_get(&snapshot->rings[i].quarantined) == 0)
				*law++ = (struct rtap_law){.kind = kind, .index = i};
	for (int kind = RTAP_LAW_HANDED_OVER; kind <= RTAP_LAW_AT_REST; kind++)
		*law++ = (struct rtap_law){.kind = kind};
	laws->nb_laws = (size_t)(law - laws->laws);
	return 0;
}

void rtap_laws_fini(struct rtap_laws *laws) {
	free(laws->laws);
	memset(laws, 0, sizeof(*laws));
}

// Both sides of one law in one snapshot.
struct sides {
	uint64_t left, right;
	uint64_t surplus; // by which the right may be more, in an equality
	bool pending; // the law does not speak of this moment
};

static struct sides sides(uint64_t left, uint64_t right) {
	return (struct sides){.left = left, .right = right};
}

// A driver that counts nothing, began again, or has lost its peer, says nothing of all that came.
static struct sides port_sides(const struct rtap_law *law, const struct rtap_counters *c) {
	const struct rtap_port_counters *p = &c->ports[law->index];
	struct sides s = {.right = seen_by_device(p)};
	unsigned int nb_queues = 0;

	for (uint32_t i = 0; i < c->shape.nb_queues; i++) {
		if (c->queues[i].port_id != p->port_id)
			continue;
		s.left += rtap_counter_get(&c->queues[i].received);
		nb_queues++;
	}
	if (s.left > 0)
		s.pending = nb_queues > RTAP_COUNTED_QUEUES || rtap_counter_get(&p->received) == 0
			|| rtap_counter_get(&p->link_up) == 0
			|| rtap_counter_get(&p->statistics_resets) > 0;
	return s;
}

static struct sides queue_sides(const struct rtap_law *law, const struct rtap_counters *c) {
	const struct rtap_queue_counters *q = &c->queues[law->index];
	struct sides s = {0};

	if (law->kind == RTAP_LAW_RECEIVED) {
		s.left = rtap_counter_get(&q->received);
		s.right = rtap_counter_get(&q->malformed) + rtap_counter_get(&q->filtered)
			+ rtap_counter_get(&q->enqueued) + rtap_counter_get(&q->ring_full);
		return s;
	}
	s.left = rtap_counter_get(
		law->kind == RTAP_LAW_QUEUE_ENQUEUED ? &q->enqueued : &q->ring_full
	);
	for (uint32_t i = 0; i < c->shape.nb_rings; i++) {
		const struct rtap_ring_counters *r = &c->rings[i];

		if (r->port_id == q->port_id && r->queue_id == q->queue_id)
			s.right += rtap_counter_get(
				law->kind == RTAP_LAW_QUEUE_ENQUEUED ? &r->enqueued : &r->ring_full
			);
	}
	return s;
}

static struct sides ring_sides(const struct rtap_law *law, const struct rtap_counters *c) {
	const struct rtap_ring_counters *r = &c->rings[law->index];
	uint64_t sent_again = rtap_counter_get(&r->sent_again);
	uint64_t taken = rtap_counter_get(&r->taken);
	uint64_t enqueued = rtap_counter_get(&r->enqueued);
	uint64_t released = rtap_counter_get(&r->released);

	switch (law->kind) {
	case RTAP_LAW_RELEASED_TAKEN:
		return sides(released + sent_again, taken);
	case RTAP_LAW_TAKEN_ENQUEUED:
		return sides(taken, enqueued + sent_again);
	default:
		return sides(enqueued, released + rtap_counter_get(&r->in_ring));
	}
}

struct totals {
	uint64_t released, in_ring, done;
};

static struct totals sum_up(const struct rtap_counters *c) {
	struct totals t = {0};

	for (uint32_t i = 0; i < c->shape.nb_rings; i++) {
		t.released += rtap_counter_get(&c->rings[i].released);
		t.in_ring += rtap_counter_get(&c->rings[i].in_ring);
	}
	for (uint32_t i = 0; i < c->shape.nb_slots; i++)
		t.done += rtap_counter_get(&c->slots[i].delivered) + failed(&c->slots[i]);
	return t;
}

static struct sides instance_sides(const struct rtap_law *law, const struct rtap_counters *c) {
	struct rtap_balance b;
	struct totals t = sum_up(c);

	rtap_balance_compute(c, &b);
	switch (law->kind) {
	case RTAP_LAW_HANDED_OVER:
		return sides(b.rx.out + b.sent_again, b.rx.queued + b.tx.in);
	case RTAP_LAW_RELEASED_DONE:
		return sides(t.released, t.done);
	case RTAP_LAW_DONE_TAKEN:
		return sides(t.done, b.tx.in);
	default:
		return (struct sides){t.released, t.done, b.sent_again, t.in_ring != 0};
	}
}

static struct sides sides_of(const struct rtap_law *law, const struct rtap_counters *c) {
	if (law->kind == RTAP_LAW_DEVICE)
		return port_sides(law, c);
	if (law->kind <= RTAP_LAW_QUEUE_RING_FULL)
		return queue_sides(law, c);
	if (law->kind <= RTAP_LAW_TAKEN_ENQUEUED)
		return ring_sides(law, c);
	return instance_sides(law, c);
}

static bool is_upper_bound(enum rtap_law_kind kind) {
	return kind == RTAP_LAW_RELEASED_TAKEN || kind == RTAP_LAW_TAKEN_ENQUEUED
		|| kind == RTAP_LAW_RELEASED_DONE || kind == RTAP_LAW_DONE_TAKEN;
}

// What one killed receive worker may have left uncounted: part of a burst, or of what it released.
static uint64_t allowance(const struct rtap_law *law, const struct rtap_counters *c) {
	switch (law->kind) {
	case RTAP_LAW_RECEIVED:
	case RTAP_LAW_QUEUE_ENQUEUED:
	case RTAP_LAW_QUEUE_RING_FULL:
		return RTAP_LAW_BURST_MAX;
	case RTAP_LAW_RELEASED:
	case RTAP_LAW_TAKEN_ENQUEUED:
		return c->rings[law->index].size;
	case RTAP_LAW_HANDED_OVER:
		return (uint64_t)RTAP_LAW_BURST_MAX * c->shape.nb_queues;
	default:
		return 0;
	}
}

static void settle(struct rtap_law *law, uint64_t left, uint64_t right, bool holds) {
	law->left = left;
	law->right = right;
	if (holds)
		law->held = true;
	else
		law->failures++;
}

// The control thread asks the drivers ten times a second: what queues had received at the first
// look must be seen by the device once it has asked. A killed primary asked for the last time
// before.
static void judge_device(
	struct rtap_law *law, const struct rtap_counters *second, struct sides a, struct sides b,
	bool unfinished
) {
	uint64_t now_us = rtap_counter_get(&second->header->updated_us);

	if (a.pending || b.pending || unfinished)
		return;
	if (law->since_us == 0) {
		law->left = a.left;
		law->since_us = now_us + 1; // never 0
	}
	if (law->left <= b.right || now_us > law->since_us + ASKED_WITHIN_US)
		settle(law, law->left, b.right, law->left <= b.right);
}

static void
judge(struct rtap_law *law, const struct rtap_counters *first, const struct rtap_counters *second,
      bool unfinished) {
	struct sides a = sides_of(law, first), b = sides_of(law, second);
	uint64_t slack = unfinished ? allowance(law, second) : 0;

	if (law->kind == RTAP_LAW_DEVICE) {
		judge_device(law, second, a, b, unfinished);
		return;
	}
	if (is_upper_bound(law->kind)) {
		settle(law, a.left, b.right, a.left <= b.right + slack);
		return;
	}
	// After the primary was killed no counter says what the transmit workers gave back.
	if (a.left != b.left || a.right != b.right || a.pending || b.pending
	    || (law->kind == RTAP_LAW_AT_REST && unfinished))
		return;
	settle(law, b.left, b.right,
	       b.left <= b.right + slack && b.right <= b.left + b.surplus + slack);
}

size_t rtap_laws_judge(
	struct rtap_laws *laws, const struct rtap_counters *first,
	const struct rtap_counters *second, bool unfinished
) {
	size_t nb_failing = 0;

	for (size_t i = 0; i < laws->nb_laws; i++) {
		struct rtap_law *law = &laws->laws[i];

		if (!law->held)
			judge(law, first, second, unfinished);
		nb_failing += !law->held && (law->failures > 0 || law->since_us > 0);
	}
	return nb_failing;
}
