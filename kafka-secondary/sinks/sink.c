// SPDX-License-Identifier: BSD-3-Clause
// Choose the sink.

#include "sink.h"

#include "rdkafka_sink.h"

struct sink *sink_open(const struct sink_setup *setup, char *why, size_t why_size) {
	return rdkafka_sink_create(setup, why, why_size);
}
