// SPDX-License-Identifier: BSD-3-Clause
// What is told to a mock cluster while it runs, line by line.

#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <stddef.h>

struct commands {
	rd_kafka_mock_cluster_t *cluster;
	int nb_brokers, nb_partitions;
	const char *topic; // NULL: none was made
};

// The part of --help about commands.
extern const char commands_help[];

// Run one line, which is changed. Writes "ok", "ok N" or "error: WHY" to `answer`.
void commands_run(const struct commands *c, char *line, char *answer, size_t size);
