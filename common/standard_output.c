// SPDX-License-Identifier: BSD-3-Clause
// Flush standard output at the end of a program, and report write errors.

#include "standard_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum rtap_exit_code rtap_standard_output_end(const char *program, enum rtap_exit_code code) {
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "%s: cannot write: %s\n", program, strerror(errno));
	return RTAP_EXIT_FAILURE;
}
