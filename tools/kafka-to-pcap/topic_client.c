// SPDX-License-Identifier: BSD-3-Clause
// Create the Kafka client of a topic reader, and name what does not answer.

#include "topic_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// Called from rd_kafka_poll(). "All brokers down" follows the reason and says less; the
// state of the connection says nothing to the user.
static void on_error(rd_kafka_t *kafka, int err, const char *reason, void *opaque) {
	struct topic_reader *reader = opaque;
	char *detail;

	if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		return;
	snprintf(reader->reason, sizeof(reader->reason), "%s", reason);
	detail = strstr(reader->reason, " (after ");
	if (detail != NULL)
		*detail = '\0';
}

// For messages: they may come from a file.
static void note_settings(struct topic_reader *reader, const rd_kafka_conf_t *conf) {
	size_t size = sizeof(reader->brokers);
	char level[32] = "";
	size_t level_size = sizeof(level);

	if (rd_kafka_conf_get(conf, "bootstrap.servers", reader->brokers, &size)
	    != RD_KAFKA_CONF_OK)
		snprintf(reader->brokers, sizeof(reader->brokers), "the brokers");
	reader->committed = rd_kafka_conf_get(conf, "isolation.level", level, &level_size)
			== RD_KAFKA_CONF_OK
		&& strcmp(level, "read_committed") == 0;
}

static rd_kafka_conf_t *make_conf(struct topic_reader *reader, char *text) {
	rd_kafka_conf_t *conf;

	conf = consumer_settings_build(&reader->cfg.settings, text, TOPIC_READER_TEXT_BYTES);
	if (conf == NULL)
		return NULL;
	note_settings(reader, conf);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_opaque(conf, reader);
	return conf;
}

int topic_client_create(struct topic_reader *reader, char *text) {
	rd_kafka_conf_t *conf = make_conf(reader, text);

	if (conf == NULL)
		return -errno;
	reader->kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, TOPIC_READER_TEXT_BYTES);
	if (reader->kafka == NULL) { // properties that do not go together, or files of TLS
		rd_kafka_conf_destroy(conf);
		return consumer_settings_blame(&reader->cfg.settings, text);
	}
	reader->topic = rd_kafka_topic_new(reader->kafka, reader->cfg.topic, NULL);
	if (reader->topic != NULL)
		return 0;
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "topic %s: %s", reader->cfg.topic,
		rd_kafka_err2str(rd_kafka_last_error())
	);
	return -EIO;
}

int topic_unreachable(struct topic_reader *reader, rd_kafka_resp_err_t err, char *text) {
	rd_kafka_poll(reader->kafka, 0); // for on_error()
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "no answer from %s: %s", reader->brokers,
		reader->reason[0] != '\0' ? reader->reason : rd_kafka_err2str(err)
	);
	return -EIO;
}

int topic_partition_failed(struct topic_reader *reader, int32_t id, const char *why, char *text) {
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "topic %s, partition %" PRId32 ": %s",
		reader->cfg.topic, id, why
	);
	return -EIO;
}

static const struct rd_kafka_metadata_broker *
find_broker(const struct topic_reader *reader, int32_t id) {
	for (int i = 0; i < reader->metadata->broker_cnt; i++)
		if (reader->metadata->brokers[i].id == id)
			return &reader->metadata->brokers[i];
	return NULL;
}

static int32_t first_partition_of(const struct topic_reader *reader, int32_t leader) {
	const struct rd_kafka_metadata_topic *topic = &reader->metadata->topics[0];

	for (int i = 0; i < topic->partition_cnt; i++)
		if (topic->partitions[i].leader == leader)
			return topic->partitions[i].id;
	return -1;
}

// What librdkafka said last about the connection to a broker: "ADDRESS/ID: WHY". NULL: nothing.
static const char *last_failure(const struct topic_reader *reader, int32_t broker) {
	char name[16];
	const char *found;

	snprintf(name, sizeof(name), "/%" PRId32 ": ", broker);
	found = strstr(reader->reason, name);
	return found != NULL ? found + strlen(name) : NULL;
}

int topic_leader_failed(
	struct topic_reader *reader, int32_t leader, rd_kafka_resp_err_t err, char *text
) {
	const struct rd_kafka_metadata_broker *broker = find_broker(reader, leader);
	int32_t id = first_partition_of(reader, leader);
	const char *why;

	rd_kafka_poll(reader->kafka, 0); // for on_error()
	if (broker == NULL)
		return topic_partition_failed(reader, id, "has no leader: start its brokers", text);
	why = last_failure(reader, leader);
	snprintf(
		text, TOPIC_READER_TEXT_BYTES,
		"topic %s, partition %" PRId32 ": no answer from its leader, broker %" PRId32
		" at %s:%d: %s%s",
		reader->cfg.topic, id, leader, broker->host, broker->port,
		why != NULL ? why : rd_kafka_err2str(err),
		why != NULL ? "; its advertised.listeners must be reachable from here" : ""
	);
	return -EIO;
}
