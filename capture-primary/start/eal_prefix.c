// SPDX-License-Identifier: BSD-3-Clause
// Claim the instance's name as EAL's file-prefix.

#include "eal_prefix.h"

#include "errno_set.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_TYPE "instance"

// EAL's own directory when it runs as root without $RUNTIME_DIRECTORY.
#define EAL_BASE "/var/run/dpdk"

static void read_comm(pid_t pid, char *comm, size_t size) {
	char path[64];
	FILE *f;

	snprintf(comm, size, "a process");
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	if (fgets(comm, (int)size, f) != NULL)
		comm[strcspn(comm, "\n")] = '\0';
	fclose(f);
}

int eal_prefix_refuse(
	const struct rtap_instance *inst, const char *file, const pid_t *pids, unsigned int nb_pids
) {
	char users[512] = "a process in another container", comm[64];
	size_t len = 0;

	for (unsigned int i = 0; i < nb_pids && len < sizeof(users); i++) {
		read_comm(pids[i], comm, sizeof(comm));
		len += (size_t)snprintf(
			users + len, sizeof(users) - len, "%s%s (pid %d)", i > 0 ? ", " : "", comm,
			pids[i]
		);
	}
	LOG(ERR,
	    "file-prefix %s is in use: %s is locked by %s; stop it, or give this instance "
	    "another name under `instance`",
	    inst->name, file, users);
	return errno_set(EBUSY);
}

// Pid of the process that has a POSIX lock on the file: 0 = one that has no pid here, -1 = none.
static pid_t lock_holder(const char *path) {
	// All of it: EAL locks one of its tables, whose place differs by version.
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	pid_t pid = -1;

	if (fd < 0)
		return -1;
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		pid = lock.l_pid;
	close(fd);
	return pid;
}

const char *eal_prefix_dir(const struct rtap_instance *inst, char *path, size_t size) {
	char file[RTAP_INSTANCE_MAX + 8];

	snprintf(file, sizeof(file), "dpdk/%s", inst->name);
	return rtap_instance_path(inst, file, path, size);
}

int eal_prefix_check(const struct rtap_instance *inst) {
	char own[PATH_MAX], paths[2][PATH_MAX + 8];
	pid_t pid;

	snprintf(paths[0], sizeof(paths[0]), EAL_BASE "/%s/config", inst->name);
	snprintf(paths[1], sizeof(paths[1]), "%s/config", eal_prefix_dir(inst, own, sizeof(own)));
	for (unsigned int i = 0; i < 2; i++) {
		pid = lock_holder(paths[i]);
		if (pid >= 0)
			return eal_prefix_refuse(inst, paths[i], &pid, pid > 0);
	}
	return 0;
}

static const char *link_path(const struct rtap_instance *inst, char *path, size_t size) {
	snprintf(path, size, EAL_BASE "/%s", inst->name);
	return path;
}

// Whether there is a link of some capture-primary: EAL makes none.
static bool is_link_of_ours(const struct rtap_instance *inst, const char *path) {
	char target[PATH_MAX], end[RTAP_INSTANCE_MAX + 8];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	size_t len = (size_t)snprintf(end, sizeof(end), "/dpdk/%s", inst->name);

	if (n < (ssize_t)len)
		return false;
	target[n] = '\0';
	return strcmp(target + n - len, end) == 0;
}

static void say_not_linked(const struct rtap_instance *inst, const char *path, int link_errno) {
	static const char what[]
		= "dpdk-telemetry.py and similar tools do not find this instance, and a "
		  "DPDK program with this file-prefix is not refused";

	if (link_errno == EEXIST)
		LOG(WARNING,
		    "%s was left by another program of file-prefix %s: %s; run `rm -r %s`, then "
		    "restart",
		    path, inst->name, what, path);
	else
		LOG(WARNING, "%s: %s: %s; make " EAL_BASE " writable", path, strerror(link_errno),
		    what);
}

// EAL makes no directory where a link is, and none that has no parent.
static int make_dir(const struct rtap_instance *inst, char *path, size_t size) {
	rtap_instance_path(inst, "dpdk", path, size);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	eal_prefix_dir(inst, path, size);
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int eal_prefix_link(const struct rtap_instance *inst) {
	char target[PATH_MAX], path[64];
	int rc;

	link_path(inst, path, sizeof(path));
	mkdir(EAL_BASE, 0700); // as EAL does; what is wrong with it is said below
	if (is_link_of_ours(inst, path))
		unlink(path);
	rc = make_dir(inst, target, sizeof(target));
	if (rc == 0 && symlink(target, path) < 0)
		rc = -errno;
	if (rc == 0)
		return setenv("RUNTIME_DIRECTORY", "/var/run", 1) == 0 ? 0 : -errno;
	say_not_linked(inst, path, -rc);
	return rtap_instance_set_eal_runtime_dir(inst);
}

void eal_prefix_unlink(const struct rtap_instance *inst) {
	char target[PATH_MAX], found[PATH_MAX], path[64];
	ssize_t n;

	n = readlink(link_path(inst, path, sizeof(path)), found, sizeof(found) - 1);
	if (n < 0)
		return;
	found[n] = '\0';
	if (strcmp(found, eal_prefix_dir(inst, target, sizeof(target))) == 0)
		unlink(path);
}
