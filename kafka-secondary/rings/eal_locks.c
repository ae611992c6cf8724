// SPDX-License-Identifier: BSD-3-Clause
// Clear the locks of EAL that a killed attach left.

#include "eal_locks.h"

#include "eal_layout.h"
#include "errno_set.h"
#include "log.h"

#include <rte_version.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOG_TYPE "attach"

// Map the beginning of EAL's shared configuration. Returns NULL with errno set.
static void *map_head(const struct rtap_instance *inst) {
	char file[64], path[PATH_MAX];
	void *head;
	int fd;

	snprintf(file, sizeof(file), "dpdk/%s/config", inst->name);
	fd = open(rtap_instance_path(inst, file, path, sizeof(path)), O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	head = mmap(NULL, RTAP_EAL_CONFIG_HEAD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return head != MAP_FAILED ? head : NULL;
}

int eal_locks_check(const struct rtap_instance *inst) {
	void *head = map_head(inst);
	int rc = head != NULL ? rtap_eal_layout_check(head) : -errno;

	if (head != NULL)
		munmap(head, RTAP_EAL_CONFIG_HEAD_BYTES);
	if (rc < 0)
		LOG(WARNING,
		    "EAL's locks are not found in its shared configuration (%s: %s); those of an attach "
		    "that is killed cannot be cleared: should a later attach hang, stop the primary when "
		    "its rings are empty and start it again",
		    rte_version(), rc == -EPROTO ? "unknown layout" : strerror(-rc));
	return rc;
}

void eal_locks_clear(const struct rtap_instance *inst) {
	void *head = map_head(inst);

	if (head == NULL) {
		LOG(WARNING, "EAL's shared configuration: %s", strerror(errno));
		return;
	}
	rtap_eal_layout_clear_locks(head);
	munmap(head, RTAP_EAL_CONFIG_HEAD_BYTES);
	LOG(WARNING, "the last attach was killed inside EAL; its locks are cleared");
}
