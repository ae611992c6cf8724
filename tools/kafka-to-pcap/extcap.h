// SPDX-License-Identifier: BSD-3-Clause
// A topic as an interface of Wireshark: what its extcap protocol asks, and our answers.
//
// Every configuration file of an instance that is found is an interface, and there is one more that
// asks for broker and topic.

#pragma once

#include <stdio.h>

#define EXTCAP_ANY_TOPIC "kafka" // the interface that asks

// Where configuration files are looked for: those that the variable names (separated by colons),
// else those in the two directories.
#define EXTCAP_FILES_VARIABLE "RINGTAP_EXTCAP_CONFIG"

enum extcap_question {
	EXTCAP_NONE, // not called by Wireshark
	EXTCAP_INTERFACES,
	EXTCAP_DLTS,
	EXTCAP_CONFIG,
	EXTCAP_FILTER, // is it one?
	EXTCAP_CAPTURE,
};

struct extcap_call {
	enum extcap_question question;
	const char *interface; // NULL when not given
	const char *fifo;
	const char *filter;
};

struct extcap_topic {
	char *interface; // "kafka-" and the file's name
	char *topic;
	char *file;
};

struct extcap_topics {
	struct extcap_topic *topics;
	unsigned int nb;
};

// Find the topics. A file that cannot be read is said in a line of `complaints`, unless that is
// NULL, and left out. Returns 0 or -ENOMEM; the caller frees it in any case.
int extcap_topics_find(struct extcap_topics *topics, FILE *complaints);
void extcap_topics_free(struct extcap_topics *topics);

// The topic of an interface; NULL for EXTCAP_ANY_TOPIC and what is none.
const struct extcap_topic *
extcap_topics_lookup(const struct extcap_topics *topics, const char *interface);

// Answers, as Wireshark reads them.
void extcap_print_interfaces(FILE *out, const struct extcap_topics *topics);
void extcap_print_dlts(FILE *out);
void extcap_print_config(FILE *out, const char *interface);
