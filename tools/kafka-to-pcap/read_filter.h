// SPDX-License-Identifier: BSD-3-Clause
// Filter Ethernet frames by an expression in libpcap's syntax.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READ_FILTER_ERROR_BYTES 320

struct read_filter;

// NULL with `error` set to one line. The caller destroys it.
struct read_filter *
read_filter_create(const char *expression, char error[static READ_FILTER_ERROR_BYTES]);
void read_filter_destroy(struct read_filter *filter);

bool read_filter_matches(
	const struct read_filter *filter, const uint8_t *frame, size_t len, size_t wire_len
);
