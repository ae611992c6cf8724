// SPDX-License-Identifier: BSD-3-Clause
// Read a configuration from YAML, strictly: what the table does not ask for is refused where it
// starts.

#include "config_yaml.h"

#include "config_properties.h"
#include "config_schema.h"
#include "errno_set.h"
#include "nearest_key.h"
#include "yaml_property.h"
#include "yaml_reader.h"

#include <stdio.h>
#include <string.h>

struct loader {
	struct rtap_config *cfg;
	struct rtap_yaml_reader yaml;
	size_t seen[RTAP_CONFIG_MAX_KEYS]; // line of each key, 0 = not yet
	size_t section_seen;
};

// Refuse the current event for a reason that names its key.
static int refuse_value(struct loader *l, const struct rtap_config_key *key, const char *what) {
	struct rtap_config_error error;

	rtap_config_refuse(key, &error, "%s", what);
	return RTAP_YAML_REFUSE(&l->yaml, "%s", error.text);
}

// Put the current position before a message of the schema.
static int locate(struct loader *l, int rc, const struct rtap_config_error *error) {
	return rc == -EINVAL ? RTAP_YAML_REFUSE(&l->yaml, "%s", error->text) : rc;
}

static int refuse_unknown(struct loader *l, const char *section) {
	const char *scalar = rtap_yaml_scalar(&l->yaml);
	struct rtap_config_quoted quoted = rtap_config_quote(scalar);
	const char *in = *section != '\0' ? " in " : "", *nearest;
	char name[64];

	if (strchr(scalar, '.') != NULL)
		return RTAP_YAML_REFUSE(
			&l->yaml,
			"unknown key %s; properties of librdkafka belong under kafka: global: "
			"or kafka: topic:",
			quoted.text
		);
	nearest = rtap_nearest_key(scalar, section, name, sizeof(name));
	if (nearest == NULL)
		return RTAP_YAML_REFUSE(
			&l->yaml, "unknown key %s%s%s; capture-primary --keys prints all keys",
			quoted.text, in, section
		);
	return RTAP_YAML_REFUSE(
		&l->yaml, "unknown key %s%s%s; the nearest is \"%s\"", quoted.text, in, section,
		nearest
	);
}

static int refuse_type(struct loader *l, const struct rtap_config_key *key) {
	switch (l->yaml.event.type) {
	case YAML_MAPPING_START_EVENT:
		return refuse_value(l, key, "a mapping where it does not belong");
	case YAML_SEQUENCE_START_EVENT:
		return refuse_value(l, key, "a list where it does not belong");
	default:
		return refuse_value(l, key, "one value where a mapping belongs");
	}
}

static int read_scalar(struct loader *l, const struct rtap_config_key *key) {
	size_t row = (size_t)(key - rtap_config_keys);
	struct rtap_config_error error;

	l->cfg->places[row].line = (unsigned int)l->yaml.event.start_mark.line + 1;
	l->cfg->places[row].column = (unsigned int)l->yaml.event.start_mark.column + 1;
	switch (key->type) {
	case RTAP_CONFIG_NUMBER:
	case RTAP_CONFIG_POWER_OF_TWO:
	case RTAP_CONFIG_RING_SIZE:
	case RTAP_CONFIG_MASK:
	case RTAP_CONFIG_BOOLEAN:
		if (!rtap_yaml_is_plain(&l->yaml))
			return refuse_value(l, key, "text in quotes, not a number or boolean");
		break;
	default:
		break;
	}
	return locate(
		l, rtap_config_key_set(l->cfg, key, rtap_yaml_scalar(&l->yaml), &error), &error
	);
}

static int read_list(struct loader *l, const struct rtap_config_key *key) {
	struct rtap_config_error error;
	int rc;

	for (;;) {
		rc = rtap_yaml_next(&l->yaml);
		if (rc != 0 || l->yaml.event.type == YAML_SEQUENCE_END_EVENT)
			return rc;
		if (l->yaml.event.type != YAML_SCALAR_EVENT)
			return refuse_type(l, key);
		rc = locate(
			l, rtap_config_list_add(l->cfg, key, rtap_yaml_scalar(&l->yaml), &error),
			&error
		);
		if (rc != 0)
			return rc;
	}
}

static int read_properties(struct loader *l, const struct rtap_config_key *key) {
	int rc;

	for (;;) {
		rc = rtap_yaml_next(&l->yaml);
		if (rc != 0 || l->yaml.event.type == YAML_MAPPING_END_EVENT)
			return rc;
		if (l->yaml.event.type != YAML_SCALAR_EVENT)
			return refuse_type(l, key);
		rc = rtap_yaml_property_read(&l->yaml, l->cfg, key);
		if (rc != 0)
			return rc;
	}
}

static int read_value(struct loader *l, const struct rtap_config_key *key) {
	bool properties = key->type == RTAP_CONFIG_PROPERTIES;
	bool strings = key->type == RTAP_CONFIG_STRING_LIST;
	int rc = rtap_yaml_next(&l->yaml);

	if (rc != 0)
		return rc;
	// A list or mapping whose every line is commented out is empty.
	if (rtap_yaml_is_null(&l->yaml))
		return properties || strings || key->type == RTAP_CONFIG_CPU_LIST
			? 0
			: refuse_value(l, key, "no value");
	if (properties && l->yaml.event.type == YAML_MAPPING_START_EVENT)
		return read_properties(l, key);
	if (strings && l->yaml.event.type == YAML_SEQUENCE_START_EVENT)
		return read_list(l, key);
	if (!properties && l->yaml.event.type == YAML_SCALAR_EVENT)
		return read_scalar(l, key);
	return refuse_type(l, key);
}

// A key may stand once; `seen` is where its line is kept.
static int first_time(struct loader *l, size_t *seen) {
	if (*seen != 0)
		return RTAP_YAML_REFUSE(
			&l->yaml, "duplicate key %s; it is set at line %zu",
			rtap_config_quote(rtap_yaml_scalar(&l->yaml)).text, *seen
		);
	*seen = l->yaml.event.start_mark.line + 1;
	return 0;
}

static int read_mapping(struct loader *l, const char *section);

static int read_section(struct loader *l, const char *section) {
	int rc = first_time(l, &l->section_seen);

	if (rc == 0)
		rc = rtap_yaml_next(&l->yaml);
	if (rc != 0 || rtap_yaml_is_null(&l->yaml))
		return rc;
	if (l->yaml.event.type != YAML_MAPPING_START_EVENT)
		return RTAP_YAML_REFUSE(
			&l->yaml, "%s: not a mapping; allowed: a mapping of %s properties", section,
			section
		);
	return read_mapping(l, section);
}

// One key of the level, and its value.
static int read_entry(struct loader *l, const char *section) {
	char name[64];
	int rc;

	if (l->yaml.event.type != YAML_SCALAR_EVENT)
		return RTAP_YAML_REFUSE(&l->yaml, "a list or mapping as a key; allowed: a word");
	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		const struct rtap_config_key *key = &rtap_config_keys[i];

		if (rtap_config_key_name(key, section, name, sizeof(name)) == NULL
		    || strcmp(name, rtap_yaml_scalar(&l->yaml)) != 0)
			continue;
		if (*section == '\0' && strchr(key->path, '.') != NULL)
			return read_section(l, name);
		rc = first_time(l, &l->seen[i]);
		return rc == 0 ? read_value(l, key) : rc;
	}
	return refuse_unknown(l, section);
}

// All keys of a level. Sections do not nest: the recursion is one deep.
static int read_mapping(struct loader *l, const char *section) {
	int rc;

	for (;;) {
		rc = rtap_yaml_next(&l->yaml);
		if (rc != 0 || l->yaml.event.type == YAML_MAPPING_END_EVENT)
			return rc;
		rc = read_entry(l, section);
		if (rc != 0)
			return rc;
	}
}

// The root of the document is the current event.
static int read_root(struct loader *l) {
	if (l->yaml.event.type == YAML_MAPPING_START_EVENT)
		return read_mapping(l, "");
	if (rtap_yaml_is_null(&l->yaml))
		return 0;
	return RTAP_YAML_REFUSE(&l->yaml, "not a mapping; allowed: lines of \"key: value\"");
}

static int read_stream(struct loader *l) {
	int rc = rtap_yaml_next(&l->yaml); // the start of the stream

	if (rc == 0)
		rc = rtap_yaml_next(&l->yaml);
	if (rc != 0 || l->yaml.event.type == YAML_STREAM_END_EVENT)
		return rc;
	rc = rtap_yaml_next(&l->yaml);
	if (rc == 0)
		rc = read_root(l);
	if (rc == 0)
		rc = rtap_yaml_next(&l->yaml); // the end of the document
	if (rc == 0)
		rc = rtap_yaml_next(&l->yaml);
	if (rc == 0 && l->yaml.event.type != YAML_STREAM_END_EVENT)
		rc = RTAP_YAML_REFUSE(&l->yaml, "a second document; allowed: one");
	return rc;
}

int rtap_config_yaml_read(
	struct rtap_config *cfg, const char *name, const void *data, size_t size,
	struct rtap_config_error *error
) {
	struct loader l = {
		.cfg = cfg,
		.yaml = {.name = name, .data = data, .size = size, .error = error},
	};
	int rc = rtap_yaml_init(&l.yaml);

	if (rc < 0)
		return rc;
	rc = read_stream(&l);
	rtap_yaml_fini(&l.yaml);
	return rc;
}
