// SPDX-License-Identifier: BSD-3-Clause
// Compute the sizes of net_af_packet's receive ring. Pure.
//
// The kernel writes each frame into a slot of framesz bytes, after a header, and cuts what does not
// fit; the driver copies it into one mbuf. Neither counts the cut. The driver finds slot n at n *
// framesz, so a block must hold a whole number of slots.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct af_packet_ring {
	uint32_t frame_bytes; // a slot, header included: framesz
	uint32_t block_bytes; // blocksz
	uint32_t nb_frames; // framecnt
	bool has_frame_bytes, has_block_bytes; // the arguments name it
};

// The sizes that the arguments of a device ask for, with the driver's defaults. Returns 0, or
// -EINVAL with *key set to the one that is not a number from 1 to UINT32_MAX.
int af_packet_ring_read(
	struct af_packet_ring *ring, const char *device, uint32_t page_bytes, const char **key
);

// Bytes of a frame that a slot holds, VLAN tag aside: the kernel has taken it out, the driver puts
// it back.
uint32_t af_packet_ring_room(uint32_t frame_bytes);

// The slot for frames of `bytes`: a multiple of 1 KiB.
uint32_t af_packet_ring_slot(uint32_t bytes);

// The smallest block of whole slots and whole pages.
uint32_t af_packet_ring_block(uint32_t frame_bytes, uint32_t page_bytes);

// The least `mbuf-data-room` with which the driver takes slots of this size, headroom included; and
// the largest slot of af_packet_ring_slot() for a data room.
uint64_t af_packet_ring_data_room(uint32_t frame_bytes);
uint32_t af_packet_ring_slot_of_room(uint32_t data_room_bytes);

// Whether kernel and driver agree on where the slots are.
bool af_packet_ring_fits(const struct af_packet_ring *ring, uint32_t page_bytes);
