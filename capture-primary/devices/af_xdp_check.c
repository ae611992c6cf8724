// SPDX-License-Identifier: BSD-3-Clause
// Check that a net_af_xdp device gets all frames of its interface, and uncut.

#include "af_xdp_check.h"

#include "vdev_args.h"

#include <errno.h>
#include <stdint.h>

// What a chunk holds beside the frame, and the largest room whose chunk is no more than a page
// (measured with 22.11.11).
#define AF_XDP_OVERHEAD 369
#define AF_XDP_DATA_ROOM_MAX 3840

// What other queues of the interface get never comes to those that the device opens.
static int
check_xdp_queues(const struct device_entry *entry, const char *name, const struct interface *interface) {
	unsigned int nb_queues = 1, nb = interface->nb_queues;

	vdev_args_number(entry->text, "queue_count", &nb_queues);
	if (nb <= nb_queues)
		return 0;
	return device_entry_refuse(
		entry, EINVAL,
		"%s has %u receive queues and the device opens %u: packets of the others would be "
		"lost; set queue_count=%u and receive-queues: %u, or make it fewer with `ethtool -L %s`",
		name, nb, nb_queues, nb, nb, name
	);
}

// The kernel drops what does not fit into a chunk of the device's memory.
static int
check_xdp_frames(const struct device_entry *entry, const char *name, const struct interface *interface) {
	uint32_t room = (uint32_t)entry->cfg->mbuf_data_room_bytes - AF_XDP_OVERHEAD;
	uint32_t frame = interface->mtu + DEVICE_FRAME_OVERHEAD;

	if (frame <= room)
		return 0;
	return device_entry_refuse(
		entry, EINVAL,
		"%s has frames of up to %u bytes, of which the kernel drops those above %u; needs "
		"mbuf-data-room: %u (at most %u), or a smaller MTU: `ip link set %s mtu %u`",
		name, frame, room, frame + AF_XDP_OVERHEAD, AF_XDP_DATA_ROOM_MAX, name,
		room - DEVICE_FRAME_OVERHEAD
	);
}

int af_xdp_check(const struct device_entry *entry, const char *name, const struct interface *interface) {
	int rc = check_xdp_queues(entry, name, interface);

	return rc < 0 ? rc : check_xdp_frames(entry, name, interface);
}
