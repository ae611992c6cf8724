// SPDX-License-Identifier: BSD-3-Clause
// Send whole Ethernet frames on a network interface of Linux: an AF_PACKET socket.

#include "interface_send.h"

#include "frame_batch.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int interface_send_open(const char *name) {
	// Protocol 0: the socket never receives.
	struct sockaddr_ll address = {.sll_family = AF_PACKET};
	int fd, rc, on = 1;

	address.sll_ifindex = (int)if_nametoindex(name);
	if (address.sll_ifindex == 0)
		return -errno;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) < 0
	    || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

int interface_send(int fd, struct iovec *frames, unsigned int nb_frames) {
	struct mmsghdr messages[FRAME_BATCH_SIZE];
	int nb_sent;

	memset(messages, 0, nb_frames * sizeof(messages[0]));
	for (unsigned int i = 0; i < nb_frames; i++) {
		messages[i].msg_hdr.msg_iov = &frames[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	nb_sent = sendmmsg(fd, messages, nb_frames, 0);
	return nb_sent < 0 ? -errno : nb_sent;
}
