// SPDX-License-Identifier: BSD-3-Clause
// Describe the configuration keys and their values. The table itself is in config_keys.c.

#pragma once

#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rtap_config_type {
	RTAP_CONFIG_STRING,
	RTAP_CONFIG_NUMBER,
	RTAP_CONFIG_POWER_OF_TWO,
	RTAP_CONFIG_RING_SIZE, // a power of two; 0 = automatic, 1 would hold no packet
	RTAP_CONFIG_MASK, // decimal or 0x
	RTAP_CONFIG_SIZE, // bytes, or with KiB, MiB, GiB
	RTAP_CONFIG_BOOLEAN,
	RTAP_CONFIG_WORD, // one of `words`; the field is an enum in the order of the words
	RTAP_CONFIG_STRING_LIST, // one string, or a list of strings
	RTAP_CONFIG_CPU_LIST,
	RTAP_CONFIG_PROPERTIES, // name: value, both kept as text
};

// One key. `min` and `max` are inclusive and mean: the value of a number, mask or size; the length
// of a string; the items of a list or of properties; the numbers in a CPU list.
struct rtap_config_key {
	const char *path; // "workers"; "kafka.global" for a key inside a section
	enum rtap_config_type type;
	const char *unit; // "" when there is none
	size_t offset; // in struct rtap_config
	uint64_t min, max;
	const char *words; // "a|b|c"
	const char *pattern; // POSIX extended regular expression of a string, item or property name
	const char *allowed; // the pattern in words
	const char *initial; // the default, as it would stand in the file
	const char *help; // one line
};

#define RTAP_CONFIG_MAX_TEXT 4095 // characters of a string that is not a property

extern const struct rtap_config_key rtap_config_keys[];
extern const unsigned int rtap_config_nb_keys;

// The row of `path` ("workers", "kafka.global"); NULL when there is none.
const struct rtap_config_key *rtap_config_key_lookup(const char *path);

// The name of a key within a section: "workers" and "kafka" at the top level (section ""), "global"
// in "kafka". NULL when the key is not of that section. Returns `buf`.
const char *rtap_config_key_name(
	const struct rtap_config_key *key, const char *section, char *buf, size_t size
);

// What a value of the key may be, in words, as errors and the reference say it. Returns `buf`.
const char *rtap_config_key_allowed(const struct rtap_config_key *key, char *buf, size_t size);

// Name of a type for the reference.
const char *rtap_config_type_name(enum rtap_config_type type);

// The value of a number, power of two, mask, size, boolean or word as text that sets the same
// value. Returns `buf`.
const char *rtap_config_key_text(
	const struct rtap_config *cfg, const struct rtap_config_key *key, char *buf, size_t size
);

// The field of a key.
void *rtap_config_field(struct rtap_config *cfg, const struct rtap_config_key *key);
const void *
rtap_config_const_field(const struct rtap_config *cfg, const struct rtap_config_key *key);

// Zero *cfg and set every default but the properties'. Returns 0 or -ENOMEM.
int rtap_config_set_defaults(struct rtap_config *cfg);

// Set a key from text; a list of strings becomes that one string. Returns 0; -EINVAL with
// error->text "key: what; allowed: ..."; -ENOMEM. The field keeps its value on error.
int rtap_config_key_set(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
);

// The same by path, for options of the command line that override a key of the file.
int rtap_config_set(
	struct rtap_config *cfg, const char *path, const char *value,
	struct rtap_config_error *error
);

// Whether all of `text`, of at most RTAP_CONFIG_MAX_TEXT characters, matches a POSIX extended
// regular expression.
bool rtap_config_text_matches(const char *text, const char *pattern);

// Check a string, an item or the name of a property. Returns 0, or -EINVAL with error->text set.
int rtap_config_text_check(
	const struct rtap_config_key *key, const char *text, struct rtap_config_error *error
);

// Whether an entry of `devices` is a PCI address, with or without arguments; else it is a vdev.
bool rtap_config_device_is_pci(const char *device);

// Write `KEY: WHAT; allowed: ALLOWED` into error->text and return -EINVAL.
int rtap_config_refuse(
	const struct rtap_config_key *key, struct rtap_config_error *error, const char *fmt, ...
) RTAP_PRINTF(3, 4);

// A user's text in quotes for a message: cut when long, '?' for all but printable ASCII, so that a
// line stays a line whatever a file holds.
struct rtap_config_quoted {
	char text[56];
};
struct rtap_config_quoted rtap_config_quote(const char *text);
