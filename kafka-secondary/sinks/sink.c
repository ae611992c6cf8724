// SPDX-License-Identifier: BSD-3-Clause
// Prepare and choose the sink.

#include "sink.h"

#include "log.h"
#include "rdkafka_sink.h"
#include "statistics_file.h"

#include <string.h>

#define LOG_TYPE "sink"

void sink_prepare(const struct rtap_config *cfg, unsigned int worker, const struct run_as *who) {
	int rc = statistics_file_open(cfg->statistics_file, worker, who);

	if (rc < 0)
		LOG(WARNING, "%s: %s; no statistics", cfg->statistics_file, strerror(-rc));
}

struct sink *sink_open(const struct sink_setup *setup, char *why, size_t why_size) {
	return rdkafka_sink_create(setup, why, why_size);
}
