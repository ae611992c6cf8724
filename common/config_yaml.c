// SPDX-License-Identifier: BSD-3-Clause
// Load a configuration file: strict YAML, one line for the user when it is refused.
//
// The events of libyaml's parser are taken one by one, and what the table does not ask for is refused
// where it starts. So nothing is built that a hostile file could make large, deep or circular.

#include "config.h"
#include "config_properties.h"
#include "config_schema.h"
#include "errno_set.h"

#include <yaml.h>

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILE_BYTES (1u << 20)
#define MAX_SHOWN_NAME 200 // of the file's name in messages: the end of it

struct loader {
	struct rtap_config *cfg;
	const char *name;
	const char *data;
	size_t size;
	struct rtap_config_error *error;
	yaml_parser_t parser;
	yaml_event_t event; // the current one
	size_t seen[RTAP_CONFIG_MAX_KEYS]; // line of each key, 0 = not yet
	size_t section_seen;
};

static const char *shown_name(const char *name) {
	size_t len = strlen(name);

	return len > MAX_SHOWN_NAME ? name + len - MAX_SHOWN_NAME : name;
}

// Refuse the file at a 1-based position.
static int RTAP_PRINTF(4, 5)
	refuse_at(struct loader *l, size_t line, size_t column, const char *fmt, ...) {
	size_t size = sizeof(l->error->text);
	char *text = l->error->text;
	va_list args;
	int used;

	used = snprintf(text, size, "%s:%zu:%zu: ", shown_name(l->name), line, column);
	va_start(args, fmt);
	vsnprintf(text + used, size - (size_t)used, fmt, args);
	va_end(args);
	return errno_set(EINVAL);
}

// Refuse the current event.
#define REFUSE(l, ...)                                                                             \
	refuse_at(l, (l)->event.start_mark.line + 1, (l)->event.start_mark.column + 1, __VA_ARGS__)

// Refuse the current event for a reason that names its key.
static int refuse_value(struct loader *l, const struct rtap_config_key *key, const char *what) {
	struct rtap_config_error error;

	rtap_config_refuse(key, &error, "%s", what);
	return REFUSE(l, "%s", error.text);
}

// Put the current position before a message of the schema.
static int locate(struct loader *l, int rc, const struct rtap_config_error *error) {
	return rc == -EINVAL ? REFUSE(l, "%s", error->text) : rc;
}

// The reader of libyaml names bytes, not lines.
static int refuse_byte(struct loader *l) {
	const char *bad = l->data + l->parser.problem_offset;
	size_t line = 1, column = 1;

	for (const char *p = l->data; p < bad; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			column++;
		}
	}
	return refuse_at(
		l, line, column, "%s; allowed: printable text in UTF-8", l->parser.problem
	);
}

static int refuse_syntax(struct loader *l) {
	const yaml_parser_t *p = &l->parser;

	switch (p->error) {
	case YAML_MEMORY_ERROR:
		return errno_set(ENOMEM);
	case YAML_READER_ERROR:
		return refuse_byte(l);
	default:
		return refuse_at(
			l, p->problem_mark.line + 1, p->problem_mark.column + 1,
			"not valid YAML: %s%s%s; allowed: lines of \"key: value\"", p->problem,
			p->context != NULL ? " " : "", p->context != NULL ? p->context : ""
		);
	}
}

// What no value of ours needs is refused everywhere.
static int check_event(struct loader *l) {
	const yaml_event_t *e = &l->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return REFUSE(
			l, "an alias; allowed: the value itself, in quotes if it starts with *"
		);
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
		if (strlen((const char *)e->data.scalar.value) != e->data.scalar.length)
			return REFUSE(l, "a NUL character; allowed: printable text in UTF-8");
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor != NULL)
		return REFUSE(
			l, "an anchor; allowed: the value alone, in quotes if it starts with &"
		);
	if (tag != NULL)
		return REFUSE(l, "a tag; allowed: the value alone, in quotes if it starts with !");
	return 0;
}

static int next(struct loader *l) {
	yaml_event_delete(&l->event);
	if (yaml_parser_parse(&l->parser, &l->event) == 0)
		return refuse_syntax(l);
	return check_event(l);
}

static const char *scalar(const struct loader *l) {
	return (const char *)l->event.data.scalar.value;
}

static bool is_plain(const struct loader *l) {
	return l->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

// A key with nothing behind it, or YAML's words for that.
static bool is_null(const struct loader *l) {
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (l->event.type != YAML_SCALAR_EVENT || !is_plain(l))
		return false;
	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(scalar(l), words[i]) == 0)
			return true;
	}
	return false;
}

// The name of the row at this level: "workers" and "kafka" at the top (section ""), "global" in "kafka".
// NULL when the row is not of this level. `buf` holds it.
static const char *
name_at_level(const struct rtap_config_key *key, const char *section, char *buf, size_t size) {
	size_t len = strlen(section);

	if (len == 0)
		snprintf(buf, size, "%.*s", (int)strcspn(key->path, "."), key->path);
	else if (strncmp(key->path, section, len) == 0 && key->path[len] == '.')
		snprintf(buf, size, "%s", key->path + len + 1);
	else
		return NULL;
	return buf;
}

// Levenshtein's distance.
static unsigned int edit_distance(const char *a, size_t a_len, const char *b) {
	unsigned int row[64];

	for (size_t i = 0; i <= a_len; i++)
		row[i] = (unsigned int)i;
	for (size_t j = 0; b[j] != '\0'; j++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)j + 1;
		for (size_t i = 0; i < a_len; i++) {
			unsigned int cost = diagonal + (a[i] != b[j]);

			diagonal = row[i + 1];
			if (row[i] + 1 < cost)
				cost = row[i] + 1;
			if (diagonal + 1 < cost)
				cost = diagonal + 1;
			row[i + 1] = cost;
		}
	}
	return row[a_len];
}

static int refuse_unknown(struct loader *l, const char *section) {
	size_t len = strnlen(scalar(l), 63);
	unsigned int nearest = 0, least = UINT32_MAX;
	char name[64];

	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		unsigned int distance;

		if (name_at_level(&rtap_config_keys[i], section, name, sizeof(name)) == NULL)
			continue;
		distance = edit_distance(scalar(l), len, name);
		if (distance < least) {
			least = distance;
			nearest = i;
		}
	}
	if (strchr(scalar(l), '.') != NULL)
		return REFUSE(
			l,
			"unknown key %s; properties of librdkafka belong under kafka: global: "
			"or kafka: topic:",
			rtap_config_quote(scalar(l)).text
		);
	name_at_level(&rtap_config_keys[nearest], section, name, sizeof(name));
	if (least > strlen(name) / 2) // it is no slip of the hand
		return REFUSE(
			l, "unknown key %s%s%s; capture-primary --keys prints all that there are",
			rtap_config_quote(scalar(l)).text, *section != '\0' ? " in " : "", section
		);
	return REFUSE(
		l, "unknown key %s%s%s; the nearest is \"%s\"", rtap_config_quote(scalar(l)).text,
		*section != '\0' ? " in " : "", section, name
	);
}

static int refuse_type(struct loader *l, const struct rtap_config_key *key) {
	switch (l->event.type) {
	case YAML_MAPPING_START_EVENT:
		return refuse_value(l, key, "a mapping where it has no place");
	case YAML_SEQUENCE_START_EVENT:
		return refuse_value(l, key, "a list where it has no place");
	default:
		return refuse_value(l, key, "one value where a mapping belongs");
	}
}

static int read_scalar(struct loader *l, const struct rtap_config_key *key) {
	size_t row = (size_t)(key - rtap_config_keys);
	struct rtap_config_error error;

	l->cfg->places[row].line = (unsigned int)l->event.start_mark.line + 1;
	l->cfg->places[row].column = (unsigned int)l->event.start_mark.column + 1;
	switch (key->type) {
	case RTAP_CONFIG_NUMBER:
	case RTAP_CONFIG_POWER_OF_TWO:
	case RTAP_CONFIG_RING_SIZE:
	case RTAP_CONFIG_MASK:
	case RTAP_CONFIG_BOOLEAN:
		if (!is_plain(l))
			return refuse_value(l, key, "text in quotes, not a number or boolean");
		break;
	default:
		break;
	}
	return locate(l, rtap_config_key_set(l->cfg, key, scalar(l), &error), &error);
}

static int read_list(struct loader *l, const struct rtap_config_key *key) {
	struct rtap_config_error error;
	int rc;

	for (;;) {
		rc = next(l);
		if (rc != 0 || l->event.type == YAML_SEQUENCE_END_EVENT)
			return rc;
		if (l->event.type != YAML_SCALAR_EVENT)
			return refuse_type(l, key);
		rc = locate(l, rtap_config_list_add(l->cfg, key, scalar(l), &error), &error);
		if (rc != 0)
			return rc;
	}
}

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

static int refuse_place(struct loader *l, const struct rtap_config_key *key, const char *name) {
	return REFUSE(
		l, "%s: %s: not a place of a value; allowed: {file: PATH} or {env: NAME}",
		key->path, rtap_config_quote(name).text
	);
}

// The start of a mapping is the current event, its end is afterwards.
static int read_place(
	struct loader *l, const struct rtap_config_key *key, const char *name,
	struct property_place *place
) {
	int rc = next(l);

	if (rc != 0)
		return rc;
	if (l->event.type == YAML_SCALAR_EVENT && strcmp(scalar(l), "file") == 0)
		place->source = RTAP_PROPERTY_FILE;
	else if (l->event.type == YAML_SCALAR_EVENT && strcmp(scalar(l), "env") == 0)
		place->source = RTAP_PROPERTY_ENV;
	else
		return refuse_place(l, key, name);
	rc = next(l);
	if (rc != 0)
		return rc;
	if (l->event.type != YAML_SCALAR_EVENT || is_null(l) || !is_place(scalar(l)))
		return refuse_place(l, key, name);
	snprintf(place->from, sizeof(place->from), "%s", scalar(l));
	rc = next(l);
	return rc == 0 && l->event.type != YAML_MAPPING_END_EVENT ? refuse_place(l, key, name) : rc;
}

// The value of the property `name` comes next: a text, which is the current event then, or its place.
static int read_property_value(
	struct loader *l, const struct rtap_config_key *key, const char *name,
	struct property_place *place
) {
	struct rtap_config_quoted quoted = rtap_config_quote(name);
	int rc = next(l);

	if (rc == 0 && l->event.type == YAML_MAPPING_START_EVENT)
		return read_place(l, key, name, place);
	if (rc == 0 && l->event.type != YAML_SCALAR_EVENT)
		rc = REFUSE(
			l,
			"%s: %s has more than one value; allowed: one text or number, {file: PATH} "
			"or {env: NAME}",
			key->path, quoted.text
		);
	else if (rc == 0 && is_null(l))
		rc = REFUSE(
			l,
			"%s: %s has no value; allowed: one text or number, \"\" for an empty one",
			key->path, quoted.text
		);
	return rc;
}

// The name of a property is the current event.
static int read_property(struct loader *l, const struct rtap_config_key *key) {
	struct property_place place = {.source = RTAP_PROPERTY_TEXT};
	struct rtap_config_error error;
	yaml_event_t name = l->event;
	int rc;

	if (name.type != YAML_SCALAR_EVENT)
		return refuse_type(l, key);
	l->event = (yaml_event_t){0}; // the name lives until its value is there
	rc = read_property_value(l, key, (const char *)name.data.scalar.value, &place);
	if (rc == 0) {
		l->event.start_mark = name.start_mark;
		rc = rtap_config_property_add(
			l->cfg, key, (const char *)name.data.scalar.value,
			place.source == RTAP_PROPERTY_TEXT ? scalar(l) : "",
			(unsigned int)name.start_mark.line + 1,
			(unsigned int)name.start_mark.column + 1, &error
		);
		rc = locate(l, rc, &error);
	}
	if (rc == 0 && place.source != RTAP_PROPERTY_TEXT)
		rc = rtap_config_property_from(
			rtap_config_field(l->cfg, key), place.source, place.from
		);
	yaml_event_delete(&name);
	return rc;
}

static int read_properties(struct loader *l, const struct rtap_config_key *key) {
	int rc;

	for (;;) {
		rc = next(l);
		if (rc != 0 || l->event.type == YAML_MAPPING_END_EVENT)
			return rc;
		rc = read_property(l, key);
		if (rc != 0)
			return rc;
	}
}

static int read_value(struct loader *l, const struct rtap_config_key *key) {
	bool properties = key->type == RTAP_CONFIG_PROPERTIES;
	bool strings = key->type == RTAP_CONFIG_STRING_LIST;
	int rc = next(l);

	if (rc != 0)
		return rc;
	// A list or mapping whose every line is commented out is empty.
	if (is_null(l))
		return properties || strings || key->type == RTAP_CONFIG_CPU_LIST
			? 0
			: refuse_value(l, key, "no value");
	if (properties && l->event.type == YAML_MAPPING_START_EVENT)
		return read_properties(l, key);
	if (strings && l->event.type == YAML_SEQUENCE_START_EVENT)
		return read_list(l, key);
	if (!properties && l->event.type == YAML_SCALAR_EVENT)
		return read_scalar(l, key);
	return refuse_type(l, key);
}

// A key may stand once; `seen` is where its line is kept.
static int first_time(struct loader *l, size_t *seen) {
	if (*seen != 0)
		return REFUSE(
			l, "duplicate key %s; allowed: once, and line %zu has it",
			rtap_config_quote(scalar(l)).text, *seen
		);
	*seen = l->event.start_mark.line + 1;
	return 0;
}

static int read_mapping(struct loader *l, const char *section);

static int read_section(struct loader *l, const char *section) {
	int rc = first_time(l, &l->section_seen);

	if (rc == 0)
		rc = next(l);
	if (rc != 0 || is_null(l))
		return rc;
	if (l->event.type != YAML_MAPPING_START_EVENT)
		return REFUSE(
			l, "%s: no mapping; allowed: a mapping of %s properties", section, section
		);
	return read_mapping(l, section);
}

// One key of the level, and its value.
static int read_entry(struct loader *l, const char *section) {
	char name[64];
	int rc;

	if (l->event.type != YAML_SCALAR_EVENT)
		return REFUSE(l, "a list or mapping as a key; allowed: a word");
	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		const struct rtap_config_key *key = &rtap_config_keys[i];

		if (name_at_level(key, section, name, sizeof(name)) == NULL
		    || strcmp(name, scalar(l)) != 0)
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
		rc = next(l);
		if (rc != 0 || l->event.type == YAML_MAPPING_END_EVENT)
			return rc;
		rc = read_entry(l, section);
		if (rc != 0)
			return rc;
	}
}

// The root of the document is the current event.
static int read_root(struct loader *l) {
	if (l->event.type == YAML_MAPPING_START_EVENT)
		return read_mapping(l, "");
	if (is_null(l))
		return 0;
	return REFUSE(l, "no mapping; allowed: lines of \"key: value\"");
}

static int read_stream(struct loader *l) {
	int rc = next(l); // the start of the stream

	if (rc == 0)
		rc = next(l);
	if (rc != 0 || l->event.type == YAML_STREAM_END_EVENT)
		return rc;
	rc = next(l);
	if (rc == 0)
		rc = read_root(l);
	if (rc == 0)
		rc = next(l); // the end of the document
	if (rc == 0)
		rc = next(l);
	if (rc == 0 && l->event.type != YAML_STREAM_END_EVENT)
		rc = REFUSE(l, "a second document; allowed: one");
	return rc;
}

// An ini file, such as Fastcapa's, starts with comments and a [section].
static int refuse_ini(struct loader *l) {
	static const char mark[] = {'\xef', '\xbb', '\xbf'}; // an editor of Windows begins with it
	size_t line = 1, column = 1, i = 0;
	bool comment = false;

	if (l->size >= sizeof(mark) && memcmp(l->data, mark, sizeof(mark)) == 0)
		i = sizeof(mark);
	for (; i < l->size; i++, column++) {
		char c = l->data[i];

		if (c == '\n') {
			line++;
			column = 0;
			comment = false;
		} else if (c == '#' || c == ';') {
			comment = true;
		} else if (c == '[' && !comment) {
			return refuse_at(
				l, line, column,
				"this looks like an ini file, not YAML; allowed: lines of "
				"\"key: value\"; fastcapa-import makes them of Fastcapa's"
			);
		} else if (!comment && c != ' ' && c != '\t' && c != '\r') {
			break;
		}
	}
	return 0;
}

static int parse(struct loader *l) {
	int rc;

	if (yaml_parser_initialize(&l->parser) == 0)
		return errno_set(ENOMEM);
	yaml_parser_set_encoding(&l->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&l->parser, (const unsigned char *)l->data, l->size);
	rc = read_stream(l);
	yaml_event_delete(&l->event);
	yaml_parser_delete(&l->parser);
	return rc;
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

int rtap_config_load_buffer(
	struct rtap_config *cfg, const char *name, const void *data, size_t size,
	struct rtap_config_error *error
) {
	struct loader l = {.cfg = cfg, .name = name, .data = data, .size = size, .error = error};
	int rc;

	rc = rtap_config_set_defaults(cfg);
	if (rc == 0 && (cfg->file = strdup(name)) == NULL)
		rc = errno_set(ENOMEM);
	if (rc == 0 && size > MAX_FILE_BYTES)
		rc = refuse_at(&l, 1, 1, "the file is too large; allowed: up to 1 MiB");
	if (rc == 0)
		rc = refuse_ini(&l);
	if (rc == 0)
		rc = parse(&l);
	if (rc == 0)
		rc = default_brokers(cfg);
	if (rc == -ENOMEM)
		snprintf(error->text, sizeof(error->text), "%s: out of memory", shown_name(name));
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
