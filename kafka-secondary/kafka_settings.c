// SPDX-License-Identifier: BSD-3-Clause
// The producer's properties.

#include "kafka_settings.h"

#include "certificate.h"
#include "kept_number.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LOG_TYPE "kafka"

#define STATISTICS_MS "5000" // with a file, unless the user says otherwise

#define QUEUE_MESSAGES_MAX 2147483647 // librdkafka's own limit

// What would break the promise, by the effective value, so that an alias is no way around.
static const struct {
	const char *name;
	const char *required; // the one value allowed, or
	const char *forbidden; // the one value refused
	const char *why;
} promises[] = {
	{"message.timeout.ms", "0", NULL,
	 "a message that times out in the client would have to be sent again anyway; nothing times out"},
	{"acks", NULL, "0", "\"delivered\" would mean sent, not stored; use -1 (all)"},
	{"delivery.report.only.error", "false", NULL,
	 "without the report of a success its buffer could never be released"},
	{"transactional.id", "", NULL, "packets are not sent in transactions"},
	{"allow.auto.create.topics", "false", NULL,
	 "ringtap never creates a topic; create it with the partitions that it shall have"},
	{"bootstrap.servers", NULL, "",
	 "name the brokers, HOST:PORT,HOST:PORT, or leave it out for localhost:9092"},
};

// Values that are legal and weaken the promise.
static const struct {
	const char *name, *value, *why;
} warnings[] = {
	{"acks", "1", "a packet that only the leader had is lost when that broker is"},
};

// `why` names the property, never its value: that may be a secret with a misspelt name.
static int set(rd_kafka_conf_t *conf, const char *name, const char *value, char *why, size_t size) {
	if (rd_kafka_conf_set(conf, name, value, why, size) == RD_KAFKA_CONF_OK)
		return 0;
	why[strcspn(why, "\n")] = '\0'; // some of librdkafka's reasons end with one
	return -EINVAL;
}

// Ours, before the user's: what the user sets wins, unless `promises` says no.
static int set_ours(
	rd_kafka_conf_t *conf, const struct rtap_config *cfg, unsigned int nb_rings, char *why,
	size_t size
) {
	uint64_t nb_messages = (cfg->ack_window + cfg->worker_burst)
		* (nb_rings > 0 ? nb_rings : 1);
	char messages[24];
	int rc = 0;

	// Every ring's window fits at once, so a ring that cannot send does not fill the queue of others.
	snprintf(
		messages, sizeof(messages), "%" PRIu64,
		nb_messages < QUEUE_MESSAGES_MAX ? nb_messages : QUEUE_MESSAGES_MAX
	);
	const struct {
		const char *name, *value;
	} ours[] = {
		{"bootstrap.servers", "localhost:9092"},
		{"client.id", "ringtap"},
		{"acks", "-1"},
		{"message.timeout.ms", "0"},
		{"enable.idempotence", cfg->order == RTAP_ORDER_STRICT ? "true" : "false"},
		{"reconnect.backoff.max.ms", "1000"},
		{"allow.auto.create.topics", "false"},
		{"queue.buffering.max.messages", messages},
		{"queue.buffering.max.kbytes", "2147483647"}, // payloads are not copied
		{"log.connection.close", "false"},
		{"statistics.interval.ms", cfg->statistics_file[0] != '\0' ? STATISTICS_MS : "0"},
	};

	for (size_t i = 0; rc == 0 && i < sizeof(ours) / sizeof(ours[0]); i++)
		rc = set(conf, ours[i].name, ours[i].value, why, size);
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

// Names that would take the delivery report, or the choice of the partition, away from us.
static const char *why_not_settable(const char *name) {
	size_t len = strlen(name);

	if (len > 3 && strcmp(name + len - 3, "_cb") == 0)
		return "callbacks are not text";
	if (strcmp(name, "opaque") == 0 || strcmp(name, "interceptors") == 0)
		return "not text";
	if (strncmp(name, "partitioner", 11) == 0)
		return "the partition is chosen by flow, see the key `partitioner` at the top level";
	return NULL;
}

static int get(const rd_kafka_conf_t *conf, const char *name, char *value, size_t size) {
	if (rd_kafka_conf_get(conf, name, value, &size) == RD_KAFKA_CONF_OK)
		return 0;
	value[0] = '\0';
	return -ENOENT;
}

static int check_promises(const rd_kafka_conf_t *conf, char *why, size_t size) {
	char value[256];

	for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
		get(conf, promises[i].name, value, sizeof(value));
		if (promises[i].required != NULL && strcmp(value, promises[i].required) == 0)
			continue;
		if (promises[i].forbidden != NULL && strcmp(value, promises[i].forbidden) != 0)
			continue;
		snprintf(
			why, size, "%s=%s is refused: %s", promises[i].name, value, promises[i].why
		);
		return -EINVAL;
	}
	return 0;
}

static int
check_number(const rd_kafka_conf_t *conf, const struct rtap_property *p, char *why, size_t size) {
	char taken[64];

	get(conf, p->name, taken, sizeof(taken));
	return rtap_kept_number_check(p->value, taken, why, size);
}

// FILE:LINE:COLUMN: kafka.SECTION.NAME: , returns its length.
static int put_place(
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
	int used = put_place(cfg, section, p, why, size);

	if (used >= 0 && (size_t)used < size)
		snprintf(why + used, size - (size_t)used, "%s", reason);
	return -EINVAL;
}

// A property under two of its names, the last of which would win: set from the end, the first one does.
static int check_aliases(
	const rd_kafka_conf_t *conf, const struct rtap_config *cfg,
	const struct rtap_property_list *list, const char *section, char *why, size_t size
) {
	rd_kafka_conf_t *reverse = rd_kafka_conf_new();
	char value[1024], other[1024];
	int rc = 0;

	for (unsigned int i = list->nb_items; i-- > 0;)
		set(reverse, list->items[i].name, list->items[i].value, why, size);
	for (unsigned int i = 0; rc == 0 && i < list->nb_items; i++) {
		get(conf, list->items[i].name, value, sizeof(value));
		get(reverse, list->items[i].name, other, sizeof(other));
		if (strcmp(value, other) != 0)
			rc = refuse(
				cfg, section, &list->items[i],
				"set again below under another name of it; leave one of them out",
				why, size
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
		const char *refusal = why_not_settable(p->name);

		if (refusal == NULL && topic && !is_topic_property(p))
			refusal = "librdkafka has no topic property of this name; global ones belong under "
				  "kafka.global";
		if (refusal == NULL
		    && (set(conf, p->name, p->value, reason, sizeof(reason)) < 0
			|| check_number(conf, p, reason, sizeof(reason)) < 0
			|| check_promises(conf, reason, sizeof(reason)) < 0))
			refusal = reason;
		if (refusal != NULL)
			return refuse(cfg, section, p, refusal, why, size);
	}
	return check_aliases(conf, cfg, list, section, why, size);
}

// ---- security ----

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
kafka_settings_missing(const char *features, const char *protocol, const char *mechanism) {
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
			return put_place(cfg, "global", &list->items[i], text, size);
	return snprintf(text, size, "%s: ", cfg->file);
}

static int
check_security(const rd_kafka_conf_t *conf, const struct rtap_config *cfg, char *why, size_t size) {
	char features[512], protocol[64], mechanism[64];
	const char *missing;
	bool unknown, ssl;
	int used;

	get(conf, "builtin.features", features, sizeof(features));
	get(conf, "security.protocol", protocol, sizeof(protocol));
	get(conf, "sasl.mechanisms", mechanism, sizeof(mechanism));
	missing = kafka_settings_missing(features, protocol, mechanism);
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
			"\"%s\" is no mechanism of SASL that librdkafka knows; allowed: GSSAPI, "
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

	get(conf, "sasl.mechanisms", mechanism, sizeof(mechanism));
	if (strcasecmp(mechanism, "OAUTHBEARER") == 0)
		return NULL; // the token says it
	if (strcasecmp(mechanism, "GSSAPI") == 0) {
		get(conf, "sasl.kerberos.principal", name, sizeof(name));
		name[strcspn(name, "/@")] = '\0';
	} else {
		get(conf, "sasl.username", name, sizeof(name));
	}
	if (name[0] == '\0')
		return NULL;
	snprintf(buf, size, "User:%s", name);
	return buf;
}

const char *kafka_settings_principal(const rd_kafka_conf_t *conf, char *buf, size_t size) {
	static const char *const elsewhere[] = {
		"ssl.certificate.pem", "ssl_certificate", "ssl.keystore.location"};
	char protocol[64], path[512], subject[256];

	get(conf, "security.protocol", protocol, sizeof(protocol));
	if (strncmp(protocol, "sasl_", 5) == 0)
		return sasl_user(conf, buf, size);
	if (strcmp(protocol, "ssl") == 0) {
		for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
			if (get(conf, elsewhere[i], path, sizeof(path)) == 0 && path[0] != '\0')
				return NULL;
		get(conf, "ssl.certificate.location", path, sizeof(path));
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

void kafka_settings_print_version(FILE *out) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char features[512];

	get(conf, "builtin.features", features, sizeof(features));
	fprintf(out, "librdkafka %s\nbuiltin.features %s\n", rd_kafka_version_str(), features);
	rd_kafka_conf_destroy(conf);
}

rd_kafka_conf_t *kafka_settings_build(
	const struct rtap_config *cfg, unsigned int nb_rings, bool lone, char *why, size_t why_size
) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int rc;

	rc = set_ours(conf, cfg, nb_rings, why, why_size);
	if (rc == 0)
		rc = set_users(conf, cfg, &cfg->kafka_global, "global", false, why, why_size);
	if (rc == 0)
		rc = set_users(conf, cfg, &cfg->kafka_topic, "topic", true, why, why_size);
	if (rc == 0)
		rc = check_security(conf, cfg, why, why_size);
	if (rc == 0 && lone)
		rc = set(conf, "batch.num.messages", "1", why, why_size);
	if (rc < 0) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	rd_kafka_conf_set_events(
		conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS
	);
	return conf;
}

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

// A value that the user keeps elsewhere is not for a log, whatever its property is called: librdkafka
// has aliases.
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

static void log_all_differences(rd_kafka_conf_t *conf, const struct rtap_config *cfg) {
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

static void warn(const rd_kafka_conf_t *conf, const struct rtap_config *cfg) {
	char value[64];

	get(conf, "security.protocol", value, sizeof(value));
	if (geteuid() == 0 && strcmp(value, "plaintext") != 0)
		LOG(WARNING, "security.protocol=%s: the workers speak it as root; set `run-as`",
		    value);

	for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++) {
		get(conf, warnings[i].name, value, sizeof(value));
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

static void discard_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
	(void)rk;
	(void)level;
	(void)facility;
	(void)text;
}

// Where the user's property stands that librdkafka's reason names first; the file when it names none.
static void
put_place_of(const struct rtap_config *cfg, const char *reason, char *text, size_t size) {
	const struct rtap_property_list *const lists[] = {&cfg->kafka_global, &cfg->kafka_topic};
	const char *first = reason + strlen(reason), *hit;

	snprintf(text, size, "%s: ", cfg->file);
	for (unsigned int i = 0; i < 2; i++)
		for (unsigned int k = 0; k < lists[i]->nb_items; k++) {
			hit = strstr(reason, lists[i]->items[k].name);
			if (hit == NULL || hit >= first)
				continue;
			first = hit;
			put_place(
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
// nothing until the broker is asked. Only what begins as a path: there are "probe" and "FILE:...", too.
static int check_files(const rd_kafka_conf_t *conf, const struct rtap_config *cfg) {
	char protocol[64], mechanism[64], place[512];
	bool kerberos;
	int error;

	get(conf, "security.protocol", protocol, sizeof(protocol));
	get(conf, "sasl.mechanisms", mechanism, sizeof(mechanism));
	kerberos = strncmp(protocol, "sasl_", 5) == 0 && strcasecmp(mechanism, "GSSAPI") == 0;
	for (unsigned int i = 0; i < cfg->kafka_global.nb_items; i++) {
		const struct rtap_property *p = &cfg->kafka_global.items[i];

		if (!is_opened(p->name, strstr(protocol, "ssl") != NULL, kerberos)
		    || p->value[0] != '/' || access(p->value, R_OK) == 0)
			continue;
		error = errno;
		put_place(cfg, "global", p, place, sizeof(place));
		LOG(ERR, "%s%s: %s; the workers' user has to read it", place,
		    p->source == RTAP_PROPERTY_TEXT ? p->value : p->from, strerror(error));
		return -EINVAL;
	}
	return 0;
}

// A check changes nothing: the user's kinit is still looked at, and left before it begins.
static void disarm_kinit(rd_kafka_conf_t *conf) {
	char command[4096] = "exit; ";
	size_t used = strlen(command);

	if (get(conf, "sasl.kerberos.kinit.cmd", command + used, sizeof(command) - used) == 0)
		rd_kafka_conf_set(conf, "sasl.kerberos.kinit.cmd", command, NULL, 0);
}

int kafka_settings_validate(const struct rtap_config *cfg, unsigned int nb_rings) {
	rd_kafka_conf_t *conf;
	rd_kafka_t *rk;
	char why[512], place[512];

	conf = kafka_settings_build(cfg, nb_rings, false, why, sizeof(why));
	if (conf == NULL) {
		LOG(ERR, "%s", why);
		return -EINVAL;
	}
	warn(conf, cfg);
	log_all_differences(conf, cfg);
	if (check_files(conf, cfg) < 0) {
		rd_kafka_conf_destroy(conf);
		return -EINVAL;
	}
	disarm_kinit(conf);
	// Some combinations are refused by the constructor only (mechanisms, key pairs).
	rd_kafka_conf_set_log_cb(conf, discard_log);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (rk == NULL) {
		put_place_of(cfg, why, place, sizeof(place));
		LOG(ERR, "%slibrdkafka refuses these properties: %s", place, why);
		rd_kafka_conf_destroy(conf);
		return -EINVAL;
	}
	return 0; // the process ends now; waiting for the producer's threads is for nothing
}
