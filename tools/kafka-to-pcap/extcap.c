// SPDX-License-Identifier: BSD-3-Clause
// Wireshark's extcap protocol: lines of words and {name=value} fields.

#include "extcap.h"

#include "config.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const directories[] = {"~/.config/ringtap", "/etc/ringtap"};

// ---- the topics ----

static bool is_known(const struct extcap_topics *topics, const char *interface) {
	return extcap_topics_lookup(topics, interface) != NULL;
}

static bool is_plain(char c) {
	static const char plain[]
		= "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

	return strchr(plain, c) != NULL;
}

// "kafka-NAME" for a file /DIRECTORY/NAME.yaml, of characters that no shell and no protocol minds;
// the others as in an URL, so that no two files have one name.
static char *interface_of(const char *path) {
	const char *base = strrchr(path, '/'), *end;
	size_t size;
	char *interface = NULL;
	FILE *out = open_memstream(&interface, &size);

	if (out == NULL)
		return NULL;
	base = base != NULL ? base + 1 : path;
	end = strrchr(base, '.');
	end = end != NULL ? end : base + strlen(base);
	fputs(EXTCAP_ANY_TOPIC "-", out);
	for (; base < end; base++)
		if (is_plain(*base))
			fputc(*base, out);
		else
			fprintf(out, "%%%02X", (unsigned char)*base);
	if (fclose(out) == 0)
		return interface;
	free(interface);
	return NULL;
}

static void free_topic(struct extcap_topic *topic) {
	free(topic->interface);
	free(topic->topic);
	free(topic->file);
}

static int add_topic(struct extcap_topics *topics, const char *path, const char *name) {
	struct extcap_topic topic = {interface_of(path), strdup(name), strdup(path)}, *more;

	if (topic.interface == NULL || topic.topic == NULL || topic.file == NULL)
		goto no_memory;
	if (is_known(topics, topic.interface)) { // the user's own file goes before the system's
		free_topic(&topic);
		return 0;
	}
	more = reallocarray(topics->topics, topics->nb + 1, sizeof(topic));
	if (more == NULL)
		goto no_memory;
	topics->topics = more;
	topics->topics[topics->nb++] = topic;
	return 0;

no_memory:
	free_topic(&topic);
	return -ENOMEM;
}

// A FIFO would be waited for.
static bool is_something_else(const char *path) {
	struct stat found;

	return stat(path, &found) == 0 && !S_ISREG(found.st_mode);
}

static int add_file(struct extcap_topics *topics, const char *path, FILE *complaints) {
	struct rtap_config_error error;
	struct rtap_config config;
	int rc;

	if (is_something_else(path)) {
		if (complaints != NULL)
			fprintf(complaints,
				"kafka-to-pcap: %s: left out of the list: not a regular file\n",
				path);
		return 0;
	}
	rc = rtap_config_load(&config, path, &error);
	if (rc < 0) {
		if (complaints != NULL)
			fprintf(complaints, "kafka-to-pcap: %s\n", error.text);
		return rc == -ENOMEM ? rc : 0;
	}
	rc = add_topic(topics, path, config.topic);
	rtap_config_fini(&config);
	return rc;
}

static int add_named(struct extcap_topics *topics, const char *list, FILE *complaints) {
	char *copy = strdup(list), *rest = copy, *path;
	int rc = copy != NULL ? 0 : -ENOMEM;

	while (rc == 0 && (path = strsep(&rest, ":")) != NULL)
		if (*path != '\0')
			rc = add_file(topics, path, complaints);
	free(copy);
	return rc;
}

static int add_directory(struct extcap_topics *topics, const char *directory, FILE *complaints) {
	char pattern[64];
	glob_t found;
	int rc = 0;

	snprintf(pattern, sizeof(pattern), "%s/*.yaml", directory);
	if (glob(pattern, GLOB_TILDE_CHECK, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
		rc = add_file(topics, found.gl_pathv[i], complaints);
	globfree(&found);
	return rc;
}

int extcap_topics_find(struct extcap_topics *topics, FILE *complaints) {
	const char *named = getenv(EXTCAP_FILES_VARIABLE);
	int rc = 0;

	*topics = (struct extcap_topics){0};
	if (named != NULL)
		return add_named(topics, named, complaints);
	for (size_t i = 0; rc == 0 && i < sizeof(directories) / sizeof(directories[0]); i++)
		rc = add_directory(topics, directories[i], complaints);
	return rc;
}

void extcap_topics_free(struct extcap_topics *topics) {
	for (unsigned int i = 0; i < topics->nb; i++)
		free_topic(&topics->topics[i]);
	free(topics->topics);
	*topics = (struct extcap_topics){0};
}

const struct extcap_topic *
extcap_topics_lookup(const struct extcap_topics *topics, const char *interface) {
	for (unsigned int i = 0; i < topics->nb; i++)
		if (strcmp(topics->topics[i].interface, interface) == 0)
			return &topics->topics[i];
	return NULL;
}

// ---- the answers ----

// What would end a field or a line is left out.
static void print_value(FILE *out, const char *text) {
	for (; *text != '\0'; text++)
		if (strchr("{}", *text) == NULL && (unsigned char)*text >= ' ')
			putc(*text, out);
}

void extcap_print_interfaces(FILE *out, const struct extcap_topics *topics) {
	fputs("extcap {version=" RTAP_VERSION "}{display=Kafka topics of ringtap}\n", out);
	for (unsigned int i = 0; i < topics->nb; i++) {
		fprintf(out, "interface {value=%s}{display=Kafka topic ",
			topics->topics[i].interface);
		print_value(out, topics->topics[i].topic);
		fputs(", ", out);
		print_value(out, topics->topics[i].file);
		fputs("}\n", out);
	}
	fputs("interface {value=" EXTCAP_ANY_TOPIC "}{display=Kafka topic of your choice}\n", out);
}

void extcap_print_dlts(FILE *out) {
	fputs("dlt {number=1}{name=EN10MB}{display=Ethernet}\n", out);
}

void extcap_print_config(FILE *out, const char *interface) {
	fputs("arg {number=0}{call=--from}{display=Start at}{type=string}"
	      "{tooltip=-15m (s, m, h, d), 2026-11-25T03:00:00Z or seconds since 1970; empty: with what "
	      "comes now}\n"
	      "arg {number=1}{call=--unique}{display=Remove duplicates}{type=boolflag}"
	      "{default=false}\n",
	      out);
	if (strcmp(interface, EXTCAP_ANY_TOPIC) != 0)
		return;
	fputs("arg {number=2}{call=--config}{display=Configuration file}{type=fileselect}"
	      "{mustexist=true}{fileext=YAML (*.yaml)}{tooltip=of an instance: brokers, topic, TLS and "
	      "SASL}\n"
	      "arg {number=3}{call=--brokers}{display=Brokers}{type=string}"
	      "{tooltip=HOST:PORT, comma-separated; goes before the file}\n"
	      "arg {number=4}{call=--topic}{display=Topic}{type=string}"
	      "{tooltip=goes before the file}\n"
	      "arg {number=5}{call=--key-unit}{display=Unit of the keys}{type=selector}\n"
	      "value {arg=5}{value=us}{display=microseconds}{default=true}\n"
	      "value {arg=5}{value=ns}{display=nanoseconds}{default=false}\n",
	      out);
}
