// SPDX-License-Identifier: BSD-3-Clause
// The end of a program whose output is what it was called for.

#include "standard_output.h"

#include "exit_code.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int rtap_standard_output_end(const char *program, int code) {
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "%s: cannot write: %s\n", program, strerror(errno));
	return RTAP_EXIT_FAILURE;
}
