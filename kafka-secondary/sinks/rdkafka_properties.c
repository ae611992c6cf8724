// SPDX-License-Identifier: BSD-3-Clause
// Build the producer's properties: ours, then the user's.

#include "rdkafka_properties.h"

#include "rdkafka_conf.h"
#include "rdkafka_rules.h"
#include "rdkafka_security.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int set_ours(
	rd_kafka_conf_t *conf, const struct rtap_config *cfg, unsigned int nb_rings, char *why,
	size_t size
) {
	struct rdkafka_own own[RDKAFKA_NB_OWN];
	int rc = 0;

	rdkafka_rules_own(own, cfg, nb_rings);
	for (size_t i = 0; rc == 0 && i < RDKAFKA_NB_OWN; i++)
		rc = rtap_rdkafka_set_if_known(conf, own[i].name, own[i].value, why, size);
	return rc;
}

static bool is_topic_property(const struct rtap_property *p) {
	rd_kafka_topic_conf_t *scratch = rd_kafka_topic_conf_new();
	char reason[256];
	bool known = rd_kafka_topic_conf_set(scratch, p->name, p->value, reason, sizeof(reason))
		!= RD_KAFKA_CONF_UNKNOWN;

	rd_kafka_topic_conf_destroy(scratch);
	return known;
}

int rdkafka_properties_place(
	const struct rtap_config *cfg, const char *section, const struct rtap_property *p,
	char *text, size_t size
) {
	return snprintf(
		text, size, "%s:%u:%u: kafka.%s.%s: ", cfg->file, p->line, p->column, section,
		p->name
	);
}

static int
refuse(const struct rtap_config *cfg, const char *section, const struct rtap_property *p,
       const char *reason, char *why, size_t size) {
	int used = rdkafka_properties_place(cfg, section, p, why, size);

	if (used >= 0 && (size_t)used < size)
		snprintf(why + used, size - (size_t)used, "%s", reason);
	return -EINVAL;
}

// A property under two of its names, the last of which would win: set from the end, the first one
// does.
static int check_aliases(
	const rd_kafka_conf_t *conf, const struct rtap_config *cfg,
	const struct rtap_property_list *list, const char *section, char *why, size_t size
) {
	rd_kafka_conf_t *reverse = rd_kafka_conf_new();
	char value[1024], other[1024];
	int rc = 0;

	for (unsigned int i = list->nb_items; i-- > 0;)
		rtap_rdkafka_set(reverse, list->items[i].name, list->items[i].value, why, size);
	for (unsigned int i = 0; rc == 0 && i < list->nb_items; i++) {
		rtap_rdkafka_get(conf, list->items[i].name, value, sizeof(value));
		rtap_rdkafka_get(reverse, list->items[i].name, other, sizeof(other));
		if (strcmp(value, other) != 0)
			rc = refuse(
				cfg, section, &list->items[i],
				"set again below under another name; remove one of the two", why,
				size
			);
	}
	rd_kafka_conf_destroy(reverse);
	return rc;
}

static int set_users(
	rd_kafka_conf_t *conf, const struct rtap_config *cfg, const struct rtap_property_list *list,
	const char *section, bool topic, char *why, size_t size
) {
	char reason[320];

	for (unsigned int i = 0; i < list->nb_items; i++) {
		const struct rtap_property *p = &list->items[i];
		const char *refusal = rdkafka_rules_why_refused(p->name);

		if (refusal == NULL && topic && !is_topic_property(p))
			refusal = "librdkafka has no topic property of this name; global ones belong under "
				  "kafka.global";
		if (refusal == NULL
		    && (rtap_rdkafka_set_checked(conf, p->name, p->value, reason, sizeof(reason))
				< 0
			|| rdkafka_rules_check(conf, reason, sizeof(reason)) < 0))
			refusal = reason;
		if (refusal != NULL)
			return refuse(cfg, section, p, refusal, why, size);
	}
	return check_aliases(conf, cfg, list, section, why, size);
}

rd_kafka_conf_t *rdkafka_properties_build(
	const struct rtap_config *cfg, unsigned int nb_rings, bool alone, char *why, size_t why_size
) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int rc;

	rc = set_ours(conf, cfg, nb_rings, why, why_size);
	if (rc == 0)
		rc = set_users(conf, cfg, &cfg->kafka_global, "global", false, why, why_size);
	if (rc == 0)
		rc = set_users(conf, cfg, &cfg->kafka_topic, "topic", true, why, why_size);
	if (rc == 0)
		rc = rdkafka_security_check(conf, cfg, why, why_size);
	if (rc == 0 && alone)
		rc = rtap_rdkafka_set(conf, "batch.num.messages", "1", why, why_size);
	if (rc < 0) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	rd_kafka_conf_set_events(
		conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS
	);
	return conf;
}
