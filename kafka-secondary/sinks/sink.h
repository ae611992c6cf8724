// SPDX-License-Identifier: BSD-3-Clause
// Where messages go: the contract between delivery and whatever carries them to Kafka.
//
// A sink belongs to one worker and is used by one thread: it reports from within sink_offer() and
// sink_serve() and at no other time.
//
// Every message that is offered comes back by exactly one last report, unless the worker ends
// first. Until then its frame stays as it is: the sink may read it, never change or free it. The
// struct message is the caller's again when sink_offer() returns. Order within a partition is kept:
// when a message comes back to be offered again, so do the later ones of its partition that the
// client does not have yet.
//
// A sink has no error of its own: what fails is reported for each message, and sink_is_dead() says
// that only a new process helps.

#pragma once

#include "config.h"
#include "counters.h"
#include "fixed_limits.h"
#include "message.h"
#include "run_as.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SINK_MAX_OFFER RTAP_MAX_WORKER_BURST // messages

// What becomes of a message, in the order of its way. All but SINK_SENT are last reports.
enum sink_report {
	// Not taken by the client. Offer it again:
	SINK_NO_ROOM, // once some reports have come: the client's queue is full
	SINK_REFUSED, // later: another reason
	// Did not arrive, as far as is known, whether the client had it or not. Offer it again:
	SINK_RETURNED, // later
	// Taken by the client:
	SINK_SENT,
	SINK_SUSPECT, // refused together with others for the size or content of one: offer it alone
	SINK_TOO_LARGE, // proved for this message: above a limit of the client or the broker
	SINK_INVALID, // proved for this message: the broker refuses what is in it
	SINK_DELIVERED, // a broker confirmed it
};

// `tag` and `len` are the message's; `why` is the reason, valid during the call, NULL for SINK_SENT
// and SINK_DELIVERED. Must not call the sink.
typedef void (*sink_report_cb
)(void *arg, uint64_t tag, enum sink_report report, size_t len, const char *why);

struct sink_setup {
	const struct rtap_config *cfg;
	unsigned int nb_rings; // of the instance, all workers' together
	bool logs_topic; // what becomes of brokers and topic; one worker of a secondary does
	struct rtap_slot_counters *counters; // for what only a sink sees: `linearised`
	sink_report_cb report;
	void *arg; // of report
};

// What partitions wait for that have messages with the sink, none of them delivered for 5 s.
struct sink_waits {
	unsigned int nb_partitions;
	enum rtap_wait reason; // of most of them
	bool throttled; // brokers hold the client back, for a quota: what is in flight takes longer
};

struct sink;

struct sink_ops {
	void (*offer)(struct sink *sink, const struct message *messages, unsigned int nb);
	unsigned int (*serve)(struct sink *sink, int timeout_ms);
	int32_t (*nb_partitions)(const struct sink *sink);
	bool (*is_dead)(const struct sink *sink);
	void (*look)(struct sink *sink, uint64_t now_ns, struct sink_waits *waits);
};

// First member of every sink.
struct sink {
	const struct sink_ops *ops;
};

// Open what needs root, before the worker becomes `who`: the file of statistics, whose lines are
// marked with `worker`. A failure is logged; the sink does without it.
void sink_prepare(const struct rtap_config *cfg, unsigned int worker, const struct run_as *who);

// Open the sink that the configuration asks for; it lives as long as the process. NULL with `why`
// set.
struct sink *sink_open(const struct sink_setup *setup, char *why, size_t why_size);

// Offer up to SINK_MAX_OFFER messages, in the order of their ring: either all are marked to be sent
// alone (message_is_alone()) or none. Both kinds of one ring are never with a sink at once.
static inline void sink_offer(struct sink *sink, const struct message *messages, unsigned int nb) {
	sink->ops->offer(sink, messages, nb);
}

// Do what is due: send, report, reconnect. Waits up to `timeout_ms` for a first report of the
// client. Returns how many of the client's reports it passed on: 0 = nothing moved.
static inline unsigned int sink_serve(struct sink *sink, int timeout_ms) {
	return sink->ops->serve(sink, timeout_ms);
}

// Partitions of the topic as last heard; 0 = not known yet. It grows when partitions are added and
// shrinks when the topic is made again with fewer.
static inline int32_t sink_nb_partitions(const struct sink *sink) {
	return sink->ops->nb_partitions(sink);
}

// Whether only a new process can deliver.
static inline bool sink_is_dead(const struct sink *sink) {
	return sink->ops->is_dead(sink);
}

// Look what messages wait for, and whether files are to be opened again; `now_ns` is
// CLOCK_MONOTONIC. Cheap: to be called every few ms.
static inline void sink_look(struct sink *sink, uint64_t now_ns, struct sink_waits *waits) {
	sink->ops->look(sink, now_ns, waits);
}
