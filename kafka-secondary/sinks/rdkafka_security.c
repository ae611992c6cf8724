// SPDX-License-Identifier: BSD-3-Clause
// Judge the security of a connection: whether librdkafka was built for it, and the principal it
// gives us.

#include "rdkafka_security.h"

#include "certificate.h"
#include "rdkafka_conf.h"
#include "rdkafka_properties.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *mechanism, *feature;
} mechanisms[] = {
	{"GSSAPI", "sasl_gssapi"},           {"PLAIN", "sasl_plain"},
	{"SCRAM-SHA-256", "sasl_scram"},     {"SCRAM-SHA-512", "sasl_scram"},
	{"OAUTHBEARER", "sasl_oauthbearer"},
};

static bool has_feature(const char *features, const char *name) {
	size_t len = strlen(name);

	for (const char *f = features; (f = strstr(f, name)) != NULL; f += len)
		if ((f == features || f[-1] == ',') && (f[len] == ',' || f[len] == '\0'))
			return true;
	return false;
}

const char *
rdkafka_security_missing(const char *features, const char *protocol, const char *mechanism) {
	const char *feature = "";

	if (strstr(protocol, "ssl") != NULL && !has_feature(features, "ssl"))
		return "ssl";
	if (strncmp(protocol, "sasl_", 5) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (strcasecmp(mechanism, mechanisms[i].mechanism) == 0)
			feature = mechanisms[i].feature;
	return feature[0] != '\0' && has_feature(features, feature) ? NULL : feature;
}

// The line of the first property of these names, as `FILE:LINE:COLUMN: kafka.global.NAME: `.
static int
locate(const struct rtap_config *cfg, const char *name, const char *alias, char *text,
       size_t size) {
	const struct rtap_property_list *list = &cfg->kafka_global;

	for (unsigned int i = 0; i < list->nb_items; i++)
		if (strcmp(list->items[i].name, name) == 0
		    || strcmp(list->items[i].name, alias) == 0)
			return rdkafka_properties_place(cfg, "global", &list->items[i], text, size);
	return snprintf(text, size, "%s: ", cfg->file);
}

int rdkafka_security_check(
	const rd_kafka_conf_t *conf, const struct rtap_config *cfg, char *why, size_t size
) {
	char features[512], protocol[64], mechanism[64];
	const char *missing;
	bool unknown, ssl;
	int used;

	rtap_rdkafka_get(conf, "builtin.features", features, sizeof(features));
	rtap_rdkafka_get(conf, "security.protocol", protocol, sizeof(protocol));
	rtap_rdkafka_get(conf, "sasl.mechanisms", mechanism, sizeof(mechanism));
	missing = rdkafka_security_missing(features, protocol, mechanism);
	if (missing == NULL)
		return 0;
	unknown = missing[0] == '\0';
	ssl = strcmp(missing, "ssl") == 0;
	used = ssl ? locate(cfg, "security.protocol", "", why, size)
		   : locate(cfg, "sasl.mechanisms", "sasl.mechanism", why, size);
	if (used < 0 || (size_t)used >= size)
		return -EINVAL;
	if (unknown)
		snprintf(
			why + used, size - (size_t)used,
			"\"%s\" is not a SASL mechanism that librdkafka knows; allowed: GSSAPI, "
			"PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER",
			mechanism
		);
	else
		snprintf(
			why + used, size - (size_t)used,
			"%s needs \"%s\", which is not built into librdkafka %s (it has %s); use a "
			"librdkafka that has it",
			ssl ? protocol : mechanism, missing, rd_kafka_version_str(), features
		);
	return -EINVAL;
}

// Kafka's own rule: the first part of a Kerberos name.
static const char *sasl_user(const rd_kafka_conf_t *conf, char *buf, size_t size) {
	char mechanism[64], name[256];

	rtap_rdkafka_get(conf, "sasl.mechanisms", mechanism, sizeof(mechanism));
	if (strcasecmp(mechanism, "OAUTHBEARER") == 0)
		return NULL; // the token says it
	if (strcasecmp(mechanism, "GSSAPI") == 0) {
		rtap_rdkafka_get(conf, "sasl.kerberos.principal", name, sizeof(name));
		name[strcspn(name, "/@")] = '\0';
	} else {
		rtap_rdkafka_get(conf, "sasl.username", name, sizeof(name));
	}
	if (name[0] == '\0')
		return NULL;
	snprintf(buf, size, "User:%s", name);
	return buf;
}

const char *rdkafka_security_principal(const rd_kafka_conf_t *conf, char *buf, size_t size) {
	static const char *const elsewhere[] = {
		"ssl.certificate.pem", "ssl_certificate", "ssl.keystore.location"};
	char protocol[64], path[512], subject[256];

	rtap_rdkafka_get(conf, "security.protocol", protocol, sizeof(protocol));
	if (strncmp(protocol, "sasl_", 5) == 0)
		return sasl_user(conf, buf, size);
	if (strcmp(protocol, "ssl") == 0) {
		for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
			if (rtap_rdkafka_get(conf, elsewhere[i], path, sizeof(path)) == 0
			    && path[0] != '\0')
				return NULL;
		rtap_rdkafka_get(conf, "ssl.certificate.location", path, sizeof(path));
		if (path[0] != '\0') {
			if (certificate_subject(path, subject, sizeof(subject)) < 0)
				return NULL;
			snprintf(buf, size, "User:%s", subject);
			return buf;
		}
	}
	snprintf(buf, size, "User:ANONYMOUS");
	return buf;
}
