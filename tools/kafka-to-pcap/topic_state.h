// SPDX-License-Identifier: BSD-3-Clause
// What topic_open.c and topic_reader.c share.

#pragma once

#include "now.h"
#include "pace.h"
#include "topic_reader.h"

#include <librdkafka/rdkafka.h>

struct partition {
	int32_t id;
	int64_t end; // offset where reading stops; of no meaning with follow
	int64_t start;
	struct pace pace;
	uint64_t waited_ms; // for the next message
	bool done; // read up to its end
	bool at_end; // Kafka said that there is no more for now
	bool resting; // all read that is known, or no data for STALL_MS: not waited for
};

struct topic_reader {
	struct topic_reader_config cfg;
	rd_kafka_t *kafka;
	rd_kafka_topic_t *topic;
	struct partition *partitions;
	unsigned int nb_partitions;
	unsigned int next_look; // partition to look at while it rests
	uint64_t last_message_ms, last_look_ms; // monotonic
	char brokers[128];
	char reason[256]; // what librdkafka said last about its connections
};

static inline uint64_t topic_now_ms(void) {
	return rtap_monotonic_ns() / RTAP_MS_NS;
}

// Write the line to `text`. Returns -EIO.
int topic_partition_failed(struct topic_reader *reader, int32_t id, const char *why, char *text);

// With follow, now and then: begin to read the partitions that were added. Returns 0; a negative
// errno with `text` set.
int topic_look_for_added(struct topic_reader *reader, char *text);
