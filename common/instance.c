// SPDX-License-Identifier: BSD-3-Clause
// The directory of an instance: its files, their names, its locks.

#include "instance.h"

#include "errno_set.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PRIMARY_FILE "primary"

bool rtap_instance_name_valid(const char *name) {
	size_t len = strlen(name);

	// `rte` is EAL's own prefix, and that of the files of every DPDK program without one.
	if (len == 0 || len > RTAP_INSTANCE_MAX || name[0] == '-' || strcmp(name, "rte") == 0)
		return false;
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
		== len;
}

static const char *base_dir(void) {
	const char *override = getenv("RINGTAP_DIR");
	struct statfs fs;

	if (override != NULL && override[0] != '\0')
		return override;
	if (statfs("/run", &fs) == 0 && fs.f_type == TMPFS_MAGIC)
		return "/run/ringtap";
	return "/dev/shm/ringtap";
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

// Open a directory, made when missing (*made), that nobody but us can write to. Returns fd or -errno.
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
	// One that was there keeps its mode: somebody chose it.
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

int rtap_lock_open(const struct rtap_instance *inst, const char *file) {
	char path[sizeof(inst->dir) + 64];
	struct stat st;
	int fd, rc;

	rtap_instance_path(inst, file, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno_set(errno);
	// The group of the directory, so that a mode of 0640 is all that `primary` needs to be read.
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

// Whether a process has the file open; one that we may not look into has not.
static bool has_open(const char *pid, const struct stat *file) {
	char path[300];
	struct dirent *entry;
	struct stat st;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL)
		found = entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0
			&& st.st_dev == file->st_dev && st.st_ino == file->st_ino;
	closedir(dir);
	return found;
}

unsigned int rtap_file_users(const char *path, pid_t *pids, unsigned int max) {
	unsigned int nb_pids = 0;
	struct dirent *entry;
	struct stat file;
	pid_t pid;
	DIR *proc;

	if (stat(path, &file) < 0)
		return 0;
	proc = opendir("/proc");
	if (proc == NULL)
		return 0;
	while (nb_pids < max && (entry = readdir(proc)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid != getpid() && has_open(entry->d_name, &file))
			pids[nb_pids++] = pid;
	}
	closedir(proc);
	return nb_pids;
}

int rtap_primary_info_write(int fd, const struct rtap_primary_info *info) {
	char text[256];
	int n;

	n = snprintf(
		text, sizeof(text), "pid: %d\ndpdk: %s\nboot-id: %s\n", info->pid,
		info->dpdk_version, info->boot_id
	);
	if (fchmod(fd, 0640) < 0)
		return errno_set(errno);
	// Written over, then cut: a reader never finds the file empty.
	if (pwrite(fd, text, (size_t)n, 0) != n)
		return errno_set(EIO);
	return ftruncate(fd, n) == 0 ? 0 : errno_set(errno);
}

static void read_info_line(const char *line, struct rtap_primary_info *info) {
	if (sscanf(line, "pid: %d", &info->pid) == 1)
		return;
	if (sscanf(line, "dpdk: %39[^\n]", info->dpdk_version) == 1)
		return;
	(void)sscanf(line, "boot-id: %32[0-9a-f]", info->boot_id);
}

// A descriptor that can ask for the lock and read the text, without any right to change them.
static int open_primary(const struct rtap_instance *inst) {
	char path[sizeof(inst->dir) + 64];
	int fd;

	rtap_instance_path(inst, PRIMARY_FILE, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd < 0 ? errno_set(errno) : fd;
}

int rtap_primary_info_read(const struct rtap_instance *inst, struct rtap_primary_info *info) {
	char text[256], *line, *rest;
	ssize_t n;
	int fd;

	memset(info, 0, sizeof(*info));
	fd = open_primary(inst);
	if (fd < 0)
		return fd;
	n = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	if (n < 0)
		return errno_set(EIO);
	text[n] = '\0';
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		read_info_line(line, info);
	return info->pid > 0 ? 0 : errno_set(EPROTO);
}

int rtap_primary_is_alive(const struct rtap_instance *inst) {
	int fd, rc;

	fd = open_primary(inst);
	if (fd < 0)
		return fd;
	rc = rtap_lock_is_held(fd, 0, 0);
	close(fd);
	return rc;
}
