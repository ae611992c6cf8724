// SPDX-License-Identifier: BSD-3-Clause
// Command line of kafka-to-pcap.

#pragma once

#include "topic_reader.h"

struct options {
	struct topic_reader_config reader;
	const char *file;
	uint64_t window_us;
	uint64_t count; // packets to write, 0 = no limit
	bool unique;
};

// Returns 0; 1 when --help was asked for and printed; -EINVAL after a line on stderr. What it fills in
// lives as long as `argv`, but for reader.properties, which the caller frees.
int options_parse(struct options *opts, int argc, char **argv);
