// SPDX-License-Identifier: BSD-3-Clause
// Build the consumer's properties.

#include "consumer_settings.h"

#include "rdkafka_conf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_ours(rd_kafka_conf_t *conf, char *why, size_t size) {
	static const char *const ours[][2] = {
		{"bootstrap.servers", "localhost:9092"},
		{"client.id", "kafka-to-pcap"},
		{"log_level", "0"}, // errors come as events, in our words
		{"enable.partition.eof", "true"},
		{"auto.offset.reset", "earliest"}, // retention may overtake us
		// An open transaction of another program would hide what comes after it. ringtap
		// writes none.
		{"isolation.level", "read_uncommitted"},
		{"check.crcs", "true"},
		{"fetch.wait.max.ms", "100"}, // what else is asked waits as long
		{"queued.max.messages.kbytes", "16384"}, // of each partition
		{"enable.metrics.push", "false"}, // to the brokers, from librdkafka 2.5 on
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(ours) / sizeof(ours[0]); i++)
		rc = rtap_rdkafka_set_if_known(conf, ours[i][0], ours[i][1], why, size);
	return rc;
}

// Whether the row of a property in librdkafka's table says P: for a producer alone.
static bool is_producers(const char *table, const char *name) {
	size_t len = strlen(name);
	const char *line = table;

	for (; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) != 0 || line[len] != ' ')
			continue;
		line += len + strspn(line + len, " ");
		return *line == '|' && line[1 + strspn(line + 1, " ")] == 'P';
	}
	return false;
}

static int set_list(
	rd_kafka_conf_t *conf, const struct consumer_settings *settings, const char *table,
	const char *section, const struct rtap_property_list *list, char *why, size_t size
) {
	char reason[256];

	for (unsigned int i = 0; i < list->nb_items; i++) {
		const struct rtap_property *p = &list->items[i];

		if (is_producers(table, p->name)
		    || rtap_rdkafka_set_checked(conf, p->name, p->value, reason, sizeof(reason))
			    == 0)
			continue;
		snprintf(
			why, size, "%s:%u:%u: kafka.%s.%s: %s", settings->file->file, p->line,
			p->column, section, p->name, reason
		);
		return -EINVAL;
	}
	return 0;
}

static int
set_files(rd_kafka_conf_t *conf, const struct consumer_settings *settings, char *why, size_t size) {
	char *table = rtap_rdkafka_table();
	int rc;

	if (table == NULL) {
		snprintf(why, size, "out of memory");
		return -ENOMEM;
	}
	rc = set_list(conf, settings, table, "global", &settings->file->kafka_global, why, size);
	if (rc == 0)
		rc = set_list(
			conf, settings, table, "topic", &settings->file->kafka_topic, why, size
		);
	free(table);
	return rc;
}

static int set_property(rd_kafka_conf_t *conf, const char *property, char *why, size_t size) {
	const char *value = strchr(property, '=');
	char name[128], reason[256];

	if (value == NULL || (size_t)(value - property) >= sizeof(name)) {
		snprintf(why, size, "-X %s: not NAME=VALUE", property);
		return -EINVAL;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(value - property), property);
	if (rtap_rdkafka_set_checked(conf, name, value + 1, reason, sizeof(reason)) == 0)
		return 0;
	snprintf(why, size, "-X %s: %s", name, reason);
	return -EINVAL;
}

rd_kafka_conf_t *
consumer_settings_build(const struct consumer_settings *settings, char *why, size_t why_size) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int rc = set_ours(conf, why, why_size);

	if (rc == 0 && settings->file != NULL && set_files(conf, settings, why, why_size) < 0)
		rc = -EBADMSG;
	if (rc == 0 && settings->brokers != NULL)
		rc = rtap_rdkafka_set(conf, "bootstrap.servers", settings->brokers, why, why_size);
	for (unsigned int i = 0; rc == 0 && i < settings->nb_properties; i++)
		rc = set_property(conf, settings->properties[i], why, why_size);
	if (rc == 0)
		return conf;
	rd_kafka_conf_destroy(conf);
	errno = -rc;
	return NULL;
}

// Whether `text` has the first `len` characters of `name` as a word: properties have dots.
static bool is_named(const char *text, const char *name, size_t len) {
	static const char others[] = "abcdefghijklmnopqrstuvwxyz0123456789._";
	bool is_begin = true;

	for (; *text != '\0'; is_begin = strchr(others, *text++) == NULL)
		if (is_begin && strncmp(text, name, len) == 0
		    && (text[len] == '\0' || strchr(others, text[len]) == NULL))
			return true;
	return false;
}

int consumer_settings_blame(const struct consumer_settings *settings, const char *text) {
	if (settings->file == NULL)
		return -EINVAL;
	for (unsigned int i = 0; i < settings->nb_properties; i++)
		if (is_named(text, settings->properties[i], strcspn(settings->properties[i], "=")))
			return -EINVAL;
	return -EBADMSG;
}

void consumer_settings_print_version(FILE *out) {
	fputs("kafka-to-pcap " RTAP_VERSION "\n", out);
	rtap_rdkafka_print_version(out);
}
