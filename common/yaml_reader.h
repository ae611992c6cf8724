// SPDX-License-Identifier: BSD-3-Clause
// Take the events of a YAML text one by one, and refuse what no configuration needs: aliases,
// anchors, tags, NUL characters. Nothing is built that a hostile text could make large, deep or
// circular.

#pragma once

#include "attributes.h"
#include "config.h"

#include <yaml.h>

#include <stdbool.h>
#include <stddef.h>

// Set the first four before rtap_yaml_init(); they are the caller's and outlive the reader.
struct rtap_yaml_reader {
	const char *name; // of the text, for messages
	const char *data;
	size_t size;
	struct rtap_config_error *error;
	yaml_parser_t parser;
	yaml_event_t event; // the current one
};

// Start before the first event. Returns 0 or -ENOMEM; on success the caller ends it with
// rtap_yaml_fini().
int rtap_yaml_init(struct rtap_yaml_reader *y);
void rtap_yaml_fini(struct rtap_yaml_reader *y);

// Go to the next event. Returns 0; -EINVAL with error->text set; -ENOMEM.
int rtap_yaml_next(struct rtap_yaml_reader *y);

// Refuse the text at a position, from 1 on, or at the current event. Returns -EINVAL with
// error->text "NAME:LINE:COLUMN: ...".
int rtap_yaml_refuse_at(
	struct rtap_yaml_reader *y, size_t line, size_t column, const char *fmt, ...
) RTAP_PRINTF(4, 5);
#define RTAP_YAML_REFUSE(y, ...)                                                                   \
	rtap_yaml_refuse_at(                                                                       \
		y, (y)->event.start_mark.line + 1, (y)->event.start_mark.column + 1, __VA_ARGS__   \
	)

// The text of the current event, a scalar, and whether it stands without quotes.
const char *rtap_yaml_scalar(const struct rtap_yaml_reader *y);
bool rtap_yaml_is_plain(const struct rtap_yaml_reader *y);

// Whether the current event is a value that is left out, or one of YAML's words for that.
bool rtap_yaml_is_null(const struct rtap_yaml_reader *y);
