// SPDX-License-Identifier: BSD-3-Clause
// Parse the command line of kafka-to-pcap.

#pragma once

#include "extcap.h"
#include "pcap_output.h"
#include "topic_reader.h"

struct reader_options {
	struct topic_reader_config reader;
	const char *config; // configuration file of an instance; NULL: none
	const char *file;
	const char *filter; // libpcap's syntax; NULL: every packet
	enum pcap_output_format format;
	uint64_t window_ns;
	uint64_t count; // packets to write, 0 = no limit
	const char *of_writing; // an option that was given and is about writing; NULL: none
	bool from_given, margin_given;
	bool unique;
	bool check; // write nothing
	bool require_complete;
	bool key_unit_given; // else the configuration file may say it
	bool help,
		version; // print them, and leave; the words after such an option are not looked at
	struct extcap_call extcap;
};

// Parse argv, whose words may be moved. Returns 0; -EINVAL or -ENOMEM after a line on stderr. What
// it fills in lives as long as `argv`, but for reader.settings.properties, which the caller frees
// in any case. With --config reader.topic may be NULL.
int reader_options_parse(struct reader_options *opts, int argc, char **argv);
