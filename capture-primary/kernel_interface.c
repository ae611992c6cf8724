// SPDX-License-Identifier: BSD-3-Clause
// The interface of the kernel that a virtual device captures from.

#include "kernel_interface.h"

#include "errno_set.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int kernel_interface_find(struct kernel_interface *iface, const char *name) {
	iface->index = if_nametoindex(name);
	if (iface->index == 0)
		return errno_set(ENODEV);
	snprintf(iface->name, sizeof(iface->name), "%s", name);
	return 0;
}

// Running unless the kernel says otherwise.
static bool is_running(const char *name) {
	struct ifreq request = {0};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return true;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	rc = ioctl(fd, SIOCGIFFLAGS, &request);
	close(fd);
	return rc < 0 || (request.ifr_flags & IFF_RUNNING) != 0;
}

enum kernel_interface_state kernel_interface_look(const struct kernel_interface *iface) {
	char name[IF_NAMESIZE];

	if (if_indextoname(iface->index, name) != NULL)
		return is_running(name) ? KERNEL_INTERFACE_UP : KERNEL_INTERFACE_DOWN;
	return if_nametoindex(iface->name) != 0 ? KERNEL_INTERFACE_REPLACED : KERNEL_INTERFACE_GONE;
}
