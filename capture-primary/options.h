// SPDX-License-Identifier: BSD-3-Clause
// Parse the command line of capture-primary.

#pragma once

#include "config_overrides.h"

#include <stdbool.h>

struct options {
	const char *config_path;
	struct rtap_overrides overrides;
	bool check; // validate, print the result and exit
	bool wait; // for transmit workers of an earlier primary to end
	bool help_keys; // print the reference of all keys
	char **eal_args; // the arguments after `--`
	int nb_eal_args;
};

// Parse argv. Returns -1 to go on, else the exit code to leave with (help, version or an error,
// which was printed).
int options_parse(struct options *opt, int argc, char **argv);
