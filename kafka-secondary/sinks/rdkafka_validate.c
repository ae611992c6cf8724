// SPDX-License-Identifier: BSD-3-Clause
// Validate the producer's properties before any worker is started.

#include "rdkafka_validate.h"

#include "log.h"
#include "rdkafka_conf.h"
#include "rdkafka_differences.h"
#include "rdkafka_properties.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LOG_TYPE "kafka"

// Values that are legal and weaken the promise.
static const struct {
	const char *name, *value, *why;
} warnings[] = {
	{"acks", "1", "a packet that only the leader stored is lost with that broker"},
};

static void warn(const rd_kafka_conf_t *conf, const struct rtap_config *cfg) {
	char value[64];

	rtap_rdkafka_get(conf, "security.protocol", value, sizeof(value));
	if (geteuid() == 0 && strcmp(value, "plaintext") != 0)
		LOG(WARNING, "security.protocol=%s: workers connect as root; set `run-as`", value);

	for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++) {
		rtap_rdkafka_get(conf, warnings[i].name, value, sizeof(value));
		if (strcmp(value, warnings[i].value) == 0)
			LOG(WARNING, "%s=%s: %s", warnings[i].name, value, warnings[i].why);
	}
	for (unsigned int i = 0; i < cfg->kafka_global.nb_items; i++)
		if (strcmp(cfg->kafka_global.items[i].name, "enable.idempotence") == 0)
			LOG(WARNING,
			    "%s:%u: enable.idempotence overrides `order`; say `order: strict` or "
			    "`order: relaxed` instead",
			    cfg->file, cfg->kafka_global.items[i].line);
}

static void discard_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {}

// Where the user's property stands that librdkafka's reason names first; the file when it names
// none.
static void
place_of_reason(const struct rtap_config *cfg, const char *reason, char *text, size_t size) {
	const struct rtap_property_list *const lists[] = {&cfg->kafka_global, &cfg->kafka_topic};
	const char *first = reason + strlen(reason), *hit;

	snprintf(text, size, "%s: ", cfg->file);
	for (unsigned int i = 0; i < 2; i++)
		for (unsigned int k = 0; k < lists[i]->nb_items; k++) {
			hit = strstr(reason, lists[i]->items[k].name);
			if (hit == NULL || hit >= first)
				continue;
			first = hit;
			rdkafka_properties_place(
				cfg, i == 0 ? "global" : "topic", &lists[i]->items[k], text, size
			);
		}
}

// Is it a path that librdkafka opens with this security?
static bool is_opened(const char *name, bool ssl, bool kerberos) {
	static const char *const paths[] = {
		"ssl.ca.location",  "ssl.certificate.location", "ssl.key.location",
		"ssl.crl.location", "ssl.keystore.location",
	};

	for (size_t i = 0; ssl && i < sizeof(paths) / sizeof(paths[0]); i++)
		if (strcmp(name, paths[i]) == 0)
			return true;
	return kerberos && strcmp(name, "sasl.kerberos.keytab") == 0;
}

// OpenSSL says "x509 certificate routines::system lib" of a file that is not there, and kinit says
// nothing until the broker is asked. Only what begins as a path: there are "probe" and "FILE:...",
// too.
static int check_files(const rd_kafka_conf_t *conf, const struct rtap_config *cfg) {
	char protocol[64], mechanism[64], place[512];
	bool kerberos;
	int error;

	rtap_rdkafka_get(conf, "security.protocol", protocol, sizeof(protocol));
	rtap_rdkafka_get(conf, "sasl.mechanisms", mechanism, sizeof(mechanism));
	kerberos = strncmp(protocol, "sasl_", 5) == 0 && strcasecmp(mechanism, "GSSAPI") == 0;
	for (unsigned int i = 0; i < cfg->kafka_global.nb_items; i++) {
		const struct rtap_property *p = &cfg->kafka_global.items[i];

		if (!is_opened(p->name, strstr(protocol, "ssl") != NULL, kerberos)
		    || p->value[0] != '/' || access(p->value, R_OK) == 0)
			continue;
		error = errno;
		rdkafka_properties_place(cfg, "global", p, place, sizeof(place));
		LOG(ERR, "%s%s: %s; the workers' user must be able to read it", place,
		    p->source == RTAP_PROPERTY_TEXT ? p->value : p->from, strerror(error));
		return -EINVAL;
	}
	return 0;
}

// A check changes nothing: the user's kinit is still looked at, and left before it begins.
static void disarm_kinit(rd_kafka_conf_t *conf) {
	char command[4096] = "exit; ";
	size_t used = strlen(command);

	if (rtap_rdkafka_get(
		    conf, "sasl.kerberos.kinit.cmd", command + used, sizeof(command) - used
	    )
	    == 0)
		rd_kafka_conf_set(conf, "sasl.kerberos.kinit.cmd", command, NULL, 0);
}

int rdkafka_validate(const struct rtap_config *cfg, unsigned int nb_rings) {
	rd_kafka_conf_t *conf;
	rd_kafka_t *rk;
	char why[512], place[512];

	conf = rdkafka_properties_build(cfg, nb_rings, false, why, sizeof(why));
	if (conf == NULL) {
		LOG(ERR, "%s", why);
		return -EINVAL;
	}
	warn(conf, cfg);
	rdkafka_differences_log(conf, cfg);
	if (check_files(conf, cfg) < 0) {
		rd_kafka_conf_destroy(conf);
		return -EINVAL;
	}
	disarm_kinit(conf);
	// Some combinations are refused by the constructor only (mechanisms, key pairs).
	rd_kafka_conf_set_log_cb(conf, discard_log);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (rk == NULL) {
		place_of_reason(cfg, why, place, sizeof(place));
		LOG(ERR, "%slibrdkafka refuses these properties: %s", place, why);
		rd_kafka_conf_destroy(conf);
		return -EINVAL;
	}
	return 0; // the process ends now; waiting for the producer's threads is for nothing
}
