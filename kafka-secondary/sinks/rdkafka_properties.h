// SPDX-License-Identifier: BSD-3-Clause
// Build the producer's properties: ours, then the user's.

#pragma once

#include "config.h"

#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stddef.h>

// Build a configuration object for a producer of an instance with `nb_rings` transmit rings.
// `alone`: one message a batch, to prove what becomes of a message by itself. NULL with `why` set
// (one line, with file, line and column) when a property is refused by librdkafka or by a promise.
// The caller gives it to rd_kafka_new() or destroys it. Call it in the process that uses the
// result, after any fork.
rd_kafka_conf_t *rdkafka_properties_build(
	const struct rtap_config *cfg, unsigned int nb_rings, bool alone, char *why, size_t why_size
);

// Write "FILE:LINE:COLUMN: kafka.SECTION.NAME: ". Returns its length, as snprintf() does.
int rdkafka_properties_place(
	const struct rtap_config *cfg, const char *section, const struct rtap_property *p,
	char *text, size_t size
);
