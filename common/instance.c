// SPDX-License-Identifier: BSD-3-Clause
// Name and create the directory of an instance.

#include "instance.h"

#include "errno_set.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

bool rtap_instance_name_valid(const char *name) {
	size_t len = strlen(name);

	// `rte` is EAL's own prefix, and that of the files of every DPDK program without one.
	if (len == 0 || len > RTAP_INSTANCE_MAX || name[0] == '-' || strcmp(name, "rte") == 0)
		return false;
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
		== len;
}

bool rtap_is_tmpfs(const char *path) {
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

// In a container, /run is often a part of the image, and a volume is mounted below it.
static bool is_mounted(const char *path) {
	struct statx st;

	return statx(AT_FDCWD, path, 0, 0, &st) == 0
		&& (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static const char *base_dir(void) {
	const char *override = getenv("RINGTAP_DIR");

	if (override != NULL && override[0] != '\0')
		return override;
	if (rtap_is_tmpfs("/run") || rtap_is_tmpfs(RTAP_BASE_RUN) || is_mounted(RTAP_BASE_RUN))
		return RTAP_BASE_RUN;
	return RTAP_BASE_SHM;
}

int rtap_instance_init(struct rtap_instance *inst, const char *name) {
	const char *base = base_dir();
	int n;

	// Relative, both sides would have to agree about the working directory.
	if (!rtap_instance_name_valid(name) || base[0] != '/')
		return errno_set(EINVAL);
	snprintf(inst->name, sizeof(inst->name), "%s", name);
	n = snprintf(inst->dir, sizeof(inst->dir), "%s/%s", base, name);
	return n < (int)sizeof(inst->dir) ? 0 : errno_set(EINVAL);
}

const char *
rtap_instance_path(const struct rtap_instance *inst, const char *file, char *buf, size_t size) {
	snprintf(buf, size, "%s/%s", inst->dir, file);
	return buf;
}

// Open a directory, made when missing (*made), that only we can write to. Returns fd or -errno.
static int open_own_dir(const char *path, bool *made) {
	struct stat st;
	int fd;

	*made = mkdir(path, 0700) == 0;
	if (!*made && errno != EEXIST)
		return errno_set(errno);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno_set(errno == ENOTDIR || errno == ELOOP ? EPERM : errno);
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid()
	    && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return fd;
	close(fd);
	return errno_set(EPERM);
}

static int create_base(const struct rtap_instance *inst) {
	char path[sizeof(inst->dir)];
	int fd, rc = 0;
	bool made;

	snprintf(path, sizeof(path), "%s", inst->dir);
	*strrchr(path, '/') = '\0';
	fd = open_own_dir(path, &made);
	if (fd < 0)
		return fd;
	// One that was there keeps its mode: an administrator may have chosen it.
	if (made && fchmod(fd, 0755) < 0)
		rc = -errno;
	close(fd);
	return rc < 0 ? errno_set(-rc) : 0;
}

int rtap_instance_create_dir(const struct rtap_instance *inst, gid_t gid) {
	int fd, rc;
	bool made;

	rc = create_base(inst);
	if (rc < 0)
		return rc;
	fd = open_own_dir(inst->dir, &made);
	if (fd < 0)
		return fd;
	if (fchown(fd, (uid_t)-1, gid) < 0 || fchmod(fd, 0750) < 0)
		rc = -errno;
	close(fd);
	return rc < 0 ? errno_set(-rc) : 0;
}

int rtap_instance_set_eal_runtime_dir(const struct rtap_instance *inst) {
	return setenv("RUNTIME_DIRECTORY", inst->dir, 1) == 0 ? 0 : errno_set(errno);
}
