// SPDX-License-Identifier: BSD-3-Clause
// Log the properties whose values differ from librdkafka's defaults.

#include "rdkafka_differences.h"

#include "log.h"

#include <stdbool.h>
#include <string.h>

#define LOG_TYPE "kafka"

static bool is_printable(const char *name, const char *value) {
	return strstr(name, "_cb") == NULL && strcmp(name, "opaque") != 0
		&& strcmp(name, "enabled_events") != 0 && strncmp(value, "0x", 2) != 0;
}

static const char *find(const char **dump, size_t nb, const char *name) {
	for (size_t i = 0; i < nb; i += 2)
		if (strcmp(dump[i], name) == 0)
			return dump[i + 1];
	return "";
}

static bool is_in(const struct rtap_property_list *list, const char *value) {
	for (unsigned int i = 0; i < list->nb_items; i++)
		if (list->items[i].source != RTAP_PROPERTY_TEXT
		    && strcmp(list->items[i].value, value) == 0)
			return true;
	return false;
}

// A value that the user keeps elsewhere is not for a log, whatever its property is called:
// librdkafka has aliases.
static bool is_elsewhere(const struct rtap_config *cfg, const char *value) {
	return is_in(&cfg->kafka_global, value) || is_in(&cfg->kafka_topic, value);
}

static void log_differences(
	const struct rtap_config *cfg, const char **ours, size_t nb, const char **theirs,
	size_t nb_defaults
) {
	for (size_t i = 0; i < nb; i += 2) {
		const char *usual = find(theirs, nb_defaults, ours[i]);

		if (strcmp(ours[i + 1], usual) != 0 && is_printable(ours[i], ours[i + 1]))
			LOG(NOTICE, "%s=%s (librdkafka's default: %s)", ours[i],
			    rtap_config_is_secret(ours[i]) || is_elsewhere(cfg, ours[i + 1])
				    ? "(hidden)"
				    : ours[i + 1],
			    usual[0] != '\0' ? usual : "unset");
	}
	rd_kafka_conf_dump_free(ours, nb);
	rd_kafka_conf_dump_free(theirs, nb_defaults);
}

void rdkafka_differences_log(rd_kafka_conf_t *conf, const struct rtap_config *cfg) {
	rd_kafka_conf_t *defaults = rd_kafka_conf_new();
	rd_kafka_topic_conf_t *topic_defaults = rd_kafka_topic_conf_new();
	const char **ours, **theirs;
	size_t nb, nb_defaults;

	ours = rd_kafka_conf_dump(conf, &nb);
	theirs = rd_kafka_conf_dump(defaults, &nb_defaults);
	log_differences(cfg, ours, nb, theirs, nb_defaults);
	ours = rd_kafka_topic_conf_dump(rd_kafka_conf_get_default_topic_conf(conf), &nb);
	theirs = rd_kafka_topic_conf_dump(topic_defaults, &nb_defaults);
	log_differences(cfg, ours, nb, theirs, nb_defaults);
	rd_kafka_topic_conf_destroy(topic_defaults);
	rd_kafka_conf_destroy(defaults);
}
