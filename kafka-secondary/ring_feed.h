// SPDX-License-Identifier: BSD-3-Clause
// One ring's way to Kafka in one worker: read, offer, mark reports, release. And back to the ring's
// tail when something failed: the one path of every failure.
//
// A feed is READING until a report fails or the client refuses a packet. Then nothing more is read;
// what failed is sent again, in order, starting at the tail, skipping what is already done: after a
// failed report only once nothing of the ring is outstanding (sending again at once would reorder) and
// a back-off is over; after "queue full" as soon as there is room.

#pragma once

#include "ack_window.h"
#include "config.h"
#include "counters.h"
#include "kafka_producer.h"
#include "log.h"
#include "message.h"
#include "shm_layout.h"
#include "transmit_ring.h"

#include <stdbool.h>
#include <stdint.h>

// The worker's gauges, added up over its feeds.
struct feed_totals {
	uint64_t tx_queued, tx_refused, in_flight; // packets
	uint64_t blocked; // feeds
};

// What the feeds of a worker share.
struct feed_context {
	const struct rtap_config *cfg;
	const struct rtap_shm_header *shm_header;
	struct rtap_slot_counters *counters;
	struct kafka_producer *producer;
	struct kafka_producer *lone; // created when first needed
	bool fatal; // the worker must end
	uint64_t now_ns; // CLOCK_MONOTONIC of this round
	struct message records[KAFKA_MAX_BATCH];
	struct rte_mbuf *pkts[KAFKA_MAX_BATCH];
};

enum feed_state {
	FEED_READING,
	FEED_FULL, // the client's queue was full
	FEED_FAILED, // a report failed, or the client refused: wait for all reports, back off
	FEED_RESENDING,
};

struct ring_feed {
	uint32_t ring_index;
	char name[sizeof(((struct rtap_shm_ring *)0)->name)];
	struct rtap_shm_ring *shared;
	struct rte_ring *ring;
	struct rtap_ring_counters *counters;
	const struct message_origin *origin; // NULL = records have no headers
	bool owned;
	bool giving_back; // read no more: the ring goes to another worker, or this one stops
	enum feed_state state;
	enum ack_state resend_kind; // of what was resent last: kinds do not mix in flight
	uint32_t resend_from; // ring index
	// Waiting packets that the client refused, until they are offered again.
	uint32_t nb_refused;
	uint64_t backoff_ns, resume_ns;
	int32_t burst_partition; // partitioner: burst
	struct rtap_ring_consumer consumer;
	struct ack_window window;
	void **linear; // copies of multi-segment packets, by index & mask; NULL until needed
	struct rtap_log_limit log_limit;
	bool said_held_back; // and not yet that it flows again
};

// The ring is ours: start at its tail, count what a dead predecessor had taken.
// Returns 0 or -ENOMEM.
int ring_feed_begin(struct ring_feed *f, const struct feed_context *ctx);

// The window is empty: nothing of the ring is in the client's hands.
static inline bool ring_feed_is_empty(const struct ring_feed *f) {
	return f->consumer.in_window == 0;
}

void ring_feed_end(struct ring_feed *f);

// One round: release what is done, read and offer new packets or send failed ones again. Returns the
// number of packets moved, or -EIO when the ring makes no sense.
int ring_feed_serve(struct ring_feed *f, struct feed_context *ctx);

// A report of this feed's packet at ring index `index`; `alone`: it was sent by itself.
void ring_feed_report(
	struct ring_feed *f, struct feed_context *ctx, uint32_t index, bool alone,
	enum kafka_outcome outcome, size_t len, const char *error
);

// The primary died and nobody comes after us: publish how many packets of the ring are not in Kafka, as far
// as reports say. A worker that takes the ring after all counts it anew.
void ring_feed_count_orphans(const struct ring_feed *f);

// Add the feed's gauges to *totals.
void ring_feed_add_totals(const struct ring_feed *f, struct feed_totals *totals);

// Tags of records: which feed, which packet, sent how.
#define FEED_TAG_ALONE (UINT64_C(1) << 63)
static inline uint64_t feed_tag(uint32_t ring_index, uint32_t index, bool alone) {
	return (alone ? FEED_TAG_ALONE : 0) | (uint64_t)ring_index << 32 | index;
}
