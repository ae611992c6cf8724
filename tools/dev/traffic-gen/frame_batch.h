// SPDX-License-Identifier: BSD-3-Clause
// Frames on their way from a source to the wire: filled, sent and recorded together.

#pragma once

#include <stdint.h>
#include <sys/uio.h>

#define FRAME_BATCH_SIZE 64
#define FRAME_BATCH_FRAME_BYTES 65536 // room of each frame

struct frame_batch {
	unsigned int nb_frames;
	struct iovec frames[FRAME_BATCH_SIZE]; // each points to its row of `bytes`
	uint8_t bytes[FRAME_BATCH_SIZE][FRAME_BATCH_FRAME_BYTES];
};
