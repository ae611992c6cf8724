// SPDX-License-Identifier: BSD-3-Clause
// Varied Ethernet frames, the same ones for the same seed. Pure: no device, no clock.
//
// Frames belong to flows. A flow has one kind, two ends and so two directions; its addresses and
// ports are its own. Every frame ends with a trailer that names its flow and its place in it, so no
// two frames are equal and a test can check order per flow. Kinds are dealt to the flows in turn:
// every kind appears when there are at least as many flows as kinds.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAKE_MIN_BYTES 60 // shortest frame on the wire, without its check sequence
#define FRAME_MAKE_MIN_MAX_BYTES 128 // lowest limit that every kind's headers fit in
#define FRAME_MAKE_MAX_BYTES 65535
#define FRAME_MAKE_MAX_FLOWS (1u << 24)

// The last bytes of every frame, big-endian: magic, flow with the direction in its top bit,
// sequence.
#define FRAME_TRAILER_MAGIC 0x72746170u // "rtap"
#define FRAME_TRAILER_BYTES 16

struct frame_trailer {
	uint32_t flow;
	bool reverse; // direction
	uint64_t sequence; // of the frame in its flow, both directions counted together, from 0
};

// Read the trailer of a frame. False when there is none.
bool frame_trailer_read(const void *frame, size_t len, struct frame_trailer *trailer);

struct frame_make_config {
	uint64_t seed;
	uint32_t first_flow,
		nb_flows; // numbers of the flows; together at most FRAME_MAKE_MAX_FLOWS
	uint32_t kinds; // bit n = frame_make_kind_name(n), 0 = all
	uint32_t max_bytes; // FRAME_MAKE_MIN_MAX_BYTES to FRAME_MAKE_MAX_BYTES
	uint32_t size; // bytes of each frame where its kind allows; 0 = mixed, up to max_bytes
};

// Name of kind `n`; NULL after the last one.
const char *frame_make_kind_name(unsigned int n);

struct frame_make;

// NULL with errno EINVAL (config) or ENOMEM. 8 bytes a flow. The caller destroys it.
struct frame_make *frame_make_create(const struct frame_make_config *cfg);
void frame_make_destroy(struct frame_make *fm);

// Write the next frame into `buf`, which holds at least max_bytes. Returns its length.
size_t frame_make_next(struct frame_make *fm, uint8_t *buf);
