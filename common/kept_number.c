// SPDX-License-Identifier: BSD-3-Clause
// Numbers among the properties of librdkafka.

#include "kept_number.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 62 // longer is no number

// Equal, or a fraction that it keeps and shows with six digits.
static bool is_kept(double written, double number, const char *taken) {
	char shown[32];

	snprintf(shown, sizeof(shown), "%g", written);
	return written == number || (strchr(taken, '.') != NULL && strcmp(shown, taken) == 0);
}

// It reads a number up to the first character that is none of it, 100k as 100, and keeps what fits into
// its type.
int rtap_kept_number_check(const char *text, const char *taken, char *why, size_t size) {
	char *end;
	double written, number = strtod(taken, &end);

	// What it took word for word is text.
	if (end == taken || *end != '\0' || strlen(taken) > MAX_DIGITS || strcmp(taken, text) == 0)
		return 0;
	written = strtod(text, &end);
	if (end == text || (*end == '\0' && is_kept(written, number, taken))) // acks=all is -1
		return 0;
	snprintf(
		why, size,
		"librdkafka reads this as %s; allowed: a number in digits, without a unit", taken
	);
	return -EINVAL;
}
