// SPDX-License-Identifier: BSD-3-Clause
// Compute the sizes of net_af_packet's receive ring.

#include "af_packet_ring.h"

#include "errno_set.h"
#include "vdev_args.h"

#include <rte_ether.h>
#include <rte_mbuf_core.h>

#include <errno.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <sys/socket.h>

#define DEFAULT_FRAME_BYTES 2048
#define DEFAULT_NB_FRAMES 512
#define SLOT_STEP 1024
#define LINK_HEADER_MIN 16 // the kernel leaves as much for a shorter one

int af_packet_ring_read(
	struct af_packet_ring *ring, const char *device, uint32_t page_bytes, const char **key
) {
	const struct {
		const char *key;
		uint32_t *number;
		bool *given;
	} arguments[] = {
		{"framesz", &ring->frame_bytes, &ring->has_frame_bytes},
		{"blocksz", &ring->block_bytes, &ring->has_block_bytes},
		{"framecnt", &ring->nb_frames, NULL},
	};

	*ring = (struct af_packet_ring
	){DEFAULT_FRAME_BYTES, page_bytes, DEFAULT_NB_FRAMES, false, false};
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		int rc = vdev_args_number(device, arguments[i].key, arguments[i].number);

		*key = arguments[i].key;
		if (rc != 0 && rc != -ENOENT)
			return rc;
		if (rc == 0 && *arguments[i].number == 0)
			return errno_set(EINVAL);
		if (arguments[i].given != NULL)
			*arguments[i].given = rc == 0;
	}
	return 0;
}

// Where a frame begins in its slot: the network header is aligned, the link header stands before
// it.
static uint32_t frame_offset(void) {
	return TPACKET_ALIGN(TPACKET2_HDRLEN + LINK_HEADER_MIN) - RTE_ETHER_HDR_LEN;
}

uint32_t af_packet_ring_room(uint32_t frame_bytes) {
	return frame_bytes > frame_offset() ? frame_bytes - frame_offset() : 0;
}

uint32_t af_packet_ring_slot(uint32_t bytes) {
	return (bytes + frame_offset() + SLOT_STEP - 1) / SLOT_STEP * SLOT_STEP;
}

uint32_t af_packet_ring_block(uint32_t frame_bytes, uint32_t page_bytes) {
	uint32_t common = frame_bytes & -frame_bytes; // pages are a power of two

	return frame_bytes / (common < page_bytes ? common : page_bytes) * page_bytes;
}

// What the driver compares the data room with is a slot without the kernel's header of it.
static uint32_t driver_overhead(void) {
	return TPACKET2_HDRLEN - sizeof(struct sockaddr_ll);
}

uint64_t af_packet_ring_data_room(uint32_t frame_bytes) {
	return (uint64_t)frame_bytes + RTE_PKTMBUF_HEADROOM - driver_overhead();
}

uint32_t af_packet_ring_slot_of_room(uint32_t data_room_bytes) {
	return (data_room_bytes - RTE_PKTMBUF_HEADROOM + driver_overhead()) / SLOT_STEP * SLOT_STEP;
}

bool af_packet_ring_fits(const struct af_packet_ring *ring, uint32_t page_bytes) {
	uint32_t slots = ring->block_bytes / ring->frame_bytes;

	return slots > 0 && ring->frame_bytes % TPACKET_ALIGNMENT == 0
		&& ring->block_bytes % page_bytes == 0 && ring->block_bytes % ring->frame_bytes == 0
		&& ring->nb_frames % slots == 0;
}
