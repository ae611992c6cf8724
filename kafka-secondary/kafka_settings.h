// SPDX-License-Identifier: BSD-3-Clause
// The producer's properties: ours, the user's, what is refused and why. This file, kafka_producer and
// kafka_topic are the only ones that know librdkafka.

#pragma once

#include "config.h"

#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// Build a configuration object for a producer of an instance with `nb_rings` transmit rings. `lone`:
// one message a batch, to prove what becomes of a message by itself. NULL with `why` set (one line,
// with file, line and column) when a property is refused by librdkafka or by the promise.
// Must not be called before a worker was forked: librdkafka's objects are born where they are used.
rd_kafka_conf_t *kafka_settings_build(
	const struct rtap_config *cfg, unsigned int nb_rings, bool lone, char *why, size_t why_size
);

// Print librdkafka's version and what is built into it, a line each.
void kafka_settings_print_version(FILE *out);

// What `protocol` and `mechanism` need and `features`, librdkafka's builtin.features, does not have: its
// name there; NULL when nothing is missing, "" for a mechanism that nobody knows.
const char *
kafka_settings_missing(const char *features, const char *protocol, const char *mechanism);

// Who the broker takes us for with these properties, as far as we know: "User:ringtap". NULL when only
// the broker can tell.
const char *kafka_settings_principal(const rd_kafka_conf_t *conf, char *buf, size_t size);

// In a throw-away process: build the configuration, create and destroy a producer with it, warn of what
// weakens the promise and log every value that differs from librdkafka's default. 0 or -EINVAL, logged.
int kafka_settings_validate(const struct rtap_config *cfg, unsigned int nb_rings);
