// SPDX-License-Identifier: BSD-3-Clause
// Options of a command line that override keys of the configuration.

#pragma once

#include "config.h"

// Which option of a program stands for which key.
struct rtap_override {
	int option; // as getopt_long() returns it
	const char *name; // as the user writes it: "-q"
	const char *path; // of the key
};

#define RTAP_MAX_OVERRIDES 16

// What was given, in order; texts belong to argv.
struct rtap_overrides {
	struct {
		const struct rtap_override *what;
		const char *value;
	} items[RTAP_MAX_OVERRIDES];
	unsigned int nb_items;
};

// Note `value` when `option` is in the table, which ends with option 0; the last one of an option
// wins. Returns whether it is.
bool rtap_overrides_note(
	struct rtap_overrides *o, const struct rtap_override *table, int option, const char *value
);

// Set the keys. Returns 0; -EINVAL with error->text "OPTION: KEY: what; allowed: ..."; -ENOMEM.
int rtap_overrides_apply(
	const struct rtap_overrides *o, struct rtap_config *cfg, struct rtap_config_error *error
);
