// SPDX-License-Identifier: BSD-3-Clause
// Report for people whether packets are missing.

#pragma once

#include "interface_names.h"
#include "stream_check.h"
#include "topic_reader.h"

#include <stdio.h>

struct stream_report {
	const struct stream_check *check;
	const struct interface_names *names;
	uint64_t horizon_ns; // gaps after it are not judged: not everything has been read
	uint64_t nb_without; // packets without a sequence number
	uint64_t nb_malformed; // headers
	bool cut_short; // not everything was read
	struct topic_gaps gaps;
};

// A line for each run of each stream, one for what is missing in it, one for all.
void stream_report_print(FILE *out, const struct stream_report *report);

// One line about what of the topic was not read, and nothing when there is none of it.
void stream_report_print_gaps(FILE *out, const struct topic_gaps *gaps);

// Whether it is proved that nothing is missing; *why is one line in either case.
bool stream_report_is_complete(const struct stream_report *report, const char **why);
