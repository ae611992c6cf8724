// SPDX-License-Identifier: BSD-3-Clause
// A producer of librdkafka with its topic: how one is opened and closed.

#pragma once

#include <librdkafka/rdkafka.h>

#include <stddef.h>

struct rdkafka_client {
	rd_kafka_t *rk; // NULL = none
	rd_kafka_topic_t *topic;
};

// Open one with the properties of `conf`, which is taken. Returns 0, or -EINVAL with `why` set.
int rdkafka_client_open(
	struct rdkafka_client *c, rd_kafka_conf_t *conf, const char *topic, char *why,
	size_t why_size
);

// No other thread uses it, nor its queues, any more. May take seconds: librdkafka waits for its
// threads, and those for a name server.
void rdkafka_client_close(struct rdkafka_client c);

// The same on a thread of its own, for a caller with a heartbeat to give.
void rdkafka_client_close_aside(struct rdkafka_client c);
