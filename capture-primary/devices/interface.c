// SPDX-License-Identifier: BSD-3-Clause
// Read what the kernel says of an interface.

#include "interface.h"

#include "errno_set.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// ARPHRD_NONE, of interfaces without a link-layer header.
#define LINK_TYPE_NONE 0xFFFE

static const struct {
	uint16_t link_type;
	const char *name;
} link_types[] = {
	{ARPHRD_ETHER, "Ethernet"},
	{ARPHRD_LOOPBACK, "loopback"},
	{ARPHRD_INFINIBAND, "InfiniBand"},
	{ARPHRD_CAN, "CAN"},
	{ARPHRD_PPP, "PPP"},
	{ARPHRD_RAWIP, "raw IP"},
	{ARPHRD_TUNNEL, "IPIP"},
	{ARPHRD_TUNNEL6, "IP over IPv6"},
	{ARPHRD_SIT, "6in4"},
	{ARPHRD_IPGRE, "GRE"},
	{ARPHRD_IP6GRE, "GRE over IPv6"},
	{ARPHRD_IEEE80211, "802.11"},
	{ARPHRD_IEEE80211_PRISM, "802.11 with a Prism header"},
	{ARPHRD_IEEE80211_RADIOTAP, "802.11 with a radiotap header"},
	{ARPHRD_NETLINK, "netlink"},
	{LINK_TYPE_NONE, "raw IP (tun, WireGuard)"},
};

static bool ethtool_value(int fd, struct ifreq *request, uint32_t command, uint32_t bit) {
	struct ethtool_value value = {.cmd = command};

	request->ifr_data = (char *)&value;
	return ioctl(fd, SIOCETHTOOL, request) == 0 && (value.data & bit) != 0;
}

static unsigned int count_queues(int fd, struct ifreq *request) {
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};

	request->ifr_data = (char *)&channels;
	if (ioctl(fd, SIOCETHTOOL, request) < 0)
		return 0;
	return channels.rx_count + channels.combined_count;
}

static int read_all(int fd, struct ifreq *request, struct interface *interface) {
	if (ioctl(fd, SIOCGIFFLAGS, request) < 0)
		return errno_set(errno);
	interface->up = (request->ifr_flags & IFF_UP) != 0;
	if (ioctl(fd, SIOCGIFMTU, request) < 0)
		return errno_set(errno);
	interface->mtu = (unsigned int)request->ifr_mtu;
	if (ioctl(fd, SIOCGIFHWADDR, request) < 0)
		return errno_set(errno);
	interface->link_type = request->ifr_hwaddr.sa_family;
	interface->merges = ethtool_value(fd, request, ETHTOOL_GGRO, 1)
		|| ethtool_value(fd, request, ETHTOOL_GFLAGS, ETH_FLAG_LRO)
		|| ethtool_value(fd, request, ETHTOOL_GTSO, 1)
		|| ethtool_value(fd, request, ETHTOOL_GGSO, 1);
	interface->nb_queues = count_queues(fd, request);
	return 0;
}

int interface_read(const char *name, struct interface *interface) {
	struct ifreq request = {0};
	int fd, rc;

	if (strlen(name) >= sizeof(request.ifr_name))
		return errno_set(ENODEV);
	memcpy(request.ifr_name, name, strlen(name));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno_set(errno);
	rc = read_all(fd, &request, interface);
	close(fd);
	return rc;
}

bool interface_is_ethernet(const struct interface *interface) {
	return interface->link_type == ARPHRD_ETHER || interface->link_type == ARPHRD_LOOPBACK;
}

const char *interface_link_type(uint16_t link_type, char *buf, size_t size) {
	for (size_t i = 0; i < sizeof(link_types) / sizeof(link_types[0]); i++)
		if (link_types[i].link_type == link_type) {
			snprintf(buf, size, "%s", link_types[i].name);
			return buf;
		}
	snprintf(buf, size, "number %u of if_arp.h", link_type);
	return buf;
}
