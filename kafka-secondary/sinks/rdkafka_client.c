// SPDX-License-Identifier: BSD-3-Clause
// A producer of librdkafka with its topic.

#include "rdkafka_client.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

int rdkafka_client_open(
	struct rdkafka_client *c, rd_kafka_conf_t *conf, const char *topic, char *why,
	size_t why_size
) {
	c->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, why_size);
	if (c->rk == NULL) {
		rd_kafka_conf_destroy(conf);
		return -EINVAL;
	}
	c->topic = rd_kafka_topic_new(c->rk, topic, NULL);
	if (c->topic != NULL)
		return 0;
	snprintf(why, why_size, "topic %s: %s", topic, rd_kafka_err2str(rd_kafka_last_error()));
	rd_kafka_destroy(c->rk);
	return -EINVAL;
}

void rdkafka_client_close(struct rdkafka_client c) {
	rd_kafka_topic_destroy(c.topic);
	rd_kafka_destroy(c.rk);
}

static void *close_client(void *arg) {
	struct rdkafka_client *c = arg;

	rdkafka_client_close(*c);
	free(c);
	return NULL;
}

void rdkafka_client_close_aside(struct rdkafka_client c) {
	struct rdkafka_client *copy = malloc(sizeof(*copy));
	pthread_t thread;

	if (copy != NULL) {
		*copy = c;
		if (pthread_create(&thread, NULL, close_client, copy) == 0) {
			pthread_detach(thread);
			return;
		}
		free(copy);
	}
	rdkafka_client_close(c);
}
