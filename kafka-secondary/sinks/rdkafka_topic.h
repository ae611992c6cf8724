// SPDX-License-Identifier: BSD-3-Clause
// Watch the topic as the brokers know it: follow the number of its partitions, and log when brokers
// or topic are away. By a thread of its own: asking may take seconds.

#pragma once

#include "config.h"
#include "log.h"
#include "rdkafka_client.h"
#include "rdkafka_health.h"
#include "rdkafka_remedy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rdkafka_topic {
	struct rdkafka_client client; // the watcher's
	char principal[256]; // who the broker takes us for; "" = not known
	const struct rtap_config *cfg;
	unsigned int nb_rings;
	bool logs; // one worker of a secondary does
	uint64_t asked_ns; // for the topic's configuration, 0 = never
	pthread_t watcher;
	_Atomic int32_t nb_partitions; // 0 = not known yet; any thread may read
	struct rdkafka_health health;
	struct rdkafka_remedy remedy; // the watcher's
	pthread_mutex_t lock;
	// Under `lock`:
	struct rtap_log_limit denied_limit;
	struct rdkafka_client next; // to watch with from now on, none = the same
};

// What an ACL is missing for.
enum rdkafka_denial {
	RDKAFKA_DENIED_TOPIC, // the brokers do not even show it to us
	RDKAFKA_DENIED_WRITE,
	RDKAFKA_DENIED_IDEMPOTENCE, // no WRITE on any topic, before Kafka 3.0 no IDEMPOTENT_WRITE
};

// Before a client exists whose log lines go to rdkafka_topic_on_log(). *t is zeroed.
void rdkafka_topic_init(
	struct rdkafka_topic *t, const struct rtap_config *cfg, unsigned int nb_rings, bool logs
);

// Watch the topic with `client` from now on, for ever. Returns 0 or a negative errno.
int rdkafka_topic_watch(struct rdkafka_topic *t, struct rdkafka_client client);

// Say what is denied to whom and how to grant it, once a minute. Any thread.
void rdkafka_topic_say_denied(struct rdkafka_topic *t, enum rdkafka_denial denial);

// It is granted: the next denial is another one. Any thread.
void rdkafka_topic_forget_denial(struct rdkafka_topic *t);

// Watch with another client from now on. The watcher closes the old one, which no other thread may
// use any more. Not while an earlier change is under way. Any one thread.
void rdkafka_topic_change_client(struct rdkafka_topic *t, struct rdkafka_client next);
bool rdkafka_topic_is_changing_client(struct rdkafka_topic *t);

// For librdkafka, with a struct rdkafka_topic as opaque: logs its lines, but those of a failed
// connection (refused, TLS, authentication). The watcher says them with its own line once a minute,
// where librdkafka would repeat them with every attempt. Any thread.
void rdkafka_topic_on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text);

// For librdkafka, with the same opaque: a broker holds the client back for `ms`. The polling
// thread.
void rdkafka_topic_on_throttle(
	rd_kafka_t *rk, const char *broker, int32_t id, int ms, void *opaque
);
