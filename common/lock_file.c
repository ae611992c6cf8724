// SPDX-License-Identifier: BSD-3-Clause
// Lock bytes of an instance's files, so that the kernel drops a lock with its process.

#include "lock_file.h"

#include "errno_set.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int rtap_lock_open(const struct rtap_instance *inst, const char *file) {
	char path[sizeof(inst->dir) + 64];
	struct stat st;
	int fd, rc;

	rtap_instance_path(inst, file, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno_set(errno);
	// The group of the directory, so that a mode of 0640 is all that `primary` needs to be
	// read.
	if (stat(inst->dir, &st) == 0 && fchown(fd, (uid_t)-1, st.st_gid) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return errno_set(-rc);
}

static int set_lock(int fd, short type, off_t offset, off_t len) {
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = offset,
		.l_len = len,
	};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno_set(errno == EACCES ? EAGAIN : errno);
}

int rtap_lock_write(int fd, off_t offset, off_t len) {
	return set_lock(fd, F_WRLCK, offset, len);
}

int rtap_lock_read(int fd, off_t offset, off_t len) {
	return set_lock(fd, F_RDLCK, offset, len);
}

int rtap_lock_is_held(int fd, off_t offset, off_t len) {
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = offset,
		.l_len = len,
	};

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return errno_set(errno);
	return lock.l_type == F_UNLCK ? 0 : 1;
}
