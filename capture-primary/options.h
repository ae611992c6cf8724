// SPDX-License-Identifier: BSD-3-Clause
// Parse the command line of capture-primary.

#pragma once

#include "config_overrides.h"

#include <stdbool.h>

struct primary_options {
	const char *config_path;
	bool help, version; // print them and exit; the words after such an option are not parsed
	struct rtap_overrides overrides;
	bool check; // validate, print the result and exit
	bool wait; // for transmit workers of an earlier primary to end
	bool help_keys; // print the reference of all keys
	char **eal_args; // the arguments after `--`
	int nb_eal_args;
};

// Parse argv, whose words *opt points to. Returns 0; -EINVAL after a line on stderr.
int primary_options_parse(struct primary_options *opt, int argc, char **argv);

// The text of --help.
extern const char primary_options_help[];
