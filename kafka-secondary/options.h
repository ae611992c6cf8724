// SPDX-License-Identifier: BSD-3-Clause
// Parse the command line of kafka-secondary.

#pragma once

#include "config_overrides.h"

#include <stdbool.h>

struct secondary_options {
	const char *config_path;
	struct rtap_overrides overrides;
	bool help,
		version; // print them, and leave; the words after such an option are not looked at
	bool check; // validate, print what it comes to, and leave
	bool properties; // print what ringtap does with librdkafka's properties, and leave
	bool json;
	char *const *names; // of the properties to print, none = all; argv's
	unsigned int nb_names;
};

// Parse argv, whose words *opt points to. Returns 0; -EINVAL after a line on stderr.
int secondary_options_parse(struct secondary_options *opt, int argc, char **argv);

// What --help says.
extern const char secondary_options_help[];
