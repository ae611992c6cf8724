// SPDX-License-Identifier: BSD-3-Clause
// One ring's way to the sink in one worker: read, offer, note reports, release; and back to the
// ring's tail when something failed: the one path of every failure.
//
// What becomes of a packet (ack_window.h), by what happens to its message:
//
//                      waiting   suspect   kept         in flight   counted
//     offered          kept      kept
//     SINK_NO_ROOM                         waiting*                 refused
//     SINK_REFUSED                         waiting*                 refused
//     SINK_RETURNED                        waiting*     waiting*    returned, if it was in flight
//     SINK_SENT                            in flight                accepted
//     SINK_SUSPECT                         suspect      suspect     returned
//     SINK_TOO_LARGE                       failed       failed      failed_too_large
//     SINK_INVALID                         failed       failed      failed_invalid
//     SINK_DELIVERED                       delivered    delivered   delivered
//
// *) suspect, when the message was offered alone. A report from SINK_SENT on counts a packet that
// was kept as accepted first: the client has had it. Anything else is ignored: every message is out
// once. The tail moves over what is delivered or failed, and those packets are released.
//
// What the ring does:
//
//                                         reading    no room    paused     resending
//     SINK_NO_ROOM                        no room    no room    paused     no room
//     SINK_REFUSED, RETURNED, SUSPECT     paused     paused     paused     paused
//     1 ms is over                                   resending
//     back-off over, none outstanding                           resending
//     all were offered again                                               reading
//
// Only a reading ring reads. Resending goes from the tail over what is waiting or suspect, in
// order, and never mixes the two with the sink: they would overtake each other. The ring reads
// again once no message that was sent alone is out. A back-off is doubled from one pause to the
// next, until a packet is delivered while the ring reads.

#pragma once

#include "ack_window.h"
#include "config.h"
#include "counters.h"
#include "log.h"
#include "message.h"
#include "ring_source.h"
#include "shm_layout.h"
#include "sink.h"

#include <stdbool.h>
#include <stdint.h>

// The worker's gauges, added up over its rings.
struct delivery_totals {
	uint64_t tx_queued, tx_refused, outbox, in_flight; // packets
	uint64_t blocked; // rings
};

// What the deliveries of a worker share.
struct delivery_context {
	const struct rtap_config *cfg;
	const struct rtap_shm_header *shm_header;
	struct rtap_slot_counters *counters;
	struct sink *sink;
	struct sink_waits waits; // the sink's, a few ms ago
	uint64_t now_ns; // CLOCK_MONOTONIC of this round
	struct message messages[SINK_MAX_OFFER];
	struct rte_mbuf *frames[SINK_MAX_OFFER];
};

enum delivery_state {
	DELIVERY_READING,
	DELIVERY_NO_ROOM, // the client's queue was full
	DELIVERY_PAUSED, // a message came back: wait for all reports, back off
	DELIVERY_RESENDING,
};

struct delivery {
	struct ring_source source;
	struct rtap_shm_ring *shared;
	bool owned;
	bool giving_back; // read no more: the ring goes to another worker, or this one stops
	struct message_maker maker;
	struct ack_window window;
	enum delivery_state state;
	enum ack_state resend_kind; // of what was resent last, waiting or suspect
	uint32_t resend_from; // ring index
	uint32_t nb_refused; // waiting packets that were refused and not offered since
	uint64_t backoff_ns, resume_ns;
	struct rtap_log_limit log_limit;
	bool said_paused; // and not yet that it was resumed
};

// The ring is ours: start at its tail. `source` but for its consumer, `shared` and `maker` are set.
// Returns 0 or -ENOMEM.
int delivery_begin(struct delivery *d, const struct delivery_context *ctx);

// The window is empty: the sink has nothing of the ring.
static inline bool delivery_is_empty(const struct delivery *d) {
	return ring_source_in_window(&d->source) == 0;
}

// The ring is ours no longer.
void delivery_end(struct delivery *d);

// One round: release what is done, read and offer new packets or offer again what came back.
// Returns the number of packets moved, or a negative errno when the ring's indexes are corrupted.
int delivery_serve(struct delivery *d, struct delivery_context *ctx);

// The sink's report of a message of this ring (sink_report_cb).
void delivery_report(
	struct delivery *d, const struct delivery_context *ctx, uint64_t tag,
	enum sink_report report, size_t len, const char *why
);

// The primary died and no worker comes after us: publish how many packets of the ring are not in
// Kafka, as far as reports say. A worker that takes the ring after all counts them again.
void delivery_count_orphans(const struct delivery *d);

// Add the ring's gauges to *totals.
void delivery_add_totals(const struct delivery *d, struct delivery_totals *totals);
