// SPDX-License-Identifier: BSD-3-Clause
// A packet on its way from the topic to the file.

#pragma once

#include "packet_headers.h"

#include <stddef.h>
#include <stdint.h>

struct packet {
	uint64_t time_ns; // since the epoch, UTC
	const uint8_t *frame;
	size_t len;
	size_t wire_len; // what the frame was before it was cut; at least `len`
	struct packet_headers headers;
	unsigned int interface; // number in interface_names
	void *message; // what holds frame and headers; librdkafka's
};

// Frees what it points to, too.
void packet_free(struct packet *packet);
