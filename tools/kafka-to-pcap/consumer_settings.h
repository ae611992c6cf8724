// SPDX-License-Identifier: BSD-3-Clause
// Build the consumer's properties: ours, those of an instance's configuration file, those of the
// command line.

#pragma once

#include "config.h"

#include <librdkafka/rdkafka.h>

#include <stddef.h>
#include <stdio.h>

struct consumer_settings {
	const struct rtap_config *file; // NULL: none
	const char *brokers; // NULL: the file says it, or localhost:9092
	char **properties; // "name=value"
	unsigned int nb_properties;
};

// What the file says for a producer alone is left out. NULL with `why` set, one line without a
// value, when a property is refused; errno then says whose it is: EBADMSG the file's, EINVAL the
// command line's. The caller gives it to rd_kafka_new() or destroys it.
rd_kafka_conf_t *
consumer_settings_build(const struct consumer_settings *settings, char *why, size_t why_size);

// Whose property rd_kafka_new() refused with `text`: -EBADMSG, the file's, unless it names one of
// the command line, -EINVAL.
int consumer_settings_blame(const struct consumer_settings *settings, const char *text);

// Ours, librdkafka's, and what that was built with.
void consumer_settings_print_version(FILE *out);
