// SPDX-License-Identifier: BSD-3-Clause
// Take the events of a YAML text one by one, and refuse what no configuration needs.

#include "yaml_reader.h"

#include "errno_set.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int rtap_yaml_init(struct rtap_yaml_reader *y) {
	if (yaml_parser_initialize(&y->parser) == 0)
		return errno_set(ENOMEM);
	yaml_parser_set_encoding(&y->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y->parser, (const unsigned char *)y->data, y->size);
	return 0;
}

void rtap_yaml_fini(struct rtap_yaml_reader *y) {
	yaml_event_delete(&y->event);
	yaml_parser_delete(&y->parser);
}

int rtap_yaml_refuse_at(
	struct rtap_yaml_reader *y, size_t line, size_t column, const char *fmt, ...
) {
	size_t size = sizeof(y->error->text);
	char *text = y->error->text;
	va_list args;
	int used;

	used = snprintf(text, size, "%s:%zu:%zu: ", y->name, line, column);
	va_start(args, fmt);
	vsnprintf(text + used, size - (size_t)used, fmt, args);
	va_end(args);
	return errno_set(EINVAL);
}

// The reader of libyaml names bytes, not lines.
static int refuse_byte(struct rtap_yaml_reader *y) {
	const char *bad = y->data + y->parser.problem_offset;
	size_t line = 1, column = 1;

	for (const char *p = y->data; p < bad; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			column++;
		}
	}
	return rtap_yaml_refuse_at(
		y, line, column, "%s; allowed: printable text in UTF-8", y->parser.problem
	);
}

static int refuse_syntax(struct rtap_yaml_reader *y) {
	const yaml_parser_t *p = &y->parser;

	switch (p->error) {
	case YAML_MEMORY_ERROR:
		return errno_set(ENOMEM);
	case YAML_READER_ERROR:
		return refuse_byte(y);
	default:
		return rtap_yaml_refuse_at(
			y, p->problem_mark.line + 1, p->problem_mark.column + 1,
			"not valid YAML: %s%s%s; allowed: lines of \"key: value\"", p->problem,
			p->context != NULL ? " " : "", p->context != NULL ? p->context : ""
		);
	}
}

// What no value of ours needs is refused everywhere.
static int check_event(struct rtap_yaml_reader *y) {
	const yaml_event_t *e = &y->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return RTAP_YAML_REFUSE(
			y, "an alias; allowed: the value itself, in quotes if it starts with *"
		);
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
		if (strlen((const char *)e->data.scalar.value) != e->data.scalar.length)
			return RTAP_YAML_REFUSE(
				y, "a NUL character; allowed: printable text in UTF-8"
			);
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor != NULL)
		return RTAP_YAML_REFUSE(
			y, "an anchor; allowed: the value alone, in quotes if it starts with &"
		);
	if (tag != NULL)
		return RTAP_YAML_REFUSE(
			y, "a tag; allowed: the value alone, in quotes if it starts with !"
		);
	return 0;
}

int rtap_yaml_next(struct rtap_yaml_reader *y) {
	yaml_event_delete(&y->event);
	if (yaml_parser_parse(&y->parser, &y->event) == 0)
		return refuse_syntax(y);
	return check_event(y);
}

const char *rtap_yaml_scalar(const struct rtap_yaml_reader *y) {
	return (const char *)y->event.data.scalar.value;
}

bool rtap_yaml_is_plain(const struct rtap_yaml_reader *y) {
	return y->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

bool rtap_yaml_is_null(const struct rtap_yaml_reader *y) {
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (y->event.type != YAML_SCALAR_EVENT || !rtap_yaml_is_plain(y))
		return false;
	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(rtap_yaml_scalar(y), words[i]) == 0)
			return true;
	}
	return false;
}
