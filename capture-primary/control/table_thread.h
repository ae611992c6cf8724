// SPDX-License-Identifier: BSD-3-Clause
// Print the table every few seconds, from a thread of its own: a full pipe must not stop the
// control thread.

#pragma once

#include "counters.h"

#include <stdint.h>

// Print the table of `counters` to stdout every `interval_s` seconds, until the process ends; 0 =
// never. Returns 0 or a negative errno.
int table_thread_start(const struct rtap_counters *counters, uint64_t interval_s);

// Print it once, now: the final balance. Takes a few seconds at most, even if no process reads the
// pipe.
void table_thread_print_final(const struct rtap_counters *counters);
