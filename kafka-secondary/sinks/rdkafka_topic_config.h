// SPDX-License-Identifier: BSD-3-Clause
// Ask the brokers for the topic's configuration, and warn of what does not go with ours.

#pragma once

#include "config.h"

#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stdint.h>

// The remedy for a clock that is wrong; %s is the topic.
#define RDKAFKA_LET_BROKERS_STAMP                                                                  \
	"kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic %s --add-config "           \
	"message.timestamp.type=LogAppendTime"

struct rdkafka_topic_config {
	bool known; // false: not asked yet, or the brokers do not tell (no DESCRIBE_CONFIGS)
	uint64_t max_message_bytes;
	uint64_t min_insync_replicas;
	bool log_append_time; // the broker stamps records, else they keep the producer's time
	int64_t retention_ms; // -1: none
	uint64_t most_ahead_ms; // by which a record may be ahead of the broker's clock
};

// Waits up to 5 s for an answer; without one *config stays as it is.
void rdkafka_topic_config_ask(
	struct rdkafka_topic_config *config, rd_kafka_t *rk, const char *topic
);

// Log what is in the way: batches larger than the topic takes; times that are the producer's while
// the kernel does not know this machine's clock to be synchronised.
void rdkafka_topic_config_warn(
	const struct rdkafka_topic_config *config, rd_kafka_t *rk, const char *topic
);
