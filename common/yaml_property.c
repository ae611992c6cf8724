// SPDX-License-Identifier: BSD-3-Clause
// Read one property of librdkafka from YAML: its text, or the place where that stands.

#include "yaml_property.h"

#include "config_properties.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

// Where the value of a property stands when it is not in the file itself.
struct property_place {
	enum rtap_property_source source;
	char from[PATH_MAX];
};

// A path or the name of a variable: messages show it, and a line stays a line.
static bool is_place(const char *text) {
	size_t len = strlen(text);

	if (len == 0 || len >= PATH_MAX)
		return false;
	for (; *text != '\0'; text++)
		if (iscntrl((unsigned char)*text))
			return false;
	return true;
}

static int
refuse_place(struct rtap_yaml_reader *y, const struct rtap_config_key *key, const char *name) {
	return RTAP_YAML_REFUSE(
		y, "%s: %s: not a source of a value; allowed: {file: PATH} or {env: NAME}",
		key->path, rtap_config_quote(name).text
	);
}

// The start of a mapping is the current event, its end is afterwards.
static int read_place(
	struct rtap_yaml_reader *y, const struct rtap_config_key *key, const char *name,
	struct property_place *place
) {
	int rc = rtap_yaml_next(y);

	if (rc != 0)
		return rc;
	if (y->event.type == YAML_SCALAR_EVENT && strcmp(rtap_yaml_scalar(y), "file") == 0)
		place->source = RTAP_PROPERTY_FILE;
	else if (y->event.type == YAML_SCALAR_EVENT && strcmp(rtap_yaml_scalar(y), "env") == 0)
		place->source = RTAP_PROPERTY_ENV;
	else
		return refuse_place(y, key, name);
	rc = rtap_yaml_next(y);
	if (rc != 0)
		return rc;
	if (y->event.type != YAML_SCALAR_EVENT || rtap_yaml_is_null(y)
	    || !is_place(rtap_yaml_scalar(y)))
		return refuse_place(y, key, name);
	snprintf(place->from, sizeof(place->from), "%s", rtap_yaml_scalar(y));
	rc = rtap_yaml_next(y);
	return rc == 0 && y->event.type != YAML_MAPPING_END_EVENT ? refuse_place(y, key, name) : rc;
}

// The value of the property `name` comes next: a text, which is the current event then, or its
// place.
static int read_property_value(
	struct rtap_yaml_reader *y, const struct rtap_config_key *key, const char *name,
	struct property_place *place
) {
	struct rtap_config_quoted quoted = rtap_config_quote(name);
	int rc = rtap_yaml_next(y);

	if (rc == 0 && y->event.type == YAML_MAPPING_START_EVENT)
		return read_place(y, key, name, place);
	if (rc == 0 && y->event.type != YAML_SCALAR_EVENT)
		rc = RTAP_YAML_REFUSE(
			y,
			"%s: %s has more than one value; allowed: one text or number, {file: PATH} "
			"or {env: NAME}",
			key->path, quoted.text
		);
	else if (rc == 0 && rtap_yaml_is_null(y))
		rc = RTAP_YAML_REFUSE(
			y,
			"%s: %s has no value; allowed: one text or number, \"\" for an empty one",
			key->path, quoted.text
		);
	return rc;
}

int rtap_yaml_property_read(
	struct rtap_yaml_reader *y, struct rtap_config *cfg, const struct rtap_config_key *key
) {
	struct property_place place = {.source = RTAP_PROPERTY_TEXT};
	struct rtap_config_error error;
	yaml_event_t name = y->event;
	int rc;

	y->event = (yaml_event_t){0}; // the name lives until its value is there
	rc = read_property_value(y, key, (const char *)name.data.scalar.value, &place);
	if (rc == 0) {
		y->event.start_mark = name.start_mark;
		rc = rtap_config_property_add(
			cfg, key, (const char *)name.data.scalar.value,
			place.source == RTAP_PROPERTY_TEXT ? rtap_yaml_scalar(y) : "",
			(unsigned int)name.start_mark.line + 1,
			(unsigned int)name.start_mark.column + 1, &error
		);
		if (rc == -EINVAL)
			rc = RTAP_YAML_REFUSE(y, "%s", error.text);
	}
	if (rc == 0 && place.source != RTAP_PROPERTY_TEXT)
		rc = rtap_config_property_from(
			rtap_config_field(cfg, key), place.source, place.from
		);
	yaml_event_delete(&name);
	return rc;
}
