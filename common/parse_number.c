// SPDX-License-Identifier: BSD-3-Clause
// Parse a number of a command line.

#include "parse_number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

int rtap_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value) {
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && *value >= min
			&& *value <= max
		? 0
		: -EINVAL;
}
