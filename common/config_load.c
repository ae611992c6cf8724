// SPDX-License-Identifier: BSD-3-Clause
// Load a configuration file: defaults first, then what the file says.

#include "byte_units.h"
#include "config_properties.h"
#include "config_schema.h"
#include "config_yaml.h"
#include "errno_set.h"
#include "ini_mark.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILE_BYTES RTAP_MIB
#define MAX_SHOWN_NAME 200 // of the file's name in messages: the end of it

static const char *shown_name(const char *name) {
	size_t len = strlen(name);

	return len > MAX_SHOWN_NAME ? name + len - MAX_SHOWN_NAME : name;
}

// A producer must know a broker; librdkafka has an older name for the same property.
static int default_brokers(struct rtap_config *cfg) {
	struct rtap_config_error error;

	if (rtap_config_property_find(&cfg->kafka_global, "bootstrap.servers") != NULL
	    || rtap_config_property_find(&cfg->kafka_global, "metadata.broker.list") != NULL)
		return 0;
	return rtap_config_property_add(
		cfg, rtap_config_key_lookup("kafka.global"), "bootstrap.servers", "localhost:9092",
		0, 0, &error
	);
}

// An editor of Windows begins a file with it; libyaml takes it for text.
static size_t mark_bytes(const char *data, size_t size) {
	static const char mark[] = {'\xef', '\xbb', '\xbf'};

	return size >= sizeof(mark) && memcmp(data, mark, sizeof(mark)) == 0 ? sizeof(mark) : 0;
}

static int read_text(
	struct rtap_config *cfg, const char *shown, const char *data, size_t size,
	struct rtap_config_error *error
) {
	size_t mark = mark_bytes(data, size), line, column;

	if (size > MAX_FILE_BYTES) {
		snprintf(
			error->text, sizeof(error->text),
			"%s:1:1: the file is too large; allowed: up to 1 MiB", shown
		);
		return errno_set(EINVAL);
	}
	data += mark;
	size -= mark;
	if (rtap_ini_mark_find(data, size, &line, &column)) {
		snprintf(
			error->text, sizeof(error->text),
			"%s:%zu:%zu: this looks like an ini file, not YAML; allowed: lines of "
			"\"key: value\"; fastcapa-import converts Fastcapa's",
			shown, line, column
		);
		return errno_set(EINVAL);
	}
	return rtap_config_yaml_read(cfg, shown, data, size, error);
}

int rtap_config_load_buffer(
	struct rtap_config *cfg, const char *name, const void *data, size_t size,
	struct rtap_config_error *error
) {
	const char *shown = shown_name(name);
	int rc;

	rc = rtap_config_set_defaults(cfg);
	if (rc == 0 && (cfg->file = strdup(name)) == NULL)
		rc = errno_set(ENOMEM);
	if (rc == 0)
		rc = read_text(cfg, shown, data, size, error);
	if (rc == 0)
		rc = default_brokers(cfg);
	if (rc == -ENOMEM)
		snprintf(error->text, sizeof(error->text), "%s: out of memory", shown);
	if (rc != 0)
		rtap_config_fini(cfg);
	return rc;
}

// Read at most `max` bytes. Returns their number or a negative errno.
static ssize_t read_file(const char *path, char *data, size_t max) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, data + size, max - size);
		if (n > 0)
			size += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	n = n < 0 ? -errno : (ssize_t)size;
	close(fd);
	return n;
}

int rtap_config_load(struct rtap_config *cfg, const char *path, struct rtap_config_error *error) {
	char *data = calloc(1, MAX_FILE_BYTES + 1);
	ssize_t size = data != NULL ? read_file(path, data, MAX_FILE_BYTES + 1) : -ENOMEM;
	int rc;

	*cfg = (struct rtap_config){0};
	if (size >= 0) {
		rc = rtap_config_load_buffer(cfg, path, data, (size_t)size, error);
	} else {
		rc = (int)size;
		snprintf(
			error->text, sizeof(error->text), "%s: cannot be read: %s",
			shown_name(path), strerror(-rc)
		);
	}
	free(data);
	return rc;
}
