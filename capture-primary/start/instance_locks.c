// SPDX-License-Identifier: BSD-3-Clause
// One primary an instance.

#include "instance_locks.h"

#include "errno_set.h"
#include "file_users.h"
#include "hugepage_files.h"
#include "lock_file.h"
#include "log.h"
#include "primary_info.h"

#include <rte_version.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_TYPE "instance"

#define WAIT_SLACK_S 5
#define MAX_PIDS 32

static int attached_fd = -1;
static int primary_fd = -1; // stays open: it is the lock
static struct rtap_primary_info own;

static int say_running(const struct rtap_instance *inst) {
	struct rtap_primary_info info = {0};

	rtap_primary_info_read(inst, &info);
	LOG(ERR,
	    "instance %s is already running (pid %d%s); stop it, or give this instance another "
	    "name under `instance`",
	    inst->name, info.pid,
	    info.pid_namespace == rtap_pid_namespace() ? "" : " of another pid namespace");
	return errno_set(EBUSY);
}

static int write_info(const struct rtap_instance *inst) {
	int rc = rtap_primary_info_write(primary_fd, &own);

	if (rc < 0)
		LOG(ERR, "%s: %s", inst->dir, strerror(-rc));
	return rc;
}

static int take_primary_lock(const struct rtap_instance *inst, gid_t gid, const uint8_t *boot_id) {
	int fd = rtap_lock_open(inst, RTAP_FILE_PRIMARY), rc;

	if (fd < 0 || fchmod(fd, 0640) < 0
	    || (gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid) < 0)) {
		rc = -errno;
		LOG(ERR, "%s: %s", inst->dir, strerror(-rc));
		return rc;
	}
	if (rtap_lock_write(fd, 0, 1) < 0)
		return say_running(inst);
	primary_fd = fd;
	own.pid = getpid();
	own.pid_namespace = rtap_pid_namespace();
	snprintf(own.dpdk_version, sizeof(own.dpdk_version), "%s", rte_version());
	for (unsigned int i = 0; i < RTAP_BOOT_ID_SIZE; i++)
		snprintf(own.boot_id + 2 * i, 3, "%02x", boot_id[i]);
	return write_info(inst);
}

static const char *describe_users(const struct rtap_instance *inst, char *text, size_t size) {
	pid_t pids[MAX_PIDS];
	char path[512];
	unsigned int nb;
	size_t len = 0;

	rtap_instance_path(inst, RTAP_FILE_ATTACHED, path, sizeof(path));
	nb = rtap_file_users(path, pids, MAX_PIDS);
	snprintf(text, size, "of another pid namespace");
	for (unsigned int i = 0; i < nb && i < MAX_PIDS && len < size; i++)
		if (pids[i] != getpid())
			len += (size_t
			)snprintf(text + len, size - len, "%s%d", len > 0 ? " " : "", pids[i]);
	return text;
}

static int take_attached_lock(const struct rtap_instance *inst, bool wait, uint64_t wait_s) {
	static const struct timespec pause = {.tv_nsec = 50000000};
	uint64_t rounds = wait ? (wait_s + WAIT_SLACK_S) * 20 : 0;
	char users[512];

	attached_fd = rtap_lock_open(inst, RTAP_FILE_ATTACHED);
	if (attached_fd < 0) {
		LOG(ERR, "%s: %s", inst->dir, strerror(-attached_fd));
		return attached_fd;
	}
	while (rtap_lock_write(attached_fd, 0, 1) < 0) {
		if (rounds-- > 0) {
			nanosleep(&pause, NULL);
			continue;
		}
		LOG(ERR,
		    "transmit workers of an earlier primary of instance %s still deliver (pids %s); "
		    "they end within orphan-timeout-s (%" PRIu64
		    " s): start again then, or use --wait",
		    inst->name, describe_users(inst, users, sizeof(users)), wait_s);
		return errno_set(EBUSY);
	}
	return 0;
}

static int make_directory(const struct rtap_instance *inst, gid_t gid) {
	int rc = rtap_instance_create_dir(inst, gid);

	if (rc == -EPERM)
		LOG(ERR,
		    "%s: it or the directory above is a link, is not root's, or others may write to "
		    "it; run `chown root` and `chmod go-w`, or mount a tmpfs at /run",
		    inst->dir);
	else if (rc < 0)
		LOG(ERR, "%s: %s", inst->dir, strerror(-rc));
	else if (!rtap_is_tmpfs(inst->dir))
		LOG(WARNING,
		    "%s is on a disk, which may hold up the capture while it writes; mount a tmpfs "
		    "there",
		    inst->dir);
	return rc;
}

int instance_locks_take(
	const struct rtap_instance *inst, gid_t gid, const uint8_t boot_id[RTAP_BOOT_ID_SIZE],
	bool wait, uint64_t wait_s
) {
	int rc;

	rc = make_directory(inst, gid);
	if (rc < 0)
		return rc;
	if (rtap_primary_is_alive(inst) == 1)
		return say_running(inst);
	// In this order: a transmit worker must not take this process for its own primary.
	rc = take_attached_lock(inst, wait, wait_s);
	return rc < 0 ? rc : take_primary_lock(inst, gid, boot_id);
}

int instance_locks_let_in(const struct rtap_instance *inst) {
	int rc;

	hugepage_files_note(inst, &own);
	rc = write_info(inst);
	close(attached_fd);
	attached_fd = -1;
	return rc;
}
