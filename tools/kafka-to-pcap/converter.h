// SPDX-License-Identifier: BSD-3-Clause
// One run: the packets of a topic, looked at, filtered, put in order and written.

#pragma once

#include "exit_code.h"
#include "options.h"

// Returns the exit code of the program; what went wrong and what was done is on stderr. SIGINT and
// SIGTERM end it in good order.
enum rtap_exit_code converter_run(const struct reader_options *opts);
