// SPDX-License-Identifier: BSD-3-Clause
// The topic as the brokers know it: its partitions, followed when their number changes, and what to say
// when brokers or topic are away. Looked at by a thread of its own: asking may take seconds.

#pragma once

#include "config.h"

#include <librdkafka/rdkafka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct kafka_topic {
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	const struct rtap_config *cfg;
	unsigned int nb_rings;
	bool speaks; // logs; one worker of a secondary does
	bool size_compared; // batch.size with the topic's max.message.bytes
	pthread_t watcher;
	_Atomic int32_t nb_partitions; // 0 = not known yet; any thread may read
	pthread_mutex_t lock;
	char last_failure[160]; // of a connection, in librdkafka's words; under `lock`
};

// Watch `t->topic`; all fields above `speaks`, and it, are set. Never ends. 0 or a negative errno.
int kafka_topic_watch(struct kafka_topic *t);

// Keep the text of a connection's failure (refused, TLS, authentication): the watcher says it with its
// own line once a minute, where librdkafka would repeat it with every attempt. Any thread.
void kafka_topic_note_failure(struct kafka_topic *t, const char *text);
