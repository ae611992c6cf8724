// SPDX-License-Identifier: BSD-3-Clause
// Ask whether the server of a net_memif client is there.

#include "memif_server.h"

#include "memif_buffers.h"
#include "vdev_args.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// As the driver makes it: an abstract one has no bytes after its name. Returns its length.
static socklen_t make_address(struct sockaddr_un *address, const char *device) {
	char path[sizeof(address->sun_path) - 1], abstract[16];
	bool is_file = vdev_args_get(device, "socket-abstract", 0, abstract, sizeof(abstract)) == 0
		&& strstr(abstract, "no") != NULL;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (vdev_args_get(device, "socket", 0, path, sizeof(path)) != 0)
		snprintf(path, sizeof(path), "%s", MEMIF_BUFFERS_SOCKET);
	snprintf(address->sun_path + !is_file, sizeof(address->sun_path) - !is_file, "%s", path);
	if (is_file)
		return sizeof(*address);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(path));
}

bool memif_server_is_there(const char *device) {
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	socklen_t len;
	bool there;

	if (fd < 0)
		return false;
	len = make_address(&address, device);
	there = connect(fd, (const struct sockaddr *)&address, len) == 0;
	close(fd);
	return there;
}
