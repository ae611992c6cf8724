// SPDX-License-Identifier: BSD-3-Clause
// Flush standard output at the end of a program, and report write errors.

#pragma once

#include "exit_code.h"

// Flush stdout. Returns `code`, or RTAP_EXIT_FAILURE with a line on stderr that names `program`
// when not all of it could be written, to a full disk for example.
enum rtap_exit_code rtap_standard_output_end(const char *program, enum rtap_exit_code code);
