// SPDX-License-Identifier: BSD-3-Clause
// Command line of traffic-gen.

#pragma once

#include "frame_make.h"

struct traffic_options {
	const char *interface; // one of interface and pcap is set
	const char *pcap;
	const char *replay; // NULL: frames are made
	const char *record; // NULL: not recorded
	uint64_t count; // 0 = until a signal, or the end of the replayed file
	uint64_t rate; // frames/s, 0 = as fast as it goes
	struct frame_make_config frames;
};

// Returns 0; 1 when --help was asked for and printed; -EINVAL after a line on stderr.
int traffic_options_parse(struct traffic_options *opts, int argc, char **argv);
