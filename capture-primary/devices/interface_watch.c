// SPDX-License-Identifier: BSD-3-Clause
// Watch the kernel interface that a virtual device captures from.

#include "interface_watch.h"

#include "errno_set.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int interface_watch_find(struct interface_watch *iface, const char *name) {
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

enum interface_watch_state interface_watch_look(const struct interface_watch *iface) {
	char name[IF_NAMESIZE];

	if (if_indextoname(iface->index, name) != NULL)
		return is_running(name) ? INTERFACE_WATCH_UP : INTERFACE_WATCH_DOWN;
	return if_nametoindex(iface->name) != 0 ? INTERFACE_WATCH_REPLACED : INTERFACE_WATCH_GONE;
}
