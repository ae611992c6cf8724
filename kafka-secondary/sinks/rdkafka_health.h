// SPDX-License-Identifier: BSD-3-Clause
// Know what each partition waits for. The one place that does: log lines and gauges come from here.
//
// What the messages say (rdkafka_progress.h) decides whether something waits; what is known of
// brokers and partitions only explains it. A question to the brokers that is not answered means
// nothing by itself: a broker handles the requests of a connection one after the other, and those
// of packets may wait for replicas or a quota.
//
// Written by the worker (partitions that wait), by librdkafka's threads (failures of connections),
// by whichever thread polls (throttling); read and judged by the watcher of the topic.

#pragma once

#include "now.h"
#include "rdkafka_progress.h"
#include "rdkafka_topic_config.h"
#include "sink.h"

#include <librdkafka/rdkafka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define RDKAFKA_HEALTH_WAITS 256 // partitions that are looked at; more are counted
#define RDKAFKA_HEALTH_BROKERS 16 // whose failures and throttling are known
#define RDKAFKA_HEALTH_GROUPS 8 // of partitions that wait for the same
#define RDKAFKA_HEALTH_NAMED 8 // partitions of a group
#define RDKAFKA_HEALTH_WAIT_NS (5 * RTAP_SECOND_NS) // nothing confirmed for so long is worth a word

// The last failure of the connection to a broker, in librdkafka's words.
struct broker_failure {
	char broker[128]; // HOST:PORT/ID, of a bootstrap address HOST:PORT/bootstrap
	char why[256];
	uint64_t at_ns;
};

// A broker holds its answers to this client back. Each has the quota for itself.
struct broker_throttle {
	char broker[128]; // HOST:PORT
	int32_t id;
	int ms;
	uint64_t until_ns;
};

// Partitions of a leader that wait for the same.
struct wait_group {
	enum rtap_wait reason;
	const rd_kafka_metadata_partition_t *first; // what is known of its first one, may be NULL
	int32_t named[RDKAFKA_HEALTH_NAMED]; // the first ones
	uint32_t nb;
	uint64_t since_ns; // the longest
};

struct rdkafka_health {
	const char *topic;
	const rd_kafka_metadata_t *metadata; // the last answer, NULL = none yet; the watcher's
	struct rdkafka_topic_config config; // the watcher's
	struct wait_group groups[RDKAFKA_HEALTH_GROUPS]; // as judged; the watcher's
	unsigned int nb_groups;
	uint64_t well_since_ns; // since when the topic is well again; the watcher's
	pthread_mutex_t lock;
	// Under `lock`:
	struct partition_wait waits[RDKAFKA_HEALTH_WAITS];
	uint32_t nb_waits; // may be more than are in waits[]
	enum rtap_wait reason; // of most of them
	enum rtap_wait topic_wait; // what all wait for, whether they have packets or not
	struct broker_failure failures[RDKAFKA_HEALTH_BROKERS]; // of broker "" = free
	struct broker_throttle throttles[RDKAFKA_HEALTH_BROKERS]; // of broker "" = free
};

void rdkafka_health_init(struct rdkafka_health *h, const char *topic);

// ---- what is noted; any thread ----

// `text` is librdkafka's line of a connection that failed: "[thrd:...]: HOST:PORT/ID: REASON", with
// TLS or SASL "sasl_ssl://HOST:PORT/ID".
void rdkafka_health_note_failure(struct rdkafka_health *h, const char *text);

// A broker answered that it held back the answer for `ms`, for a quota.
void rdkafka_health_note_throttle(struct rdkafka_health *h, const char *broker, int32_t id, int ms);

// As rdkafka_progress_scan() has them: `nb` of which at most RDKAFKA_HEALTH_WAITS are in waits[].
void rdkafka_health_note_waits(
	struct rdkafka_health *h, const struct partition_wait *waits, uint32_t nb
);

// ---- what is asked; any thread ----

// How many partitions wait and what most of them wait for.
void rdkafka_health_look(struct rdkafka_health *h, uint64_t now_ns, struct sink_waits *waits);

// Why no broker at all can be reached: the latest failure; "" when there was none.
void rdkafka_health_last_failure(struct rdkafka_health *h, char *why, size_t size);

// ---- the watcher's ----

// The brokers answered: `metadata`, of the one topic, is taken.
void rdkafka_health_heard(struct rdkafka_health *h, const rd_kafka_metadata_t *metadata);

// Find what each partition waits for, with what was heard last. `topic_wait`: what all wait for by
// the state of the topic, RTAP_WAIT_NOTHING when that is well; its words are the caller's.
void rdkafka_health_judge(struct rdkafka_health *h, enum rtap_wait topic_wait);

// ---- under the lock ----

// HOST:PORT of a broker; "" when the brokers do not name it.
void rdkafka_health_broker_name(
	const struct rdkafka_health *h, int32_t id, char *name, size_t size
);

// Why the connection to a broker failed lately; NULL when it did not.
const char *rdkafka_health_failure_of(const struct rdkafka_health *h, int32_t id, uint64_t now_ns);

// A broker that throttles, the one with `id` or RDKAFKA_HEALTH_ANY; NULL when none does.
#define RDKAFKA_HEALTH_ANY (-2)
const struct broker_throttle *
rdkafka_health_throttled(const struct rdkafka_health *h, int32_t id, uint64_t now_ns);
