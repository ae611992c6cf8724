// SPDX-License-Identifier: BSD-3-Clause
// What the record headers of a packet say, where it has any. They come from Kafka: anybody may have
// written them, and one that is not as it should be is counted and left out. Pure.

#pragma once

#include <stddef.h>
#include <stdint.h>

#define PACKET_HEADERS_MAX_INTERFACE 255

struct packet_headers {
	const char *interface; // "SENSOR:PORT", no terminator; NULL = absent. Lives with the record
	size_t interface_len;
	uint32_t wire_len; // before the snapshot length; 0 = not told
	uint32_t queue_ring; // queue << 16 | ring
	uint64_t seq; // of its ring, from 1; 0 = not told
	uint64_t time_ns; // 0 = not told
	uint8_t has_queue_ring;
	uint32_t nb_malformed;
};

// Take one header into *headers; names of others are passed over.
void packet_headers_take(
	struct packet_headers *headers, const char *name, const void *value, size_t size
);
