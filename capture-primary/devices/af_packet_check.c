// SPDX-License-Identifier: BSD-3-Clause
// Check that a net_af_packet device holds the largest frames of its interface.

#include "af_packet_check.h"

#include "af_packet_ring.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define LOG_TYPE "device"

#define MTU_MIN 68 // Linux takes no smaller one

// The other way out, ", or a smaller MTU: `ip link set NAME mtu N`"; "" when that would be none.
static const char *
smaller_mtu(const char *name, uint32_t slot, uint32_t frame, char *buf, size_t size) {
	uint32_t room = af_packet_ring_room(slot);

	buf[0] = '\0';
	if (room >= DEVICE_FRAME_OVERHEAD + MTU_MIN && room < frame)
		snprintf(
			buf, size, ", or a smaller MTU: `ip link set %s mtu %u`", name,
			room - DEVICE_FRAME_OVERHEAD
		);
	return buf;
}

static int refuse_frame_size(
	const struct device_entry *entry, const char *name, uint32_t given, uint32_t frame,
	uint32_t page
) {
	uint32_t slot = af_packet_ring_slot(frame);
	char mtu[96];

	return device_entry_refuse(
		entry, EINVAL,
		"framesz=%u holds %u bytes of a frame and the driver cuts the rest, %s has frames of "
		"up to %u; needs framesz=%u,blocksz=%u%s",
		given, af_packet_ring_room(given), name, frame, slot,
		af_packet_ring_block(slot, page), smaller_mtu(name, given, frame, mtu, sizeof(mtu))
	);
}

// The driver fills one buffer for a frame, and wants one for the whole slot.
static int refuse_data_room(
	const struct device_entry *entry, const char *name, const struct af_packet_ring *ring,
	uint32_t frame
) {
	uint32_t data_room = (uint32_t)entry->cfg->mbuf_data_room_bytes;
	uint64_t needed = af_packet_ring_data_room(ring->frame_bytes);
	uint32_t slot = af_packet_ring_slot_of_room(data_room);
	char mtu[96], room[64] = "none is large enough";

	if (needed <= UINT16_MAX)
		snprintf(room, sizeof(room), "needs mbuf-data-room: %" PRIu64 " or more", needed);
	return device_entry_refuse(
		entry, EINVAL,
		"%s has frames of up to %u bytes; framesz=%u is too large for mbuf-data-room: %u; "
		"%s%s%s",
		name, frame, ring->frame_bytes, data_room, room,
		ring->has_frame_bytes ? ", or leave framesz out" : "",
		smaller_mtu(name, slot, frame, mtu, sizeof(mtu))
	);
}

// Offloads make frames that are larger than the MTU: received ones are joined, sent ones not yet
// cut up.
static void warn_of_merged(
	const struct device_entry *entry, const char *name, const struct interface *interface,
	uint32_t slot
) {
	if (interface->merges)
		LOG(WARNING,
		    "%s: the kernel joins packets of %s into frames of up to 64 KiB, of which the "
		    "driver keeps the first %u bytes; run `ethtool -K %s gro off lro off tso off "
		    "gso off`, also for the peer of a veth pair",
		    entry->text, name, af_packet_ring_room(slot), name);
}

static int
add_sizes(struct device_entry *entry, const struct af_packet_ring *ring, uint32_t default_bytes) {
	bool frame = !ring->has_frame_bytes && ring->frame_bytes != default_bytes;
	bool block = !ring->has_block_bytes && (frame || ring->has_frame_bytes);

	if (frame && block)
		return device_entry_add(
			entry, "framesz=%u,blocksz=%u", ring->frame_bytes, ring->block_bytes
		);
	if (frame)
		return device_entry_add(entry, "framesz=%u", ring->frame_bytes);
	return block ? device_entry_add(entry, "blocksz=%u", ring->block_bytes) : 0;
}

int af_packet_check(struct device_entry *entry, const char *name, const struct interface *interface) {
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE), block, default_bytes;
	uint32_t frame = interface->mtu + DEVICE_FRAME_OVERHEAD;
	struct af_packet_ring ring;
	const char *key;

	if (af_packet_ring_read(&ring, entry->text, page, &key) < 0)
		return device_entry_refuse(
			entry, EINVAL, "%s= is not a number; allowed: 1 to %u", key, UINT32_MAX
		);
	default_bytes = ring.frame_bytes;
	if (!ring.has_frame_bytes && af_packet_ring_room(ring.frame_bytes) < frame)
		ring.frame_bytes = af_packet_ring_slot(frame);
	if (af_packet_ring_room(ring.frame_bytes) < frame)
		return refuse_frame_size(entry, name, ring.frame_bytes, frame, page);
	if (af_packet_ring_data_room(ring.frame_bytes) > entry->cfg->mbuf_data_room_bytes)
		return refuse_data_room(entry, name, &ring, frame);
	block = af_packet_ring_block(ring.frame_bytes, page);
	if (!ring.has_block_bytes)
		ring.block_bytes = block;
	if (!af_packet_ring_fits(&ring, page))
		return device_entry_refuse(
			entry, EINVAL,
			"framesz=%u,blocksz=%u,framecnt=%u do not fit together; needs multiples: "
			"framesz of 16, blocksz of %u, framecnt of blocksz / framesz",
			ring.frame_bytes, ring.block_bytes, ring.nb_frames, block
		);
	warn_of_merged(entry, name, interface, ring.frame_bytes);
	return add_sizes(entry, &ring, default_bytes);
}

uint32_t af_packet_check_cut_bytes(const char *device) {
	struct af_packet_ring ring;
	const char *key;

	if (af_packet_ring_read(&ring, device, (uint32_t)sysconf(_SC_PAGESIZE), &key) < 0)
		return 0;
	return af_packet_ring_room(ring.frame_bytes);
}
