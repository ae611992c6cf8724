// SPDX-License-Identifier: BSD-3-Clause
// A filter in libpcap's syntax, for Ethernet frames.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_FILTER_ERROR_BYTES 320

struct packet_filter;

// NULL with `error` set to one line. The caller destroys it.
struct packet_filter *
packet_filter_create(const char *expression, char error[static PACKET_FILTER_ERROR_BYTES]);
void packet_filter_destroy(struct packet_filter *filter);

bool packet_filter_matches(
	const struct packet_filter *filter, const uint8_t *frame, size_t len, size_t wire_len
);
