// SPDX-License-Identifier: BSD-3-Clause
// Run once: read the packets of a topic, check, filter and sort them, and write them.

#pragma once

#include "exit_code.h"
#include "options.h"

// Returns the exit code of the program; errors and the counts are on stderr. SIGINT and SIGTERM end
// it in order.
enum rtap_exit_code converter_run(const struct reader_options *opts);
