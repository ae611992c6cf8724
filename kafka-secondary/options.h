// SPDX-License-Identifier: BSD-3-Clause
// Command line of kafka-secondary.

#pragma once

#include "config_overrides.h"

#include <stdbool.h>

struct options {
	const char *config_path;
	struct rtap_overrides overrides;
	bool version; // print the versions, and leave
	bool check; // validate, print what it comes to, and leave
	bool properties; // print what ringtap does with librdkafka's properties, and leave
	bool json;
	char *const *names; // of the properties to print, none = all; argv's
	unsigned int nb_names;
};

// Parse argv. Returns -1 to go on, else the exit code to leave with (help or an error, which was
// printed).
int options_parse(struct options *opt, int argc, char **argv);
