// SPDX-License-Identifier: BSD-3-Clause
// librdkafka's statistics in a file.

#include "statistics_file.h"

#include "log.h"
#include "now.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define LOG_TYPE "statistics"

// One for the process: one thread of a worker serves all of its producers.
static struct {
	const char *path;
	unsigned int worker;
	int fd;
	volatile sig_atomic_t asked; // to open it again
	struct rtap_log_limit limit;
} file = {.fd = -1};

static void on_hangup(int signo) {
	(void)signo;
	file.asked = 1;
}

// -EMEDIUMTYPE: a device, or a pipe, which must not make a worker wait for its reader.
static int open_file(void) {
	int fd = open(
		file.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640
	);
	struct stat st;

	if (fd < 0)
		return errno == ENXIO ? -EMEDIUMTYPE : -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return -EMEDIUMTYPE;
}

int statistics_file_open(const char *path, unsigned int worker, const struct run_as *who) {
	int fd;

	file.path = path;
	file.worker = worker;
	signal(SIGHUP, on_hangup); // in a worker without a file, too: nothing to open
	if (*path == '\0')
		return 0;
	fd = open_file();
	if (fd == -EMEDIUMTYPE) {
		LOG(WARNING, "%s: not a regular file; no statistics", path);
		return 0;
	}
	if (fd < 0)
		return fd;
	file.fd = fd;
	return who->name != NULL && fchown(fd, who->uid, who->gid) < 0 ? -errno : 0;
}

void statistics_file_write(const char *json) {
	size_t len = strlen(json);
	char head[64];
	struct iovec parts[3];
	uint64_t hidden;
	ssize_t size;

	if (file.fd < 0 || len < 2 || json[0] != '{')
		return;
	snprintf(head, sizeof(head), "{ \"worker\": %u, \"pid\": %d, ", file.worker, getpid());
	parts[0] = (struct iovec){head, strlen(head)};
	parts[1] = (struct iovec){(void *)(uintptr_t)(json + 1), len - 1};
	parts[2] = (struct iovec){(void *)(uintptr_t) "\n", 1};
	size = (ssize_t)(parts[0].iov_len + parts[1].iov_len + parts[2].iov_len);
	if (writev(file.fd, parts, 3) == size
	    || !rtap_log_limit_pass(&file.limit, rtap_monotonic_ns(), RTAP_LOG_AGAIN_NS, &hidden))
		return;
	LOG(WARNING, "%s: cannot be written: %s (%" PRIu64 " more since the last line)", file.path,
	    strerror(errno), hidden);
}

void statistics_file_reopen_if_asked(void) {
	int fd;

	if (!file.asked)
		return;
	file.asked = 0;
	if (file.fd < 0)
		return;
	fd = open_file();
	if (fd < 0) {
		LOG(WARNING, "%s: cannot be opened again: %s; the old file stays in use", file.path,
		    strerror(-fd));
		return;
	}
	close(file.fd);
	file.fd = fd;
}
