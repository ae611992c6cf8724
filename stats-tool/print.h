// SPDX-License-Identifier: BSD-3-Clause
// Print views of an instance. Write errors are left in `out` (ferror).

#pragma once

#include "view.h"

#include <stdio.h>

struct print_name {
	char text[64]; // the longest name in the file fits
};

// A name from the file without what a terminal would obey.
struct print_name print_name(const char *name);

// One line: "primary: running (pid 12), capturing, DPDK 22.11.11, up 3m 5s".
void print_primary(FILE *out, const struct view *view);

// A line for each worker that hangs: it is at its slot and has had no heartbeat for a second.
void print_silent_workers(FILE *out, const struct view *view);

// A line for each worker whose packets wait for something on Kafka's side: what it is.
void print_waiting_workers(FILE *out, const struct view *view);

// Tables of ports, queues, rings and workers.
void print_verbose(FILE *out, const struct view *view);

// All of it as one JSON object on one line.
void print_json(FILE *out, const struct view *view);

// Explain every figure and name.
void print_explanation(FILE *out);
