// SPDX-License-Identifier: BSD-3-Clause
// Tell an ini file, such as Fastcapa's, from YAML.

#include "ini_mark.h"

#include <string.h>

bool rtap_ini_mark_find(const char *data, size_t size, size_t *line, size_t *column) {
	bool comment = false;

	*line = *column = 1;
	for (size_t i = 0; i < size; i++, ++*column) {
		if (data[i] == '\n') {
			++*line;
			*column = 0;
			comment = false;
		} else if (data[i] == '#' || data[i] == ';') {
			comment = true;
		} else if (!comment && data[i] != ' ' && data[i] != '\t' && data[i] != '\r') {
			return data[i] == '[';
		}
	}
	return false;
}
