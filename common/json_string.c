// SPDX-License-Identifier: BSD-3-Clause
// Print a string of JSON.

#include "json_string.h"

void rtap_json_put_string(FILE *out, const char *text, size_t max) {
	const unsigned char *p = (const unsigned char *)text;

	if (text == NULL) {
		fputs("null", out);
		return;
	}
	fputc('"', out);
	for (; max > 0 && *p != '\0'; p++, max--) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p < 0x20 || *p > 0x7e)
			fprintf(out, "\\u%04x", *p);
		else
			fputc(*p, out);
	}
	fputc('"', out);
}
