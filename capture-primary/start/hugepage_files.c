// SPDX-License-Identifier: BSD-3-Clause
// Claim the hugepage files of an instance.

#include "hugepage_files.h"

#include "eal_prefix.h"
#include "errno_set.h"
#include "file_users.h"
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_TYPE "memory"

#define MAX_DIRS 16
#define MAX_PIDS 8

struct directories {
	int fds[MAX_DIRS];
	unsigned int nb;
};

typedef int (*file_fn)(const struct rtap_instance *inst, int dir_fd, const char *name, int fd);

bool hugepage_files_is_one(const char *name, const char *instance) {
	size_t len = strlen(instance);
	const char *rest;

	if (strncmp(name, instance, len) != 0 || strncmp(name + len, "map_", 4) != 0)
		return false;
	rest = name + len + 4;
	return strcmp(rest, "lock") == 0
		|| (*rest != '\0' && rest[strspn(rest, "0123456789")] == '\0');
}

// The same one may be mounted at several places: the second look would meet the locks of the first.
static bool is_known(const struct directories *dirs, int fd) {
	struct stat st, known;

	if (fstat(fd, &st) < 0)
		return true;
	for (unsigned int i = 0; i < dirs->nb; i++)
		if (fstat(dirs->fds[i], &known) == 0 && known.st_dev == st.st_dev
		    && known.st_ino == st.st_ino)
			return true;
	return false;
}

static void add_directory(struct directories *dirs, const char *path) {
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (dirs->nb == MAX_DIRS || is_known(dirs, fd))
		close(fd);
	else
		dirs->fds[dirs->nb++] = fd;
}

static void find_directories(struct directories *dirs, const char *directory) {
	struct mntent *mount;
	FILE *mounts = setmntent("/proc/self/mounts", "re");

	dirs->nb = 0;
	if (*directory != '\0')
		add_directory(dirs, directory);
	if (mounts == NULL)
		return;
	while ((mount = getmntent(mounts)) != NULL)
		if (strcmp(mount->mnt_type, "hugetlbfs") == 0)
			add_directory(dirs, mount->mnt_dir);
	endmntent(mounts);
}

static const char *path_of(int fd, char *path, size_t size) {
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, size - 1);
	path[n < 0 ? 0 : n] = '\0';
	return path;
}

// EAL has this lock while it makes files there.
static void lock_directory(int fd) {
	char path[PATH_MAX];

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return;
	LOG(NOTICE, "%s: another DPDK program is setting up its memory; waiting for it",
	    path_of(fd, path, sizeof(path)));
	flock(fd, LOCK_EX);
}

// Call `fn` with each file of the instance, opened, until it fails. Returns 0 or its negative
// errno.
static int for_each_file(int dir_fd, const struct rtap_instance *inst, file_fn fn) {
	struct dirent *entry;
	int fd, rc = 0;
	// A descriptor of its own, as closedir() closes it; not dup(), which would share the
	// position.
	DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (dir == NULL)
		return 0;
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		if (!hugepage_files_is_one(entry->d_name, inst->name))
			continue;
		fd = openat(dir_fd, entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0)
			continue;
		rc = fn(inst, dir_fd, entry->d_name, fd);
		close(fd);
	}
	closedir(dir);
	return rc;
}

static int refuse_if_used(const struct rtap_instance *inst, int dir_fd, const char *name, int fd) {
	pid_t pids[MAX_PIDS];
	char path[PATH_MAX];

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	// Who has the lock has the file open: no need to look at what is mapped.
	path_of(fd, path, sizeof(path));
	return eal_prefix_refuse(inst, path, pids, rtap_file_users(path, pids, MAX_PIDS));
}

static int unlink_unused(const struct rtap_instance *inst, int dir_fd, const char *name, int fd) {
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(dir_fd, name, 0);
	return 0;
}

// A hugetlbfs that is read-only is of no use to EAL either.
static int take_name(const struct rtap_instance *inst, int dir_fd) {
	char name[RTAP_INSTANCE_MAX + 16], path[PATH_MAX];
	int fd, rc;

	snprintf(name, sizeof(name), "%smap_lock", inst->name);
	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && (errno == EROFS || errno == EACCES))
		return 0;
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0; // fd stays open: it is the lock
	rc = -errno;
	LOG(ERR, "%s/%s: %s", path_of(dir_fd, path, sizeof(path)), name, strerror(-rc));
	return rc;
}

int hugepage_files_take(const struct rtap_instance *inst, const char *directory) {
	struct directories dirs;
	int rc = 0;

	find_directories(&dirs, directory);
	for (unsigned int i = 0; i < dirs.nb; i++)
		lock_directory(dirs.fds[i]);
	for (unsigned int i = 0; rc == 0 && i < dirs.nb; i++)
		rc = for_each_file(dirs.fds[i], inst, refuse_if_used);
	for (unsigned int i = 0; rc == 0 && i < dirs.nb; i++) {
		for_each_file(dirs.fds[i], inst, unlink_unused);
		rc = take_name(inst, dirs.fds[i]);
	}
	for (unsigned int i = 0; i < dirs.nb; i++)
		close(dirs.fds[i]); // and with it the lock
	return rc;
}

typedef void (*own_file_fn)(const char *path, void *arg);

// Call `fn` with each file of the instance that this process has open.
static void for_each_own(const struct rtap_instance *inst, own_file_fn fn, void *arg) {
	char path[PATH_MAX];
	struct dirent *entry;
	ssize_t n;
	DIR *dir = opendir("/proc/self/fd");

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		n = readlinkat(dirfd(dir), entry->d_name, path, sizeof(path) - 1);
		if (n <= 0 || path[0] != '/')
			continue;
		path[n] = '\0'; // one that was replaced ends with " (deleted)"
		if (hugepage_files_is_one(strrchr(path, '/') + 1, inst->name))
			fn(path, arg);
	}
	closedir(dir);
}

static void note_file(const char *path, void *arg) {
	struct rtap_primary_info *info = arg;
	struct rtap_hugepage_file *file = &info->hugepage_files[info->nb_hugepage_files];
	struct stat st;

	// The file that is the name's lock has no pages.
	if (info->nb_hugepage_files == RTAP_MAX_HUGEPAGE_FILES || stat(path, &st) < 0
	    || st.st_size == 0 || strlen(path) >= sizeof(file->path))
		return;
	file->device = (uint64_t)st.st_dev;
	file->inode = (uint64_t)st.st_ino;
	memcpy(file->path, path, strlen(path) + 1);
	info->nb_hugepage_files++;
}

void hugepage_files_note(const struct rtap_instance *inst, struct rtap_primary_info *info) {
	info->nb_hugepage_files = 0;
	for_each_own(inst, note_file, info);
}

static void remove_file(const char *path, void *arg) {
	unlink(path);
}

void hugepage_files_remove_own(const struct rtap_instance *inst) {
	for_each_own(inst, remove_file, NULL);
}
