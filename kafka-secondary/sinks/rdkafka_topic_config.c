// SPDX-License-Identifier: BSD-3-Clause
// Ask the brokers for the topic's configuration.

#include "rdkafka_topic_config.h"

#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#define LOG_TYPE "kafka"

#define ANSWER_MS 5000

static void take(struct rdkafka_topic_config *config, const char *name, const char *value) {
	if (strcmp(name, "max.message.bytes") == 0)
		config->max_message_bytes = strtoull(value, NULL, 10);
	else if (strcmp(name, "min.insync.replicas") == 0)
		config->min_insync_replicas = strtoull(value, NULL, 10);
	else if (strcmp(name, "message.timestamp.type") == 0)
		config->log_append_time = strcmp(value, "LogAppendTime") == 0;
	else if (strcmp(name, "retention.ms") == 0)
		config->retention_ms = strtoll(value, NULL, 10);
	// The second name is the one before Kafka 3.6; brokers before 4.0 have both.
	else if (strcmp(name, "message.timestamp.after.max.ms") == 0 || (strcmp(name, "message.timestamp.difference.max.ms") == 0 && config->most_ahead_ms == 0))
		config->most_ahead_ms = strtoull(value, NULL, 10);
}

void rdkafka_topic_config_ask(
	struct rdkafka_topic_config *config, rd_kafka_t *rk, const char *topic
) {
	rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(
		RD_KAFKA_RESOURCE_TOPIC, topic
	);
	rd_kafka_queue_t *answers = rd_kafka_queue_new(rk);
	const rd_kafka_ConfigResource_t **found = NULL;
	const rd_kafka_ConfigEntry_t **entries = NULL;
	size_t nb_found = 0, nb_entries = 0;
	rd_kafka_event_t *event;

	rd_kafka_DescribeConfigs(rk, &resource, 1, NULL, answers);
	event = rd_kafka_queue_poll(answers, ANSWER_MS);
	if (event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR)
		found = rd_kafka_DescribeConfigs_result_resources(
			rd_kafka_event_DescribeConfigs_result(event), &nb_found
		);
	if (nb_found > 0)
		entries = rd_kafka_ConfigResource_configs(found[0], &nb_entries);
	if (nb_entries > 0)
		*config = (struct rdkafka_topic_config){.known = true};
	for (size_t i = 0; i < nb_entries; i++)
		if (rd_kafka_ConfigEntry_value(entries[i]) != NULL)
			take(config, rd_kafka_ConfigEntry_name(entries[i]),
			     rd_kafka_ConfigEntry_value(entries[i]));
	if (event != NULL)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(answers);
	rd_kafka_ConfigResource_destroy(resource);
}

// Brokers answer "too large" for a whole batch, which then has to be sent packet by packet.
static void warn_of_size(const struct rdkafka_topic_config *config, rd_kafka_t *rk) {
	char text[32] = "";
	size_t size = sizeof(text);
	uint64_t batch_bytes;

	if (rd_kafka_conf_get(rd_kafka_conf(rk), "batch.size", text, &size) != RD_KAFKA_CONF_OK)
		return;
	batch_bytes = strtoull(text, NULL, 10);
	if (config->max_message_bytes > 0 && batch_bytes > config->max_message_bytes)
		LOG(WARNING,
		    "batch.size=%" PRIu64 " is above the topic's max.message.bytes=%" PRIu64
		    ": full batches will be refused and sent again one packet at a time; lower "
		    "batch.size or raise max.message.bytes",
		    batch_bytes, config->max_message_bytes);
}

// A service's or a container's filter of system calls may forbid to ask.
static bool clock_is_kept(void) {
	struct timex state = {0};
	int rc = adjtimex(&state);

	if (rc < 0)
		LOG(NOTICE,
		    "whether the clock of this machine is synchronised is not known: adjtimex: %s",
		    strerror(errno));
	return rc < 0 || (rc != TIME_ERROR && (state.status & STA_UNSYNC) == 0);
}

static void warn_of_clock(const struct rdkafka_topic_config *config, const char *topic) {
	bool deletes = config->retention_ms >= 0;
	bool refuses = config->most_ahead_ms > 0 && config->most_ahead_ms < INT64_MAX;
	char old[96] = "", ahead[96] = "";

	if (config->log_append_time || !(deletes || refuses) || clock_is_kept())
		return;
	if (deletes)
		snprintf(
			old, sizeof(old), "deleted at once when it is %" PRId64 " s behind",
			config->retention_ms / 1000
		);
	if (refuses)
		snprintf(
			ahead, sizeof(ahead), "%srefused when it is %" PRIu64 " s ahead",
			deletes ? ", " : "", config->most_ahead_ms / 1000
		);
	LOG(WARNING,
	    "the clock of this machine is not synchronised, and topic %s keeps its time "
	    "(message.timestamp.type=CreateTime): packets are %s%s; run chrony or another NTP client, or "
	    "let the brokers stamp: " RDKAFKA_LET_BROKERS_STAMP,
	    topic, old, ahead, topic);
}

void rdkafka_topic_config_warn(
	const struct rdkafka_topic_config *config, rd_kafka_t *rk, const char *topic
) {
	if (!config->known)
		return;
	warn_of_size(config, rk);
	warn_of_clock(config, topic);
}
