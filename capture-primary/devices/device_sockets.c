// SPDX-License-Identifier: BSD-3-Clause
// Remove stale sockets of devices that make one.

#include "device_sockets.h"

#include "device_entry.h"
#include "errno_set.h"
#include "log.h"
#include "memif_buffers.h"
#include "vdev_args.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOG_TYPE "device"

struct device_socket {
	const char *key;
	int type; // SOCK_*
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

// Returns 0 when the file's socket has no listener, -EADDRINUSE when it has one, another negative
// errno.
static int has_listener(const struct device_socket *s) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, s->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

	if (fd < 0)
		return errno_set(errno);
	memcpy(address.sun_path, s->path, sizeof(address.sun_path));
	rc = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
	close(fd);
	if (rc == ECONNREFUSED || rc == ENOENT)
		return 0;
	// EAGAIN: its queue is full; EPROTOTYPE: a listener of another type.
	return errno_set(rc == 0 || rc == EAGAIN || rc == EPROTOTYPE ? EADDRINUSE : rc);
}

static int remove_stale(const struct device_entry *entry, const struct device_socket *s) {
	struct stat st;
	int rc;

	if (lstat(s->path, &st) < 0)
		return 0; // none there; whatever else is wrong the driver says
	if (!S_ISSOCK(st.st_mode))
		return device_entry_refuse(
			entry, ENODEV,
			"%s=%s: the file is not a socket; move it away, or name another path",
			s->key, s->path
		);
	rc = has_listener(s);
	if (rc == -EADDRINUSE)
		return device_entry_refuse(
			entry, ENODEV,
			"%s=%s: another program listens on it, `ss -xlp` shows which one; stop it, or "
			"name another path",
			s->key, s->path
		);
	if (rc == 0 && unlink(s->path) < 0 && errno != ENOENT)
		rc = errno_set(errno);
	if (rc < 0)
		return device_entry_refuse(
			entry, ENODEV,
			"%s=%s: cannot remove the socket of a process that ended: %s; remove it",
			s->key, s->path, strerror(-rc)
		);
	LOG(NOTICE, "%s: removed %s, the socket of a process that ended", entry->text, s->path);
	return 0;
}

// The socket that a memif device makes: a file when it is a server and the address is not abstract.
static int check_memif(const struct device_entry *entry) {
	struct device_socket s = {.key = "socket", .type = SOCK_SEQPACKET};
	struct memif_buffers buffers;
	char abstract[16];
	int rc;

	if (memif_buffers_read(&buffers, entry->text) < 0 || !buffers.server
	    || vdev_args_get(entry->text, "socket-abstract", 0, abstract, sizeof(abstract)) < 0
	    || strstr(abstract, "no") == NULL)
		return 0;
	rc = device_entry_get(entry, "socket", 0, s.path, sizeof(s.path));
	if (rc == 0)
		memcpy(s.path, MEMIF_BUFFERS_SOCKET, sizeof(MEMIF_BUFFERS_SOCKET));
	return rc < 0 ? rc : remove_stale(entry, &s);
}

static int check_vhost(const struct device_entry *entry) {
	struct device_socket s = {.key = "iface", .type = SOCK_STREAM};
	unsigned int client = 0;
	int rc;

	// What is no decimal number the driver may read as one: nothing is touched then.
	if (vdev_args_number(entry->text, "client", &client) == -EINVAL || client != 0)
		return 0;
	rc = device_entry_get(entry, "iface", 0, s.path, sizeof(s.path));
	return rc <= 0 ? rc : remove_stale(entry, &s);
}

static int check_virtio_user(const struct device_entry *entry) {
	struct device_socket s = {.key = "path", .type = SOCK_STREAM};
	unsigned int server = 0;
	int rc;

	if (vdev_args_number(entry->text, "server", &server) != 0 || server == 0)
		return 0;
	rc = device_entry_get(entry, "path", 0, s.path, sizeof(s.path));
	return rc <= 0 ? rc : remove_stale(entry, &s);
}

int device_sockets_remove_stale(const struct rtap_config *cfg) {
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < cfg->devices.nb_items; i++) {
		const struct device_entry entry = {cfg, cfg->devices.items[i]};

		if (vdev_args_driver_is(entry.text, "net_memif"))
			rc = check_memif(&entry);
		else if (vdev_args_driver_is(entry.text, "net_vhost"))
			rc = check_vhost(&entry);
		else if (vdev_args_driver_is(entry.text, "net_virtio_user"))
			rc = check_virtio_user(&entry);
	}
	return rc;
}
