// SPDX-License-Identifier: BSD-3-Clause
// Tell other processes which primary runs, and whether it does.

#include "primary_info.h"

#include "errno_set.h"
#include "lock_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_BYTES (256 + RTAP_MAX_HUGEPAGE_FILES * (RTAP_HUGEPAGE_PATH + 64))

int rtap_primary_info_write(int fd, const struct rtap_primary_info *info) {
	char text[TEXT_BYTES];
	int n;

	n = snprintf(
		text, sizeof(text), "pid: %d\npid-namespace: %" PRIu64 "\ndpdk: %s\nboot-id: %s\n",
		info->pid, info->pid_namespace, info->dpdk_version, info->boot_id
	);
	for (unsigned int i = 0; i < info->nb_hugepage_files; i++) {
		const struct rtap_hugepage_file *file = &info->hugepage_files[i];

		n += snprintf(
			text + n, sizeof(text) - (size_t)n,
			"hugepages: %" PRIu64 " %" PRIu64 " %s\n", file->device, file->inode,
			file->path
		);
	}
	if (fchmod(fd, 0640) < 0)
		return errno_set(errno);
	// Written over, then cut: a reader never finds the file empty.
	errno = ENOSPC; // of a part
	if (pwrite(fd, text, (size_t)n, 0) != n)
		return errno_set(errno);
	return ftruncate(fd, n) == 0 ? 0 : errno_set(errno);
}

static void read_hugepage_line(const char *line, struct rtap_primary_info *info) {
	struct rtap_hugepage_file *file = &info->hugepage_files[info->nb_hugepage_files];

	if (info->nb_hugepage_files < RTAP_MAX_HUGEPAGE_FILES
	    && sscanf(line, "hugepages: %" SCNu64 " %" SCNu64 " %255[^\n]", &file->device,
		      &file->inode, file->path)
		    == 3)
		info->nb_hugepage_files++;
}

static void read_info_line(const char *line, struct rtap_primary_info *info) {
	if (sscanf(line, "pid: %d", &info->pid) == 1
	    || sscanf(line, "pid-namespace: %" SCNu64, &info->pid_namespace) == 1)
		return;
	if (sscanf(line, "dpdk: %39[^\n]", info->dpdk_version) == 1)
		return;
	if (sscanf(line, "boot-id: %32[0-9a-f]", info->boot_id) != 1)
		read_hugepage_line(line, info);
}

// A descriptor that can ask for the lock and read the text, without any right to change them.
static int open_primary(const struct rtap_instance *inst) {
	char path[sizeof(inst->dir) + 64];
	int fd;

	rtap_instance_path(inst, RTAP_FILE_PRIMARY, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd < 0 ? errno_set(errno) : fd;
}

int rtap_primary_info_read(const struct rtap_instance *inst, struct rtap_primary_info *info) {
	char text[TEXT_BYTES], *line, *rest;
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

uint64_t rtap_pid_namespace(void) {
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}
