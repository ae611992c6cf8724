// SPDX-License-Identifier: BSD-3-Clause
// Turn the text of a value into a field of struct rtap_config.

#include "byte_units.h"
#include "config_properties.h"
#include "config_schema.h"
#include "cpu_list.h"
#include "errno_set.h"

#include <ctype.h>
#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

// Digits only, no sign, no leading zero (which other readers of YAML take for octal). Returns 0,
// -EINVAL when it does not start with a number, -ERANGE when it does not fit; *end is after the
// digits.
static int parse_number(const char *text, uint64_t *number, const char **end) {
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	char *stop;

	if (!(hex ? isxdigit((unsigned char)*digits) : isdigit((unsigned char)*digits)))
		return errno_set(EINVAL);
	if (!hex && digits[0] == '0' && isdigit((unsigned char)digits[1]))
		return errno_set(EINVAL);
	errno = 0;
	*number = strtoull(digits, &stop, hex ? 16 : 10);
	*end = stop;
	return -errno;
}

// The same with an optional unit of size, which *end is after, too.
static int parse_size(const char *text, uint64_t *bytes, const char **end) {
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {{"KiB", RTAP_KIB}, {"MiB", RTAP_MIB}, {"GiB", RTAP_GIB}};
	int rc = parse_number(text, bytes, end);
	const char *unit;

	if (rc != 0)
		return rc;
	unit = **end == ' ' ? *end + 1 : *end;
	for (unsigned int i = 0; i < 3; i++) {
		if (strcmp(unit, units[i].name) != 0)
			continue;
		*end = unit + strlen(unit);
		if (__builtin_mul_overflow(*bytes, units[i].bytes, bytes))
			return errno_set(ERANGE);
	}
	return 0;
}

static int check_power_of_two(
	const struct rtap_config_key *key, uint64_t number, struct rtap_config_error *error
) {
	bool is_ring = key->type == RTAP_CONFIG_RING_SIZE;
	char usable[80] = "";
	uint64_t below;

	if (is_ring && number == 1) // one slot is never used
		return rtap_config_refuse(key, error, "1 slot holds no packet; the minimum is 2");
	if ((key->type != RTAP_CONFIG_POWER_OF_TWO && !is_ring) || (number & (number - 1)) == 0)
		return 0;
	below = UINT64_C(1) << (63 - __builtin_clzll(number));
	if (is_ring)
		snprintf(
			usable, sizeof(usable), ", which hold %" PRIu64 " and %" PRIu64 " packets",
			below - 1, 2 * below - 1
		);
	return rtap_config_refuse(
		key, error,
		"%" PRIu64 " is not a power of two, the nearest are %" PRIu64 " and %" PRIu64 "%s",
		number, below, 2 * below, usable
	);
}

static int set_integer(
	uint64_t *field, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	bool size = key->type == RTAP_CONFIG_SIZE;
	bool hex = strncasecmp(text, "0x", 2) == 0;
	const char *end = "";
	uint64_t number;
	int rc = (size ? parse_size : parse_number)(text, &number, &end);

	if ((rc == 0 && *end != '\0') || (hex && key->type != RTAP_CONFIG_MASK))
		rc = -EINVAL;
	if (rc == -EINVAL)
		return rtap_config_refuse(
			key, error, "%s is not a %s", rtap_config_quote(text).text,
			size ? "size" : "number"
		);
	if (rc == -ERANGE || number < key->min || number > key->max)
		return rtap_config_refuse(
			key, error, "%s is out of range", rtap_config_quote(text).text
		);
	rc = check_power_of_two(key, number, error);
	if (rc == 0)
		*field = number;
	return rc;
}

static int set_boolean(
	bool *field, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return rtap_config_refuse(
			key, error, "%s is not a boolean", rtap_config_quote(text).text
		);
	*field = *text == 't';
	return 0;
}

static int set_word(
	unsigned int *field, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	const char *word = key->words;

	for (unsigned int i = 0; *word != '\0'; i++) {
		size_t len = strcspn(word, "|");

		if (strlen(text) == len && memcmp(word, text, len) == 0) {
			*field = i;
			return 0;
		}
		word += len + (word[len] == '|');
	}
	return rtap_config_refuse(key, error, "%s is unknown", rtap_config_quote(text).text);
}

bool rtap_config_text_matches(const char *text, const char *pattern) {
	regmatch_t match;
	regex_t regex;
	bool all;

	if (strlen(text) > RTAP_CONFIG_MAX_TEXT || regcomp(&regex, pattern, REG_EXTENDED) != 0)
		return false;
	// POSIX: the longest of the leftmost matches, so a full match is found when there is one.
	all = regexec(&regex, text, 1, &match, 0) == 0 && match.rm_so == 0
		&& text[match.rm_eo] == '\0';
	regfree(&regex);
	return all;
}

int rtap_config_text_check(
	const struct rtap_config_key *key, const char *text, struct rtap_config_error *error
) {
	if (rtap_config_text_matches(text, key->pattern)
	    && (key->type != RTAP_CONFIG_STRING || strlen(text) <= key->max))
		return 0;
	return rtap_config_refuse(key, error, "%s is refused", rtap_config_quote(text).text);
}

static int set_string(
	char **field, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	int rc = rtap_config_text_check(key, text, error);
	char *copy = rc == 0 ? strdup(text) : NULL;

	if (rc != 0)
		return rc;
	if (copy == NULL)
		return errno_set(ENOMEM);
	free(*field);
	*field = copy;
	return 0;
}

static int set_cpu_list(
	struct rtap_cpu_list *field, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	struct rtap_cpu_list list;
	int rc = rtap_cpu_list_parse(&list, text, (unsigned int)key->max);

	if (rc == -EINVAL)
		return rtap_config_refuse(
			key, error, "%s is not a list of CPUs", rtap_config_quote(text).text
		);
	if (rc == 0) {
		rtap_cpu_list_fini(field);
		*field = list;
	}
	return rc;
}

int rtap_config_key_set(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	void *field = rtap_config_field(cfg, key);

	switch (key->type) {
	case RTAP_CONFIG_STRING:
		return set_string(field, key, text, error);
	case RTAP_CONFIG_NUMBER:
	case RTAP_CONFIG_POWER_OF_TWO:
	case RTAP_CONFIG_RING_SIZE:
	case RTAP_CONFIG_MASK:
	case RTAP_CONFIG_SIZE:
		return set_integer(field, key, text, error);
	case RTAP_CONFIG_BOOLEAN:
		return set_boolean(field, key, text, error);
	case RTAP_CONFIG_WORD:
		return set_word(field, key, text, error);
	case RTAP_CONFIG_STRING_LIST:
		return rtap_config_list_set(cfg, key, text, error);
	case RTAP_CONFIG_CPU_LIST:
		return set_cpu_list(field, key, text, error);
	case RTAP_CONFIG_PROPERTIES:
		break;
	}
	return rtap_config_refuse(key, error, "%s is one value", rtap_config_quote(text).text);
}

int rtap_config_set(
	struct rtap_config *cfg, const char *path, const char *value,
	struct rtap_config_error *error
) {
	const struct rtap_config_key *key = rtap_config_key_lookup(path);
	int rc;

	if (key != NULL) {
		rc = rtap_config_key_set(cfg, key, value, error);
		if (rc == 0)
			memset(&cfg->places[key - rtap_config_keys], 0, sizeof(cfg->places[0]));
		return rc;
	}
	snprintf(error->text, sizeof(error->text), "unknown key %s", rtap_config_quote(path).text);
	return errno_set(EINVAL);
}

int rtap_config_set_defaults(struct rtap_config *cfg) {
	struct rtap_config_error error;
	int rc = 0;

	*cfg = (struct rtap_config){0};
	for (unsigned int i = 0; rc == 0 && i < rtap_config_nb_keys; i++) {
		const struct rtap_config_key *key = &rtap_config_keys[i];

		if (key->type != RTAP_CONFIG_PROPERTIES)
			rc = rtap_config_key_set(cfg, key, key->initial, &error);
	}
	if (rc != 0)
		rtap_config_fini(cfg);
	return rc;
}

void rtap_config_fini(struct rtap_config *cfg) {
	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		void *field = rtap_config_field(cfg, &rtap_config_keys[i]);

		switch (rtap_config_keys[i].type) {
		case RTAP_CONFIG_STRING:
			free(*(char **)field);
			break;
		case RTAP_CONFIG_STRING_LIST:
			rtap_string_list_fini(field);
			break;
		case RTAP_CONFIG_CPU_LIST:
			rtap_cpu_list_fini(field);
			break;
		case RTAP_CONFIG_PROPERTIES:
			rtap_property_list_fini(field);
			break;
		default:
			break;
		}
	}
	free(cfg->file);
	*cfg = (struct rtap_config){0};
}
