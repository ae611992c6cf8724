// SPDX-License-Identifier: BSD-3-Clause
// Deliver one ring's packets.

#include "delivery.h"

#include "now.h"
#include "packet_guard.h"

#include <rte_branch_prediction.h>

#include <inttypes.h>

#define LOG_TYPE "delivery"

#define BACKOFF_FIRST_NS (100 * RTAP_MS_NS)
#define BACKOFF_MOST_NS (10 * RTAP_SECOND_NS)
#define NO_ROOM_NS RTAP_MS_NS

int delivery_begin(struct delivery *d, const struct delivery_context *ctx) {
	int rc;

	rc = ack_window_init(&d->window, (uint32_t)ctx->cfg->ack_window);
	if (rc < 0)
		return rc;
	ring_source_take_over(&d->source);
	ack_window_reset(&d->window, ring_source_tail(&d->source));
	d->owned = true;
	d->giving_back = false;
	d->state = DELIVERY_READING;
	d->backoff_ns = 0;
	d->said_paused = false;
	d->nb_refused = 0;
	return 0;
}

void delivery_end(struct delivery *d) {
	ack_window_fini(&d->window);
	d->owned = false;
}

// ---- the state of the ring ----

static void log_pause(struct delivery *d, const struct delivery_context *ctx, const char *why) {
	uint64_t hidden;

	if (!rtap_log_limit_pass(&d->log_limit, ctx->now_ns, RTAP_LOG_AGAIN_NS, &hidden))
		return;
	LOG(WARNING,
	    "%s: paused: %s; retrying in %" PRIu64
	    " ms, once no packet of this ring is in flight (%" PRIu64
	    " more pauses since the last line)",
	    d->source.name, why, d->backoff_ns / RTAP_MS_NS, hidden);
	d->said_paused = true;
}

static void pause_ring(struct delivery *d, const struct delivery_context *ctx, const char *why) {
	if (d->state == DELIVERY_PAUSED)
		return;
	d->backoff_ns = d->backoff_ns == 0 ? BACKOFF_FIRST_NS : d->backoff_ns * 2;
	if (d->backoff_ns > BACKOFF_MOST_NS)
		d->backoff_ns = BACKOFF_MOST_NS;
	d->state = DELIVERY_PAUSED;
	d->resume_ns = ctx->now_ns + d->backoff_ns;
	log_pause(d, ctx, why);
}

static void wait_for_room(struct delivery *d, const struct delivery_context *ctx) {
	if (d->state == DELIVERY_PAUSED)
		return;
	d->state = DELIVERY_NO_ROOM;
	d->resume_ns = ctx->now_ns + NO_ROOM_NS;
}

static void resumed(struct delivery *d) {
	d->backoff_ns = 0;
	if (!d->said_paused)
		return;
	LOG(NOTICE, "%s: resumed: packets are delivered again", d->source.name);
	d->said_paused = false;
}

// ---- the state of a packet ----

static void
failed(struct delivery *d, const struct delivery_context *ctx, uint32_t index,
       rtap_counter_t *counter, const char *why) {
	static struct rtap_log_limit limit;
	uint64_t hidden;

	rtap_counter_add(counter, ack_window_set(&d->window, index, ACK_FAILED));
	if (rtap_log_limit_pass(&limit, ctx->now_ns, RTAP_LOG_AGAIN_NS, &hidden))
		LOG(ERR, "%s: a packet failed for good: %s (%" PRIu64 " more since the last line)",
		    d->source.name, why, hidden);
}

static void
delivered(struct delivery *d, const struct delivery_context *ctx, uint32_t index, size_t len) {
	rtap_counter_add(
		&ctx->counters->delivered, ack_window_set(&d->window, index, ACK_DELIVERED)
	);
	rtap_counter_add(&ctx->counters->delivered_bytes, len);
	if (unlikely(d->backoff_ns != 0) && d->state == DELIVERY_READING)
		resumed(d);
}

static void
refused(struct delivery *d, const struct delivery_context *ctx, uint32_t index,
	enum ack_state next) {
	uint32_t nb = ack_window_set(&d->window, index, next);

	d->nb_refused += nb;
	rtap_counter_add(&ctx->counters->refused, nb);
}

static void returned(
	struct delivery *d, const struct delivery_context *ctx, uint32_t index, enum ack_state next
) {
	bool in_flight = ack_window_get(&d->window, index) == ACK_IN_FLIGHT;
	uint32_t nb = ack_window_set(&d->window, index, next);

	if (in_flight)
		rtap_counter_add(&ctx->counters->returned, nb);
}

// The message at `index` is out, and `report` can come of it.
static bool is_awaited(const struct delivery *d, uint32_t index, enum sink_report report) {
	enum ack_state state;

	if (!ack_window_contains(&d->window, index))
		return false;
	state = ack_window_get(&d->window, index);
	return state == ACK_KEPT || (state == ACK_IN_FLIGHT && report >= SINK_RETURNED);
}

static void sent(struct delivery *d, const struct delivery_context *ctx, uint32_t index) {
	if (ack_window_get(&d->window, index) == ACK_KEPT)
		rtap_counter_add(
			&ctx->counters->accepted, ack_window_set(&d->window, index, ACK_IN_FLIGHT)
		);
}

void delivery_report(
	struct delivery *d, const struct delivery_context *ctx, uint64_t tag,
	enum sink_report report, size_t len, const char *why
) {
	enum ack_state again = message_tag_is_alone(tag) ? ACK_SUSPECT : ACK_WAITING;
	uint32_t index = message_tag_index(tag);

	if (!is_awaited(d, index, report))
		return;
	if (report >= SINK_SENT)
		sent(d, ctx, index);
	switch (report) {
	case SINK_NO_ROOM:
		refused(d, ctx, index, again);
		wait_for_room(d, ctx);
		break;
	case SINK_REFUSED:
		refused(d, ctx, index, again);
		pause_ring(d, ctx, why);
		break;
	case SINK_RETURNED:
		returned(d, ctx, index, again);
		pause_ring(d, ctx, why);
		break;
	case SINK_SENT:
		break;
	case SINK_SUSPECT:
		returned(d, ctx, index, ACK_SUSPECT);
		pause_ring(d, ctx, why);
		break;
	case SINK_TOO_LARGE:
		failed(d, ctx, index, &ctx->counters->failed_too_large,
		       "too large for the client (message.max.bytes) or the broker");
		break;
	case SINK_INVALID:
		failed(d, ctx, index, &ctx->counters->failed_invalid,
		       "the broker refuses it as an invalid record");
		break;
	case SINK_DELIVERED:
		delivered(d, ctx, index, len);
		break;
	}
}

// ---- the way of the packets ----

// Offer the packets in ctx->frames, of which the first one is at ring index `index`.
static void
offer(struct delivery *d, struct delivery_context *ctx, uint32_t index, unsigned int nb,
      bool alone) {
	message_maker_next_burst(&d->maker, sink_nb_partitions(ctx->sink));
	for (unsigned int i = 0; i < nb; i++) {
		struct rte_mbuf *frame = ctx->frames[i];
		struct message *msg = &ctx->messages[i];

		message_make(msg, &d->maker, frame, ring_source_stamp(&d->source, frame));
		msg->tag = message_tag(d->maker.ring, index + i, alone);
		ack_window_set(&d->window, index + i, ACK_KEPT);
	}
	sink_offer(ctx->sink, ctx->messages, nb);
}

static int read_new(struct delivery *d, struct delivery_context *ctx, uint32_t nb_release) {
	uint32_t index, room = ack_window_room(&d->window);
	unsigned int max = (unsigned int)ctx->cfg->worker_burst;
	int nb;

	nb = ring_source_read(&d->source, nb_release, ctx->frames, max < room ? max : room);
	if (nb <= 0)
		return nb;
	index = d->window.head;
	ack_window_push(&d->window, (uint32_t)nb);
	offer(d, ctx, index, (unsigned int)nb, false);
	return nb;
}

// Offer the next stretch of what came back again. Returns packets offered.
static int resend(struct delivery *d, struct delivery_context *ctx) {
	enum ack_state kind;
	uint32_t nb;
	int rc;

	nb = ack_window_next_run(
		&d->window, &d->resend_from, &kind, (uint32_t)ctx->cfg->worker_burst
	);
	// What was sent alone comes back before anything else goes, and the other way round.
	if (ack_window_outstanding(&d->window) > 0
	    && (nb == 0 ? d->resend_kind == ACK_SUSPECT : kind != d->resend_kind))
		return 0;
	if (nb == 0) {
		d->state = DELIVERY_READING;
		return 0;
	}
	d->resend_kind = kind;
	rc = ring_source_look_again(&d->source, d->resend_from - d->window.tail, ctx->frames, nb);
	if (rc <= 0)
		return rc;
	offer(d, ctx, d->resend_from, (unsigned int)rc, kind == ACK_SUSPECT);
	return rc;
}

int delivery_serve(struct delivery *d, struct delivery_context *ctx) {
	uint32_t nb_release = ack_window_advance(&d->window);
	int rc;

	if (d->state == DELIVERY_READING && !d->giving_back)
		return (rc = read_new(d, ctx, nb_release)) < 0 ? rc : rc + (int)nb_release;
	if (nb_release > 0 && (rc = ring_source_read(&d->source, nb_release, ctx->frames, 0)) < 0)
		return rc;
	if (d->state == DELIVERY_READING || ctx->now_ns < d->resume_ns
	    || (d->state == DELIVERY_PAUSED && ack_window_outstanding(&d->window) > 0))
		return (int)nb_release;
	if (d->state != DELIVERY_RESENDING) {
		d->state = DELIVERY_RESENDING;
		d->resend_from = d->window.tail;
		d->resend_kind = ACK_WAITING;
		d->nb_refused = 0;
	}
	rc = resend(d, ctx);
	return rc < 0 ? rc : rc + (int)nb_release;
}

// ---- gauges ----

void delivery_count_orphans(const struct delivery *d) {
	const uint32_t *nb = d->window.nb;
	uint32_t not_reported = nb[ACK_WAITING] + nb[ACK_SUSPECT]
		+ ack_window_outstanding(&d->window);

	rtap_counter_set(
		&d->source.counters->orphaned, ring_source_unread(&d->source) + not_reported
	);
}

void delivery_add_totals(const struct delivery *d, struct delivery_totals *totals) {
	uint32_t waiting = d->window.nb[ACK_WAITING] + d->window.nb[ACK_SUSPECT];

	totals->outbox += d->window.nb[ACK_KEPT];
	totals->in_flight += d->window.nb[ACK_IN_FLIGHT];
	totals->tx_refused += d->nb_refused;
	totals->tx_queued += waiting - d->nb_refused;
	totals->blocked += d->state == DELIVERY_PAUSED || d->state == DELIVERY_RESENDING;
}
