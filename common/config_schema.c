// SPDX-License-Identifier: BSD-3-Clause
// Look up keys, and say what they allow and hold.

#include "config_schema.h"

#include "errno_set.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

const struct rtap_config_key *rtap_config_key_lookup(const char *path) {
	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		if (strcmp(rtap_config_keys[i].path, path) == 0)
			return &rtap_config_keys[i];
	}
	return NULL;
}

const char *
rtap_config_place(const struct rtap_config *cfg, const char *path, char *buf, size_t size) {
	const struct rtap_config_key *key = rtap_config_key_lookup(path);
	size_t row = key != NULL ? (size_t)(key - rtap_config_keys) : 0;

	if (key == NULL || cfg->places[row].line == 0)
		snprintf(buf, size, "%s: %s", cfg->file, path);
	else
		snprintf(
			buf, size, "%s:%u:%u: %s", cfg->file, cfg->places[row].line,
			cfg->places[row].column, path
		);
	return buf;
}

const char *rtap_config_key_name(
	const struct rtap_config_key *key, const char *section, char *buf, size_t size
) {
	size_t len = strlen(section);

	if (len == 0)
		snprintf(buf, size, "%.*s", (int)strcspn(key->path, "."), key->path);
	else if (strncmp(key->path, section, len) == 0 && key->path[len] == '.')
		snprintf(buf, size, "%s", key->path + len + 1);
	else
		return NULL;
	return buf;
}

void *rtap_config_field(struct rtap_config *cfg, const struct rtap_config_key *key) {
	return (char *)cfg + key->offset;
}

const void *
rtap_config_const_field(const struct rtap_config *cfg, const struct rtap_config_key *key) {
	return (const char *)cfg + key->offset;
}

const char *rtap_config_type_name(enum rtap_config_type type) {
	static const char *const names[] = {
		[RTAP_CONFIG_STRING] = "text",
		[RTAP_CONFIG_NUMBER] = "number",
		[RTAP_CONFIG_POWER_OF_TWO] = "number",
		[RTAP_CONFIG_RING_SIZE] = "number",
		[RTAP_CONFIG_MASK] = "number, decimal or 0x",
		[RTAP_CONFIG_SIZE] = "size, in bytes or with KiB, MiB, GiB",
		[RTAP_CONFIG_BOOLEAN] = "boolean",
		[RTAP_CONFIG_WORD] = "word",
		[RTAP_CONFIG_STRING_LIST] = "text or list of texts",
		[RTAP_CONFIG_CPU_LIST] = "list of CPUs",
		[RTAP_CONFIG_PROPERTIES] = "mapping",
	};

	return names[type];
}

// The largest unit that gives a whole number.
static const char *size_text(uint64_t bytes, char *buf, size_t size) {
	static const char *const units[] = {"", "KiB", "MiB", "GiB"};
	unsigned int unit = 0;

	while (bytes != 0 && bytes % 1024 == 0 && unit < 3) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buf, size, "%" PRIu64 "%s", bytes, units[unit]);
	return buf;
}

const char *rtap_config_key_allowed(const struct rtap_config_key *key, char *buf, size_t size) {
	const char *space = *key->unit != '\0' ? " " : "";
	char min[32], max[32];

	switch (key->type) {
	case RTAP_CONFIG_NUMBER:
	case RTAP_CONFIG_POWER_OF_TWO:
	case RTAP_CONFIG_RING_SIZE:
		snprintf(
			buf, size, "%s%" PRIu64 " to %" PRIu64 "%s%s",
			key->type == RTAP_CONFIG_NUMBER ? "" : "a power of two, ", key->min,
			key->max, space, key->unit
		);
		break;
	case RTAP_CONFIG_MASK:
		snprintf(buf, size, "%" PRIu64 " to 0x%" PRIx64, key->min, key->max);
		break;
	case RTAP_CONFIG_SIZE:
		snprintf(
			buf, size, "%s to %s, in bytes or with KiB, MiB, GiB",
			size_text(key->min, min, sizeof(min)), size_text(key->max, max, sizeof(max))
		);
		break;
	case RTAP_CONFIG_BOOLEAN:
		snprintf(buf, size, "true, false");
		break;
	case RTAP_CONFIG_WORD:
		snprintf(buf, size, "%s", key->words);
		break;
	case RTAP_CONFIG_CPU_LIST:
		snprintf(
			buf, size,
			"numbers from %" PRIu64 " to %" PRIu64 ", each once, such as 1,3-5",
			key->min, key->max
		);
		break;
	case RTAP_CONFIG_STRING:
	case RTAP_CONFIG_STRING_LIST:
	case RTAP_CONFIG_PROPERTIES:
		snprintf(buf, size, "%s", key->allowed);
		break;
	}
	return buf;
}

struct rtap_config_quoted rtap_config_quote(const char *text) {
	struct rtap_config_quoted q;
	size_t room = sizeof(q.text) - sizeof("\"...\"");
	size_t used = 1;

	q.text[0] = '"';
	for (; *text != '\0' && used <= room; text++)
		q.text[used++] = *text >= 0x20 && *text < 0x7f ? *text : '?';
	snprintf(q.text + used, sizeof(q.text) - used, *text == '\0' ? "\"" : "...\"");
	return q;
}

int rtap_config_refuse(
	const struct rtap_config_key *key, struct rtap_config_error *error, const char *fmt, ...
) {
	char what[256], allowed[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	rtap_config_key_allowed(key, allowed, sizeof(allowed));
	snprintf(error->text, sizeof(error->text), "%s: %s; allowed: %s", key->path, what, allowed);
	return errno_set(EINVAL);
}

const char *rtap_config_key_text(
	const struct rtap_config *cfg, const struct rtap_config_key *key, char *buf, size_t size
) {
	const void *field = rtap_config_const_field(cfg, key);
	const char *word = key->words;

	switch (key->type) {
	case RTAP_CONFIG_SIZE:
		return size_text(*(const uint64_t *)field, buf, size);
	case RTAP_CONFIG_BOOLEAN:
		snprintf(buf, size, "%s", *(const bool *)field ? "true" : "false");
		break;
	case RTAP_CONFIG_WORD:
		for (unsigned int i = *(const unsigned int *)field; i > 0; i--)
			word += strcspn(word, "|") + 1;
		snprintf(buf, size, "%.*s", (int)strcspn(word, "|"), word);
		break;
	default:
		snprintf(
			buf, size, key->type == RTAP_CONFIG_MASK ? "%#" PRIx64 : "%" PRIu64,
			*(const uint64_t *)field
		);
	}
	return buf;
}
