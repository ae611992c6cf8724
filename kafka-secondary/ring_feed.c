// SPDX-License-Identifier: BSD-3-Clause
// One ring's way to Kafka in one worker.

#include "ring_feed.h"

#include "flow_hash.h"
#include "packet_guard.h"

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TYPE "feed"

#define MS UINT64_C(1000000)
#define BACKOFF_FIRST_NS (100 * MS)
#define BACKOFF_MOST_NS (10000 * MS)
#define FULL_PAUSE_NS (1 * MS)
#define SAY_AGAIN_NS (60000 * MS)

int ring_feed_begin(struct ring_feed *f, const struct feed_context *ctx) {
	uint64_t taken = rtap_counter_get(&f->counters->taken);
	uint64_t again = rtap_counter_get(&f->counters->sent_again);
	uint32_t repeated;
	int rc;

	rtap_ring_take_over(&f->consumer, f->ring);
	// taken - sent_again is the ring index up to which a worker had read: what lies between the tail
	// and there is read once more.
	repeated = (uint32_t)(taken - again) - f->consumer.tail;
	if (repeated > rte_ring_get_size(f->ring)) {
		// The counters were overwritten. Packets matter more: count on from the ring.
		LOG(ERR, "%s: counters and ring disagree, the balance no longer adds up", f->name);
		rtap_counter_set(&f->counters->taken, taken + (uint32_t)-repeated);
		repeated = 0;
	}
	rc = ack_window_init(&f->window, (uint32_t)ctx->cfg->ack_window);
	if (rc < 0)
		return rc;
	ack_window_reset(&f->window, f->consumer.tail);
	rtap_counter_set(&f->counters->sent_again, again + repeated);
	f->owned = true;
	f->giving_back = false;
	f->state = FEED_READING;
	f->backoff_ns = 0;
	f->said_held_back = false;
	f->nb_refused = 0;
	return 0;
}

void ring_feed_end(struct ring_feed *f) {
	ack_window_fini(&f->window);
	free(f->linear);
	f->linear = NULL;
	f->owned = false;
}

static void copy_segments(const struct rte_mbuf *m, char *to) {
	for (; m != NULL; m = m->next) {
		memcpy(to, rte_pktmbuf_mtod(m, const void *), rte_pktmbuf_data_len(m));
		to += rte_pktmbuf_data_len(m);
	}
}

// The client wants one stretch of memory: copy a multi-segment packet, keep the copy until its report.
static const void *
linearise(struct ring_feed *f, struct feed_context *ctx, struct rte_mbuf *m, uint32_t index) {
	void **slot;

	if (f->linear == NULL)
		f->linear = calloc(f->window.mask + 1, sizeof(*f->linear));
	if (f->linear == NULL)
		return NULL;
	slot = &f->linear[index & f->window.mask];
	if (*slot != NULL)
		return *slot; // sent again
	*slot = malloc(rte_pktmbuf_pkt_len(m));
	if (*slot == NULL)
		return NULL;
	rtap_counter_add(&ctx->counters->linearised, 1);
	copy_segments(m, *slot);
	return *slot;
}

static void forget_copy(struct ring_feed *f, uint32_t index) {
	void **slot;

	if (likely(f->linear == NULL))
		return;
	slot = &f->linear[index & f->window.mask];
	free(*slot);
	*slot = NULL;
}

static int32_t choose_partition(
	struct ring_feed *f, const struct feed_context *ctx, const struct message_partitions *set,
	const struct rte_mbuf *m
) {
	if (ctx->cfg->partitioner == RTAP_PARTITIONER_BURST)
		return set->first + f->burst_partition % set->nb;
	return message_partition(
		set, rtap_flow_hash(rte_pktmbuf_mtod(m, const void *), rte_pktmbuf_data_len(m))
	);
}

// Returns how many records were made: fewer than `nb` only when memory is out.
static unsigned int make_records(
	struct ring_feed *f, struct feed_context *ctx, uint32_t index, unsigned int nb, bool alone
) {
	struct message_partitions set = message_partitions_of_ring(
		ctx->cfg->partitioner, f->ring_index, ctx->shm_header->nb_rings,
		kafka_producer_nb_partitions(ctx->producer)
	);

	f->burst_partition = (f->burst_partition + 1) & INT32_MAX;
	for (unsigned int i = 0; i < nb; i++) {
		struct rte_mbuf *m = ctx->pkts[i];
		struct message *r = &ctx->records[i];
		const struct rtap_packet_stamp *stamp
			= RTE_MBUF_DYNFIELD(m, ctx->shm_header->stamp_offset, const struct rtap_packet_stamp *);

		r->payload = likely(m->nb_segs == 1) ? rte_pktmbuf_mtod(m, const void *)
						     : linearise(f, ctx, m, index + i);
		if (unlikely(r->payload == NULL))
			return i;
		r->len = rte_pktmbuf_pkt_len(m);
		r->partition = choose_partition(f, ctx, &set, m);
		r->tag = feed_tag(f->ring_index, index + i, alone);
		r->wire_bytes = (uint32_t)stamp->wire_bytes;
		r->sequence = stamp->sequence;
		r->time_ns = stamp->time_ns;
		r->origin = f->origin;
		message_key(stamp->time_ns, ctx->cfg->key_unit, r->key);
	}
	return nb;
}

static void say(struct ring_feed *f, const struct feed_context *ctx, const char *what) {
	uint64_t hidden;

	if (!rtap_log_limit_pass(&f->log_limit, ctx->now_ns, SAY_AGAIN_NS, &hidden))
		return;
	LOG(WARNING,
	    "%s: held back: %s; sent again after %" PRIu64
	    " ms, once nothing of this ring is in flight (%" PRIu64
	    " times more since the last line)",
	    f->name, what, f->backoff_ns / MS, hidden);
	f->said_held_back = true;
}

static void flow_again(struct ring_feed *f) {
	f->backoff_ns = 0;
	if (!f->said_held_back)
		return;
	LOG(NOTICE, "%s: flows again", f->name);
	f->said_held_back = false;
}

static void hold_back(struct ring_feed *f, const struct feed_context *ctx, const char *what) {
	if (f->state == FEED_FAILED)
		return;
	f->backoff_ns = f->backoff_ns == 0 ? BACKOFF_FIRST_NS : f->backoff_ns * 2;
	if (f->backoff_ns > BACKOFF_MOST_NS)
		f->backoff_ns = BACKOFF_MOST_NS;
	f->state = FEED_FAILED;
	f->resume_ns = ctx->now_ns + f->backoff_ns;
	say(f, ctx, what);
}

static void
fail_for_good(struct ring_feed *f, struct feed_context *ctx, uint32_t index, bool size) {
	static struct rtap_log_limit limit;
	uint64_t hidden;

	ack_window_set(&f->window, index, ACK_FAILED);
	forget_copy(f, index);
	rtap_counter_add(
		size ? &ctx->counters->failed_too_large : &ctx->counters->failed_invalid, 1
	);
	if (rtap_log_limit_pass(&limit, ctx->now_ns, SAY_AGAIN_NS, &hidden))
		LOG(ERR, "%s: a packet failed for good: %s (%" PRIu64 " more since the last line)",
		    f->name,
		    size ? "too large for the client (message.max.bytes) or the broker"
			 : "the broker refuses it as an invalid record",
		    hidden);
}

static void pause_for_room(struct ring_feed *f, const struct feed_context *ctx) {
	if (f->state == FEED_FAILED)
		return;
	f->state = FEED_FULL;
	f->resume_ns = ctx->now_ns + FULL_PAUSE_NS;
}

static void take_offer(
	struct ring_feed *f, struct feed_context *ctx, uint32_t index, const struct message *r,
	const char *error
) {
	switch (r->result) {
	case KAFKA_ACCEPTED:
		ack_window_set(&f->window, index, ACK_IN_FLIGHT);
		return;
	case KAFKA_TOO_LARGE:
		// Handed over and failed in one: [kaf] in = queued + out + drops.
		rtap_counter_add(&ctx->counters->accepted, 1);
		fail_for_good(f, ctx, index, true);
		return;
	case KAFKA_QUEUE_FULL:
		pause_for_room(f, ctx);
		break;
	case KAFKA_FATAL:
		ctx->fatal = true;
		break;
	case KAFKA_REFUSED:
		hold_back(f, ctx, error);
		break;
	}
	f->nb_refused++;
	rtap_counter_add(&ctx->counters->refused, 1);
}

static void
offer(struct ring_feed *f, struct feed_context *ctx, uint32_t index, unsigned int nb, bool alone) {
	const char *error;
	unsigned int nb_records = make_records(f, ctx, index, nb, alone);
	struct kafka_producer *producer = alone ? ctx->lone : ctx->producer;

	if (unlikely(nb_records < nb))
		hold_back(f, ctx, "no memory for a packet of several segments");
	if (nb_records == 0)
		return;
	rtap_counter_add(
		&ctx->counters->accepted,
		kafka_producer_offer(producer, ctx->records, nb_records, &error)
	);
	for (unsigned int i = 0; i < nb_records; i++)
		take_offer(f, ctx, index + i, &ctx->records[i], error);
}

static int read_new(struct ring_feed *f, struct feed_context *ctx, uint32_t nb_release) {
	uint32_t index, room = ack_window_room(&f->window);
	unsigned int max = (unsigned int)ctx->cfg->worker_burst;
	int nb;

	nb = rtap_ring_read(&f->consumer, nb_release, ctx->pkts, max < room ? max : room);
	if (nb <= 0)
		return nb;
	index = f->window.head;
	ack_window_push(&f->window, (uint32_t)nb);
	rtap_counter_add(&f->counters->taken, (uint64_t)nb);
	offer(f, ctx, index, (unsigned int)nb, false);
	return nb;
}

// The producer for single messages is rarely needed and costs threads: create it at the first suspect.
static bool lone_producer_ready(struct ring_feed *f, struct feed_context *ctx) {
	char why[256];

	if (ctx->lone == NULL)
		ctx->lone = kafka_producer_create(
			ctx->cfg, ctx->shm_header->nb_rings, true, false, why, sizeof(why)
		);
	if (ctx->lone == NULL)
		hold_back(f, ctx, why);
	return ctx->lone != NULL;
}

// Send the next stretch of what failed again. Returns packets offered.
static int resend(struct ring_feed *f, struct feed_context *ctx) {
	enum ack_state kind;
	uint32_t nb;
	int rc;

	nb = ack_window_next_run(
		&f->window, &f->resend_from, &kind, (uint32_t)ctx->cfg->worker_burst
	);
	// Two producers at once would reorder: what was sent alone comes back before anything else goes.
	if (f->window.nb[ACK_IN_FLIGHT] > 0
	    && (nb == 0 ? f->resend_kind == ACK_SUSPECT : kind != f->resend_kind))
		return 0;
	if (nb == 0) {
		f->state = FEED_READING;
		return 0;
	}
	if (kind == ACK_SUSPECT && !lone_producer_ready(f, ctx))
		return 0;
	f->resend_kind = kind;
	rc = rtap_ring_look_again(&f->consumer, f->resend_from - f->window.tail, ctx->pkts, nb);
	if (rc <= 0)
		return rc;
	offer(f, ctx, f->resend_from, (unsigned int)rc, kind == ACK_SUSPECT);
	return rc;
}

int ring_feed_serve(struct ring_feed *f, struct feed_context *ctx) {
	uint32_t nb_release = ack_window_advance(&f->window);
	int rc;

	if (f->state == FEED_READING && !f->giving_back)
		return (rc = read_new(f, ctx, nb_release)) < 0 ? rc : rc + (int)nb_release;
	if (nb_release > 0 && (rc = rtap_ring_read(&f->consumer, nb_release, ctx->pkts, 0)) < 0)
		return rc;
	if (f->state == FEED_READING || ctx->now_ns < f->resume_ns
	    || (f->state == FEED_FAILED && f->window.nb[ACK_IN_FLIGHT] > 0))
		return (int)nb_release;
	if (f->state != FEED_RESENDING) {
		f->state = FEED_RESENDING;
		f->resend_from = f->window.tail;
		f->resend_kind = ACK_WAITING;
		f->nb_refused = 0;
	}
	rc = resend(f, ctx);
	return rc < 0 ? rc : rc + (int)nb_release;
}

void ring_feed_report(
	struct ring_feed *f, struct feed_context *ctx, uint32_t index, bool alone,
	enum kafka_outcome outcome, size_t len, const char *error
) {
	if (!ack_window_contains(&f->window, index)
	    || ack_window_get(&f->window, index) != ACK_IN_FLIGHT)
		return; // cannot be: every tag is out once
	if (likely(outcome == KAFKA_DELIVERED)) {
		ack_window_set(&f->window, index, ACK_DELIVERED);
		forget_copy(f, index);
		rtap_counter_add(&ctx->counters->delivered, 1);
		rtap_counter_add(&ctx->counters->delivered_bytes, len);
		if (unlikely(f->backoff_ns != 0) && f->state == FEED_READING)
			flow_again(f);
		return;
	}
	if (outcome == KAFKA_UNSENDABLE || (alone && outcome != KAFKA_RETURNED)) {
		fail_for_good(f, ctx, index, outcome != KAFKA_SUSPECT_CONTENT);
		return;
	}
	ack_window_set(
		&f->window, index, outcome == KAFKA_RETURNED && !alone ? ACK_WAITING : ACK_SUSPECT
	);
	rtap_counter_add(&ctx->counters->returned, 1);
	hold_back(f, ctx, error);
}

void ring_feed_count_orphans(const struct ring_feed *f) {
	const uint32_t *nb = f->window.nb;
	uint32_t not_reported = nb[ACK_WAITING] + nb[ACK_SUSPECT] + nb[ACK_IN_FLIGHT];

	rtap_counter_set(
		&f->counters->orphaned,
		rte_ring_count(f->ring) - f->consumer.in_window + not_reported
	);
}

void ring_feed_add_totals(const struct ring_feed *f, struct feed_totals *totals) {
	uint32_t waiting = f->window.nb[ACK_WAITING] + f->window.nb[ACK_SUSPECT];

	totals->in_flight += f->window.nb[ACK_IN_FLIGHT];
	totals->tx_refused += f->nb_refused;
	totals->tx_queued += waiting - f->nb_refused;
	totals->blocked += f->state == FEED_FAILED || f->state == FEED_RESENDING;
}
