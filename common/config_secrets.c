// SPDX-License-Identifier: BSD-3-Clause
// Tell which properties are secrets, and fetch values that stand in a file or in the environment.

#include "config.h"
#include "errno_set.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_TYPE "config"

#define MAX_SECRET_BYTES 65536

static bool holds_one_of(const char *name, const char *const *parts) {
	while (*parts != NULL && strstr(name, *parts) == NULL)
		parts++;
	return *parts != NULL;
}

// A misspelt name of a secret, and one that another client of Kafka has, may hold a secret, too.
bool rtap_config_is_secret(const char *name) {
	static const char *const secret[] = {
		"pass", "pwd", "secret", "jaas", "key.pem", "oauthbearer.config", NULL};
	// What librdkafka 2.0 has besides, by a part of the name.
	static const char *const known[] = {
		"ssl.ca.",
		"ssl.certificate.",
		"ssl.crl.",
		"ssl.key.location",
		"ssl.keystore.loc",
		"ssl.truststore.loc",
		"ssl.engine.",
		"ssl.providers",
		"ssl.cipher.",
		"ssl.curves.",
		"ssl.sigalgs.",
		"ssl.endpoint.",
		"sasl.mechanism",
		"sasl.username",
		"sasl.kerberos.",
		"sasl.oauthbearer.",
		NULL,
	};

	if (holds_one_of(name, secret))
		return true;
	return (strncmp(name, "sasl.", 5) == 0 || strncmp(name, "ssl.", 4) == 0)
		&& !holds_one_of(name, known);
}

// The property whose value is fetched, for messages.
struct place {
	const struct rtap_config *cfg;
	const char *section;
	const struct rtap_property *property;
	struct rtap_config_error *error;
};

static int RTAP_PRINTF(2, 3) refuse(const struct place *at, const char *fmt, ...) {
	size_t size = sizeof(at->error->text);
	char *text = at->error->text;
	va_list args;
	int used;

	used = snprintf(
		text, size, "%s:%u:%u: %s.%s: ", at->cfg->file, at->property->line,
		at->property->column, at->section, at->property->name
	);
	va_start(args, fmt);
	if (used >= 0 && (size_t)used < size)
		vsnprintf(text + used, size - (size_t)used, fmt, args);
	va_end(args);
	return errno_set(EINVAL);
}

static int take_value(const struct place *at, struct rtap_property *p, const char *value) {
	char *copy;

	if (value[0] == '\0')
		return refuse(
			at, "%s is empty; allowed: text; a final newline is ignored", p->from
		);
	copy = strdup(value);
	if (copy == NULL)
		return refuse(at, "%s: %s", p->from, strerror(ENOMEM));
	free(p->value);
	p->value = copy;
	return 0;
}

static void cut_newline(char *text) {
	size_t len = strlen(text);

	if (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	if (len > 0 && text[len - 1] == '\r')
		text[--len] = '\0';
}

static int check_file(const struct place *at, int fd) {
	const char *path = at->property->from;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return refuse(at, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_SECRET_BYTES)
		return refuse(
			at, "%s is not a regular file of at most %d bytes", path, MAX_SECRET_BYTES
		);
	if ((st.st_mode & S_IROTH) != 0)
		LOG(WARNING, "%s:%u:%u: %s is world-readable; chmod o-r %s", at->cfg->file,
		    at->property->line, at->property->column, path, path);
	return 0;
}

static int read_file(const struct place *at, struct rtap_property *p) {
	char text[MAX_SECRET_BYTES + 1];
	ssize_t n;
	int fd, rc;

	fd = open(p->from, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return refuse(at, "%s: %s", p->from, strerror(errno));
	rc = check_file(at, fd);
	n = rc == 0 ? read(fd, text, sizeof(text) - 1) : 0;
	close(fd);
	if (rc < 0)
		return rc;
	if (n < 0)
		return refuse(at, "%s: %s", p->from, strerror(errno));
	text[n] = '\0';
	if (strlen(text) != (size_t)n) {
		rc = refuse(at, "%s contains a NUL character; allowed: text", p->from);
	} else {
		cut_newline(text);
		rc = take_value(at, p, text);
	}
	explicit_bzero(text, sizeof(text));
	return rc;
}

static int read_variable(const struct place *at, struct rtap_property *p) {
	const char *value = getenv(p->from);

	if (value == NULL)
		return refuse(at, "environment variable %s is not set", p->from);
	return take_value(at, p, value);
}

static int read_values(
	const struct rtap_config *cfg, const char *section, const struct rtap_property_list *list,
	struct rtap_config_error *error
) {
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < list->nb_items; i++) {
		struct place at = {cfg, section, &list->items[i], error};

		if (list->items[i].source == RTAP_PROPERTY_FILE)
			rc = read_file(&at, &list->items[i]);
		else if (list->items[i].source == RTAP_PROPERTY_ENV)
			rc = read_variable(&at, &list->items[i]);
	}
	return rc;
}

// After all were read: two properties may share a variable.
static void blank_variables(const struct rtap_property_list *list) {
	for (unsigned int i = 0; i < list->nb_items; i++) {
		char *value = list->items[i].source == RTAP_PROPERTY_ENV
			? getenv(list->items[i].from)
			: NULL;

		if (value != NULL)
			explicit_bzero(value, strlen(value));
	}
}

int rtap_config_read_secrets(struct rtap_config *cfg, struct rtap_config_error *error) {
	int rc = read_values(cfg, "kafka.global", &cfg->kafka_global, error);

	if (rc == 0)
		rc = read_values(cfg, "kafka.topic", &cfg->kafka_topic, error);
	if (rc == 0) {
		blank_variables(&cfg->kafka_global);
		blank_variables(&cfg->kafka_topic);
	}
	return rc;
}
