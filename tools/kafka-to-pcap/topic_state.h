// SPDX-License-Identifier: BSD-3-Clause
// What the topic_*.c files share.

#pragma once

#include "log_position.h"
#include "now.h"
#include "pace.h"
#include "topic_reader.h"

#include <librdkafka/rdkafka.h>

#define TOPIC_STALL_MS 1000 // a partition without data for so long is not waited for

struct partition {
	int32_t id;
	int64_t end; // offset where reading stops; of no meaning with follow
	int64_t start, low; // offsets; `low` is the log's start
	struct log_position position;
	int64_t hidden_at; // offset of an open transaction that was told of
	int64_t ask, answer; // see topic_ask()
	int64_t found; // answer to the question of its position
	bool suspect; // that answer does not fit
	struct pace pace;
	uint64_t waited_ms; // for the next message
	uint64_t end_ms; // when Kafka said that there is no more; monotonic
	bool done; // read up to its end
	bool at_end; // Kafka said that there is no more for now
	bool resting; // all read that is known, or no data for TOPIC_STALL_MS: not waited for
};

struct topic_reader {
	struct topic_reader_config cfg;
	rd_kafka_t *kafka;
	rd_kafka_topic_t *topic;
	const struct rd_kafka_metadata *metadata; // of the start: who leads which partition
	struct partition *partitions;
	unsigned int nb_partitions;
	unsigned int next_look; // partition to look at while it rests
	uint64_t last_message_ms, last_look_ms; // monotonic
	uint64_t last_removed_ms, last_restart_ms, last_silence_ms; // when it was said; 0 = never
	unsigned int nb_silent; // looks in a row
	bool committed; // isolation.level=read_committed
	bool looked_at_end;
	char brokers[128];
	char reason[256]; // what librdkafka said last about its connections
	char note[TOPIC_READER_TEXT_BYTES]; // to be said; empty: nothing
};

static inline uint64_t topic_now_ms(void) {
	return rtap_monotonic_ns() / RTAP_MS_NS;
}

// ---- topic_client.c ----

// Connect to the bootstrap servers. Returns 0; a negative errno with `text` set.
int topic_client_create(struct topic_reader *reader, char *text);

// Write the line to `text`. Returns -EIO.
int topic_unreachable(struct topic_reader *reader, rd_kafka_resp_err_t err, char *text);
int topic_partition_failed(struct topic_reader *reader, int32_t id, const char *why, char *text);
int topic_leader_failed(
	struct topic_reader *reader, int32_t leader, rd_kafka_resp_err_t err, char *text
);

// ---- topic_ask.c ----

// Ask the leaders of all partitions for an offset: `ask` of each is the time in ms, or one of
// RD_KAFKA_OFFSET_BEGINNING and _END; nothing is asked where it is TOPIC_ASK_NOTHING. `answer` is
// the offset of the first record of that time or later, -1 without one, TOPIC_NO_ANSWER for what
// was not asked. Leaders that do not answer are given up at `deadline_ms`. Returns an error of
// Kafka's, then *failed is the leader.
rd_kafka_resp_err_t topic_ask(struct topic_reader *reader, uint64_t deadline_ms, int32_t *failed);

#define TOPIC_ASK_NOTHING INT64_MIN
#define TOPIC_NO_ANSWER INT64_MIN

// The same question of all of them.
rd_kafka_resp_err_t
topic_ask_all(struct topic_reader *reader, int64_t ask, uint64_t deadline_ms, int32_t *failed);

// ---- topic_open.c ----

// Make room for `nb` partitions. Returns 0; a negative errno with `text` set.
int topic_add_partitions(struct topic_reader *reader, unsigned int nb, char *text);
int topic_start_partition(struct topic_reader *reader, struct partition *part, char *text);

// ---- topic_partition.c ----

// Read `part` once. TOPIC_IDLE: nothing there.
enum topic_event topic_read_partition(
	struct topic_reader *reader, struct partition *part, int timeout_ms, struct packet **packet,
	char *text
);

// Whether nothing of the range of time can come any more, when it is `time_ns`.
bool topic_is_past(const struct topic_reader *reader, uint64_t time_ns);

// End what waits behind open transactions, and say it.
void topic_end_hidden(struct topic_reader *reader);

// ---- topic_look.c ----

// Now and then: begin to read partitions that were added (with follow), and see whether the logs
// are still those that are read. `now`: do not wait for the time to come. Returns 0; a negative
// errno with `text` set.
int topic_look(struct topic_reader *reader, bool now, char *text);

// What comes next in a partition after `was_at` is of another log, or records are missing: say it,
// not too often.
void topic_log_restarted(struct topic_reader *reader, struct partition *part, int64_t was_at);
void topic_records_removed(struct topic_reader *reader, struct partition *part, int64_t was_at);
