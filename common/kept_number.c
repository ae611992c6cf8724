// SPDX-License-Identifier: BSD-3-Clause
// Numbers among the properties of librdkafka.

#include "kept_number.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 62 // longer is no number

// Equal, or as near as %g writes a fraction.
static bool is_same(double a, double b) {
	return fabs(a - b) <= 1e-5 * fabs(b);
}

// It reads a number up to the first character that is none of it, 100k as 100, and keeps what fits into
// its type.
int rtap_kept_number_check(const char *text, const char *taken, char *why, size_t size) {
	char *end;
	double number = strtod(taken, &end), written;

	// What it took word for word is text.
	if (end == taken || *end != '\0' || strlen(taken) > MAX_DIGITS || strcmp(taken, text) == 0)
		return 0;
	written = strtod(text, &end);
	if (end == text || (*end == '\0' && is_same(written, number))) // acks=all is -1
		return 0;
	snprintf(
		why, size,
		"librdkafka reads this as %s; allowed: a number in digits, without a unit", taken
	);
	return -EINVAL;
}
