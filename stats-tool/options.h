// SPDX-License-Identifier: BSD-3-Clause
// Command line of stats-tool.

#pragma once

#include <stdbool.h>

struct options {
	const char *instance;
	bool json;
	bool check;
	bool verbose;
	bool explain; // done in parsing
	double watch_s; // 0 = once
};

// Parse argv. Returns -1 to go on, else the exit code to leave with (help, version or an error, which
// was printed).
int options_parse(struct options *opt, int argc, char **argv);
