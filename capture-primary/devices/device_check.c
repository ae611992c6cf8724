// SPDX-License-Identifier: BSD-3-Clause
// Check the devices of a configuration before EAL starts.

#include "device_check.h"

#include "af_packet_check.h"
#include "af_xdp_check.h"
#include "capture_file.h"
#include "device_entry.h"
#include "interface.h"
#include "log.h"
#include "memif_buffers.h"
#include "vdev_args.h"

#include <rte_ether.h>
#include <rte_mbuf_core.h>
#include <rte_version.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#define LOG_TYPE "device"

// net_pcap opens an interface with this snapshot length.
#define PCAP_INTERFACE_SNAPLEN RTE_ETHER_MAX_JUMBO_FRAME_LEN

static int refuse_absent(const struct device_entry *entry, const char *key, const char *name) {
	return device_entry_refuse(
		entry, ENODEV,
		"%s=%s: this network namespace has no such interface; `ip link` lists those it has",
		key, name
	);
}

// An interface that a driver opens must be there, and an Ethernet one.
static int
check_interface(const struct device_entry *entry, const char *key, const char *name, struct interface *interface) {
	char type[64];
	int rc;

	if (strcmp(name, "any") == 0)
		return device_entry_refuse(
			entry, EINVAL,
			"%s=any: frames of all interfaces come without their Ethernet headers "
			"(Linux cooked); allowed: a device for each Ethernet interface",
			key
		);
	rc = interface_read(name, interface);
	if (rc == -ENODEV)
		return refuse_absent(entry, key, name);
	if (rc < 0)
		return device_entry_refuse(entry, ENODEV, "%s=%s: %s", key, name, strerror(-rc));
	if (!interface_is_ethernet(interface))
		return device_entry_refuse(
			entry, EINVAL, "%s=%s: its link type is %s; allowed: an Ethernet interface",
			key, name, interface_link_type(interface->link_type, type, sizeof(type))
		);
	return 0;
}

// Drivers that wait for an interface that is down, and say that it is up.
static int
check_iface(const struct device_entry *entry, char *name, size_t size, struct interface *interface) {
	int rc = device_entry_get(entry, "iface", 0, name, size);

	if (rc == 0)
		return device_entry_refuse(
			entry, EINVAL,
			"iface= is missing; allowed: iface=NAME of an Ethernet interface, `ip link` "
			"shows them"
		);
	if (rc > 0)
		rc = check_interface(entry, "iface", name, interface);
	if (rc == 0 && !interface->up)
		LOG(WARNING,
		    "%s: %s is down, no packet arrives until it is up; run `ip link set %s up`",
		    entry->text, name, name);
	return rc;
}

// libpcap opens no interface that is down.
static int
check_pcap_interface(const struct device_entry *entry, const char *key, const char *name) {
	struct interface interface = {0};
	int rc = check_interface(entry, key, name, &interface);

	if (rc < 0 || interface.up)
		return rc;
	return device_entry_refuse(
		entry, ENODEV, "%s=%s: the interface is down; run `ip link set %s up`", key, name,
		name
	);
}

// The packets of queues beyond receive-queues would never be read. More of those the driver
// refuses.
static int check_queues(const struct device_entry *entry, unsigned int nb_queues) {
	if (nb_queues <= entry->cfg->receive_queues)
		return 0;
	return device_entry_refuse(
		entry, EINVAL,
		"its arguments make %u receive queues and receive-queues is %" PRIu64
		": packets of the others would be lost; set receive-queues to %u, or change the "
		"arguments",
		nb_queues, entry->cfg->receive_queues, nb_queues
	);
}

static int check_queues_argument(const struct device_entry *entry, const char *key) {
	unsigned int nb_queues = 1;

	if (vdev_args_number(entry->text, key, &nb_queues) == -EINVAL)
		return device_entry_refuse(
			entry, EINVAL, "%s= is not a number; allowed: a decimal number", key
		);
	return check_queues(entry, nb_queues);
}

static int check_vhost(struct device_entry *entry) {
	return check_queues_argument(entry, "queues");
}

static int check_af_packet(struct device_entry *entry) {
	char name[VDEV_INTERFACE_SIZE];
	struct interface interface = {0};
	int rc = check_iface(entry, name, sizeof(name), &interface);

	if (rc == 0)
		rc = check_queues_argument(entry, "qpairs");
	return rc < 0 ? rc : af_packet_check(entry, name, &interface);
}

static int check_af_xdp(struct device_entry *entry) {
	char name[VDEV_INTERFACE_SIZE];
	struct interface interface = {0};
	int rc = check_iface(entry, name, sizeof(name), &interface);

	if (rc == 0)
		rc = check_queues_argument(entry, "queue_count");
	return rc < 0 ? rc : af_xdp_check(entry, name, &interface);
}

static int check_file(const struct device_entry *entry, const char *path) {
	char why[512];
	int rc = capture_file_check(path, why, sizeof(why));

	if (rc == -EINVAL)
		return device_entry_refuse(
			entry, EINVAL, "rx_pcap=%s: %s; allowed: EN10MB (Ethernet)", path, why
		);
	if (rc < 0)
		return device_entry_refuse(
			entry, ENODEV,
			"rx_pcap=%s: %s; needs a capture file of Ethernet "
			"frames that `tcpdump -r` can read",
			path, why
		);
	return 0;
}

// Every occurrence of a key; *nb_found counts on.
static int
check_pcap_key(const struct device_entry *entry, const char *key, unsigned int *nb_found) {
	char value[PATH_MAX];
	int rc;

	for (unsigned int n = 0; (rc = device_entry_get(entry, key, n, value, sizeof(value))) > 0;
	     n++) {
		++*nb_found;
		rc = strcmp(key, "rx_pcap") == 0 ? check_file(entry, value)
						 : check_pcap_interface(entry, key, value);
		if (rc < 0)
			break;
	}
	return rc;
}

// The driver takes the first of these that it finds, rx_iface and rx_iface_in together.
static int check_pcap(struct device_entry *entry) {
	static const char *const keys[] = {"iface", "rx_pcap", "rx_iface", "rx_iface_in"};
	unsigned int nb_found = 0;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (nb_found == 0 || i == 3)
			rc = check_pcap_key(entry, keys[i], &nb_found);
	if (rc < 0 || nb_found > 0)
		return rc < 0 ? rc : check_queues(entry, nb_found);
	return device_entry_refuse(
		entry, EINVAL,
		"its arguments name nothing to capture from; allowed: rx_pcap=FILE, iface=NAME, rx_iface=NAME "
		"or rx_iface_in=NAME"
	);
}

static int check_tun(struct device_entry *entry) {
	return device_entry_refuse(
		entry, EINVAL,
		"its link type is raw IP, without an Ethernet header; allowed: net_tap"
	);
}

static int check_memif(struct device_entry *entry) {
	uint32_t frame = (uint32_t)entry->cfg->mtu + DEVICE_FRAME_OVERHEAD;
	bool mixes = memif_buffers_mixes(RTE_VER_YEAR, RTE_VER_MONTH, RTE_VER_MINOR);
	struct memif_buffers buffers;

	if (memif_buffers_read(&buffers, entry->text) < 0)
		return device_entry_refuse(
			entry, EINVAL, "bsize= is not a size; allowed: 1 to 65535"
		);
	if (buffers.server && mixes)
		LOG(NOTICE,
		    "%s: its client chooses the size of a buffer, and DPDK %d.%02d.%d mixes up larger "
		    "frames; start the client with bsize=%u or more",
		    entry->text, RTE_VER_YEAR, RTE_VER_MONTH, RTE_VER_MINOR,
		    memif_buffers_size(frame));
	if (buffers.server || buffers.zero_copy || buffers.bytes >= frame)
		return 0;
	if (!buffers.has_bytes)
		return device_entry_add(entry, "bsize=%u", memif_buffers_size(frame));
	if (!mixes)
		return 0;
	return device_entry_refuse(
		entry, EINVAL,
		"bsize=%u is too small for frames of `mtu: %" PRIu64
		"`, and DPDK %d.%02d.%d mixes up "
		"frames that take several buffers; needs bsize=%u or more, or a smaller mtu",
		buffers.bytes, entry->cfg->mtu, RTE_VER_YEAR, RTE_VER_MONTH, RTE_VER_MINOR,
		memif_buffers_size(frame)
	);
}

// With copy=1 it writes `size` bytes into each buffer, however large that is.
static int check_null(struct device_entry *entry) {
	uint64_t room = entry->cfg->mbuf_data_room_bytes - RTE_PKTMBUF_HEADROOM;
	unsigned int size = 0, copy = 0;

	if (vdev_args_number(entry->text, "size", &size) == -EINVAL
	    || vdev_args_number(entry->text, "copy", &copy) == -EINVAL)
		return device_entry_refuse(
			entry, EINVAL, "size= or copy= is not a number; allowed: decimal numbers"
		);
	if (copy == 0 || size <= room)
		return 0;
	return device_entry_refuse(
		entry, EINVAL,
		"size=%u is larger than a packet buffer: the driver would write past its end; "
		"allowed: up to %" PRIu64 ", or a larger mbuf-data-room",
		size, room
	);
}

static const struct {
	const char *driver;
	int (*check)(struct device_entry *entry);
} checks[] = {
	{"net_af_packet", check_af_packet}, {"net_af_xdp", check_af_xdp},
	{"net_memif", check_memif},         {"net_null", check_null},
	{"net_pcap", check_pcap},           {"net_tun", check_tun},
	{"net_vhost", check_vhost},
};

static int check_device(struct device_entry *entry) {
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (vdev_args_driver_is(entry->text, checks[i].driver))
			return checks[i].check(entry);
	return 0;
}

int device_check(struct rtap_config *cfg) {
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < cfg->devices.nb_items; i++) {
		struct device_entry entry = {cfg, cfg->devices.items[i]};

		rc = check_device(&entry);
		cfg->devices.items[i] = entry.text;
	}
	return rc;
}

uint32_t device_check_cut_bytes(const char *device) {
	char name[VDEV_INTERFACE_SIZE];

	if (vdev_args_driver_is(device, "net_af_packet"))
		return af_packet_check_cut_bytes(device);
	if (vdev_args_driver_is(device, "net_pcap")
	    && vdev_args_interface(device, name, sizeof(name)) == 0 && name[0] != '\0')
		return PCAP_INTERFACE_SNAPLEN;
	return 0;
}
