// SPDX-License-Identifier: BSD-3-Clause
// Corrupt a struct as a text says.

#include "patch_lines.h"

#include <stdio.h>
#include <string.h>

struct line {
	char name[24];
	uint64_t index, value;
};

// Take the next line off the text. Returns 0 at its end.
static int next_line(struct line *line, const uint8_t **text, size_t *len) {
	const uint8_t *end = memchr(*text, '\n', *len);
	size_t used = end != NULL ? (size_t)(end - *text) + 1 : *len;
	char copy[80];

	if (*len == 0)
		return 0;
	snprintf(copy, sizeof(copy), "%.*s", (int)used, (const char *)*text);
	*text += used;
	*len -= used;
	*line = (struct line){0};
	if (sscanf(copy, "%23s %ju %ji", line->name, &line->index, (intmax_t *)&line->value) < 3)
		line->name[0] = '\0';
	return 1;
}

static void apply(const struct patch_field *f, void *base, size_t size, const struct line *line) {
	size_t index = f->stride != 0 ? line->index : 0;
	size_t offset;

	if (__builtin_mul_overflow(index, f->stride, &offset)
	    || __builtin_add_overflow(offset, f->offset, &offset) || offset > size
	    || size - offset < f->bytes)
		return;
	memcpy((char *)base + offset, &line->value, f->bytes);
}

void patch_lines(
	const struct patch_field *fields, size_t nb_fields, void *base, size_t size,
	const uint8_t *text, size_t len
) {
	struct line line;

	while (next_line(&line, &text, &len))
		for (size_t i = 0; i < nb_fields; i++)
			if (strcmp(fields[i].name, line.name) == 0)
				apply(&fields[i], base, size, &line);
}

uint64_t patch_value(const char *name, uint64_t otherwise, const uint8_t *text, size_t len) {
	struct line line;

	while (next_line(&line, &text, &len))
		if (strcmp(name, line.name) == 0)
			return line.value;
	return otherwise;
}
