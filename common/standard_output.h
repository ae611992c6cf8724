// SPDX-License-Identifier: BSD-3-Clause
// The end of a program whose output is what it was called for.

#pragma once

// Flush stdout. Returns `code`, or RTAP_EXIT_FAILURE with a line on stderr that names `program` when not
// all of it could be written, to a full disk for example.
int rtap_standard_output_end(const char *program, int code);
