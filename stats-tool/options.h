// SPDX-License-Identifier: BSD-3-Clause
// Parse the command line of stats-tool.

#pragma once

#include <stdbool.h>

struct stats_options {
	const char *instance;
	bool json;
	bool check;
	bool verbose;
	bool explain;
	bool help,
		version; // print them, and leave; the words after such an option are not looked at
	double watch_s; // 0 = once
};

// Parse argv, whose words *opt points to. Returns 0; -EINVAL after a line on stderr.
int stats_options_parse(struct stats_options *opt, int argc, char **argv);

// What --help says.
extern const char stats_options_help[];
