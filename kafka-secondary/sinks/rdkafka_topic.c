// SPDX-License-Identifier: BSD-3-Clause
// Watch the topic.

#include "rdkafka_topic.h"

#include "log.h"
#include "now.h"
#include "rdkafka_security.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LOG_TYPE "kafka"

#define METADATA_TIMEOUT_MS 5000
#define WATCH_KNOWN_S 10 // seconds between two looks at a topic that is well
#define WATCH_UNKNOWN_S 1

static void heard_partitions(struct rdkafka_topic *t, int32_t nb) {
	int32_t before = atomic_load(&t->nb_partitions);

	if (nb == before)
		return;
	atomic_store(&t->nb_partitions, nb);
	if (!t->logs)
		return;
	LOG(NOTICE, "topic %s: %" PRId32 " partitions%s", t->cfg->topic, nb,
	    before > 0 ? "; their number changed: flows are redistributed" : "");
	if (nb < (int32_t)t->nb_rings)
		LOG(WARNING,
		    "topic %s: %" PRId32
		    " partitions for %u transmit rings: rings share partitions, "
		    "times within a partition may go back by a few ms; add partitions",
		    t->cfg->topic, nb, t->nb_rings);
}

// Kafka 4.0 and later refuse what librdkafka before 2.6.1 makes of SCRAM, as if the password were
// wrong: it sends its nonce twice.
static const char *hint(const char *failure) {
	if (strstr(failure, "mechanism SCRAM-") == NULL || rd_kafka_version() >= 0x020601ff)
		return "";
	return "; with the right password it may be that Kafka 4.0 and later need librdkafka 2.6.1 for "
	       "SCRAM: until then use client certificates, GSSAPI, or PLAIN over TLS";
}

// Ask once; returns whether the topic is well. `what` is what to say when it is not.
static bool look_at_topic(struct rdkafka_topic *t, char *what, size_t size) {
	const struct rd_kafka_metadata *metadata;
	const rd_kafka_metadata_topic_t *found;
	char brokers[256];
	size_t brokers_size = sizeof(brokers);
	rd_kafka_resp_err_t err;

	if (rd_kafka_conf_get(
		    rd_kafka_conf(t->client.rk), "bootstrap.servers", brokers, &brokers_size
	    )
	    != RD_KAFKA_CONF_OK)
		brokers[0] = '\0';
	err = rd_kafka_metadata(t->client.rk, 0, t->client.topic, &metadata, METADATA_TIMEOUT_MS);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		pthread_mutex_lock(&t->lock);
		snprintf(
			what, size,
			"no broker reachable at %s (%s); packets wait in the rings, retrying%s",
			brokers,
			t->last_failure[0] != '\0' ? t->last_failure : rd_kafka_err2str(err),
			hint(t->last_failure)
		);
		pthread_mutex_unlock(&t->lock);
		return false;
	}
	pthread_mutex_lock(&t->lock);
	t->last_failure[0] = '\0'; // forget it: the next failure is a new one
	pthread_mutex_unlock(&t->lock);
	found = metadata->topic_cnt > 0 ? &metadata->topics[0] : NULL;
	err = found != NULL ? found->err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	what[0] = '\0';
	if (err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && t->logs)
		rdkafka_topic_say_denied(t, RDKAFKA_DENIED_TOPIC); // says it all
	else if (err == RD_KAFKA_RESP_ERR_NO_ERROR && found->partition_cnt > 0)
		heard_partitions(t, found->partition_cnt);
	else if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
		snprintf(
			what, size,
			"topic %s does not exist at %s; waiting for it, ringtap never creates "
			"one: kafka-topics.sh --create --topic %s --partitions N",
			t->cfg->topic, brokers, t->cfg->topic
		);
	else
		snprintf(what, size, "topic %s: %s; waiting", t->cfg->topic, rd_kafka_err2str(err));
	rd_kafka_metadata_destroy(metadata);
	return err == RD_KAFKA_RESP_ERR_NO_ERROR;
}

// The topic's max.message.bytes; 0 when the brokers do not tell.
static uint64_t ask_max_message_bytes(struct rdkafka_topic *t) {
	rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(
		RD_KAFKA_RESOURCE_TOPIC, t->cfg->topic
	);
	rd_kafka_queue_t *answers = rd_kafka_queue_new(t->client.rk);
	const rd_kafka_ConfigResource_t **found;
	const rd_kafka_ConfigEntry_t **entries;
	size_t nb_found = 0, nb_entries = 0;
	rd_kafka_event_t *event;
	uint64_t bytes = 0;

	rd_kafka_DescribeConfigs(t->client.rk, &resource, 1, NULL, answers);
	event = rd_kafka_queue_poll(answers, METADATA_TIMEOUT_MS);
	found = event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR
		? rd_kafka_DescribeConfigs_result_resources(
			rd_kafka_event_DescribeConfigs_result(event), &nb_found
		)
		: NULL;
	entries = nb_found > 0 ? rd_kafka_ConfigResource_configs(found[0], &nb_entries) : NULL;
	for (size_t i = 0; i < nb_entries; i++)
		if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "max.message.bytes") == 0)
			bytes = strtoull(rd_kafka_ConfigEntry_value(entries[i]), NULL, 10);
	if (event != NULL)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(answers);
	rd_kafka_ConfigResource_destroy(resource);
	return bytes;
}

// Brokers answer "too large" for a whole batch, which then has to be sent packet by packet.
static void compare_batch_size(struct rdkafka_topic *t) {
	char text[32] = "";
	size_t size = sizeof(text);
	uint64_t batch_bytes, topic_bytes = ask_max_message_bytes(t);

	t->size_compared = true;
	if (rd_kafka_conf_get(rd_kafka_conf(t->client.rk), "batch.size", text, &size)
	    != RD_KAFKA_CONF_OK)
		return;
	batch_bytes = strtoull(text, NULL, 10);
	if (topic_bytes > 0 && batch_bytes > topic_bytes)
		LOG(WARNING,
		    "batch.size=%" PRIu64 " is above the topic's max.message.bytes=%" PRIu64
		    ": full batches will be refused and sent again one packet at a time; lower "
		    "batch.size or raise max.message.bytes",
		    batch_bytes, topic_bytes);
}

void rdkafka_topic_forget_denial(struct rdkafka_topic *t) {
	pthread_mutex_lock(&t->lock);
	t->denied_limit = (struct rtap_log_limit){0};
	pthread_mutex_unlock(&t->lock);
}

static void take_client(struct rdkafka_topic *t) {
	struct rdkafka_client old = t->client;

	pthread_mutex_lock(&t->lock);
	if (t->next.rk != NULL) {
		t->client = t->next;
		t->next.rk = NULL;
	}
	pthread_mutex_unlock(&t->lock);
	if (t->client.rk != old.rk)
		rdkafka_client_close(old);
}

static void *watch_topic(void *arg) {
	struct rdkafka_topic *t = arg;
	struct rtap_log_limit limit = {0};
	char what[1024];
	uint64_t hidden;
	bool well = true;

	for (;;) {
		bool now_well = look_at_topic(t, what, sizeof(what));

		if (!now_well && t->logs) {
			if (well)
				limit = (struct rtap_log_limit){0};
			if (what[0] != '\0'
			    && rtap_log_limit_pass(
				    &limit, rtap_monotonic_ns(), RTAP_LOG_AGAIN_NS, &hidden
			    ))
				LOG(WARNING, "%s", what);
		} else if (now_well && !well && t->logs) {
			LOG(NOTICE, "topic %s is reachable again", t->cfg->topic);
			rdkafka_topic_forget_denial(t);
		}
		if (now_well && t->logs && !t->size_compared)
			compare_batch_size(t);
		well = now_well;
		sleep(well ? WATCH_KNOWN_S : WATCH_UNKNOWN_S);
		take_client(t);
	}
	return NULL;
}

static const char *what_is_denied(enum rdkafka_denial denial) {
	switch (denial) {
	case RDKAFKA_DENIED_IDEMPOTENCE:
		return ": the broker refuses InitProducerId, which needs WRITE on a topic, before "
		       "Kafka 3.0 IDEMPOTENT_WRITE on the cluster";
	case RDKAFKA_DENIED_TOPIC:
		return ": the broker does not show it";
	case RDKAFKA_DENIED_WRITE:
		break;
	}
	return "";
}

void rdkafka_topic_say_denied(struct rdkafka_topic *t, enum rdkafka_denial denial) {
	const char *who = t->principal[0] != '\0' ? t->principal : "this client";
	const char *whom = t->principal[0] != '\0' ? t->principal : "User:NAME";
	uint64_t hidden;
	bool pass;

	pthread_mutex_lock(&t->lock);
	pass = rtap_log_limit_pass(
		&t->denied_limit, rtap_monotonic_ns(), RTAP_LOG_AGAIN_NS, &hidden
	);
	pthread_mutex_unlock(&t->lock);
	if (pass)
		LOG(WARNING,
		    "%s has no WRITE on topic %s%s; packets wait in the rings; grant it: "
		    "kafka-acls.sh --bootstrap-server HOST:PORT --add --allow-principal '%s' "
		    "--operation Write --topic %s",
		    who, t->cfg->topic, what_is_denied(denial), whom, t->cfg->topic);
}

void rdkafka_topic_change_client(struct rdkafka_topic *t, struct rdkafka_client next) {
	pthread_mutex_lock(&t->lock);
	t->next = next;
	pthread_mutex_unlock(&t->lock);
}

bool rdkafka_topic_is_changing_client(struct rdkafka_topic *t) {
	bool changing;

	pthread_mutex_lock(&t->lock);
	changing = t->next.rk != NULL;
	pthread_mutex_unlock(&t->lock);
	return changing;
}

static void note_failure(struct rdkafka_topic *t, const char *text) {
	pthread_mutex_lock(&t->lock);
	snprintf(t->last_failure, sizeof(t->last_failure), "%s", text);
	pthread_mutex_unlock(&t->lock);
}

void rdkafka_topic_on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
	if (strcmp(facility, "FAIL") == 0)
		note_failure(rd_kafka_opaque(rk), text);
	else if (level <= LOG_ERR && strcmp(facility, "ERROR") != 0)
		LOG(WARNING, "%s: %s", facility, text);
	LOG(DEBUG, "%s: %s", facility, text);
}

void rdkafka_topic_init(
	struct rdkafka_topic *t, const struct rtap_config *cfg, unsigned int nb_rings, bool logs
) {
	pthread_mutex_init(&t->lock, NULL);
	t->cfg = cfg;
	t->nb_rings = nb_rings;
	t->logs = logs;
}

int rdkafka_topic_watch(struct rdkafka_topic *t, struct rdkafka_client client) {
	t->client = client;
	rdkafka_security_principal(rd_kafka_conf(client.rk), t->principal, sizeof(t->principal));
	return -pthread_create(&t->watcher, NULL, watch_topic, t);
}
