// SPDX-License-Identifier: BSD-3-Clause
// Check that this process sees the files of the primary that EAL needs.

#include "primary_check.h"

#include "log.h"
#include "primary_info.h"

#include <rte_version.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LOG_TYPE "attach"

// The other place where a primary may have put its files, if there is a running one in it.
static const char *found_elsewhere(const struct rtap_instance *inst) {
	static const char *const bases[] = {RTAP_BASE_RUN, RTAP_BASE_SHM};
	struct rtap_instance other = *inst;

	for (unsigned int i = 0; i < 2; i++) {
		snprintf(other.dir, sizeof(other.dir), "%s/%s", bases[i], inst->name);
		if (strcmp(other.dir, inst->dir) != 0 && rtap_primary_is_alive(&other) == 1)
			return bases[i];
	}
	return NULL;
}

static int say_no_primary(const struct rtap_instance *inst) {
	const char *elsewhere = found_elsewhere(inst);

	if (elsewhere != NULL)
		LOG(ERR,
		    "instance %s has no running primary in %s, but one in %s/%s; set "
		    "RINGTAP_DIR=%s for both programs, or give both the same /run",
		    inst->name, inst->dir, elsewhere, inst->name, elsewhere);
	else
		LOG(ERR,
		    "instance %s has no running primary in %s; start capture-primary with this "
		    "configuration first; in another container, it needs this directory, too",
		    inst->name, inst->dir);
	return -ESRCH;
}

int primary_check(const struct rtap_instance *inst) {
	struct rtap_primary_info info;

	if (rtap_primary_is_alive(inst) != 1)
		return say_no_primary(inst);
	if (rtap_primary_info_read(inst, &info) < 0)
		return 0;
	// Compare before EAL does: EAL of another version may follow another layout.
	if (info.dpdk_version[0] != '\0' && strcmp(info.dpdk_version, rte_version()) != 0) {
		LOG(ERR,
		    "the primary of instance %s runs %s, this secondary %s; use programs of one "
		    "build, restart the primary",
		    inst->name, info.dpdk_version, rte_version());
		return -EPROTO;
	}
	// EAL names files by pid, and each side tells by it who is alive.
	if (info.pid_namespace != 0 && info.pid_namespace != rtap_pid_namespace()) {
		LOG(ERR,
		    "the primary of instance %s is in another pid namespace; let both containers "
		    "share one (Kubernetes: shareProcessNamespace: true; podman, docker: "
		    "--pid=container:NAME)",
		    inst->name);
		return -EIO;
	}
	return 0;
}

int primary_check_hugepages(const struct rtap_instance *inst) {
	struct rtap_primary_info info;
	struct stat st;
	int rc;

	rc = rtap_primary_info_read(inst, &info);
	for (unsigned int i = 0; rc == 0 && i < info.nb_hugepage_files; i++) {
		const struct rtap_hugepage_file *file = &info.hugepage_files[i];
		const char *slash = strrchr(file->path, '/');
		int len = slash != NULL ? (int)(slash - file->path) : 0; // of the directory

		if (stat(file->path, &st) < 0)
			LOG(ERR,
			    "hugepage file %s of the primary: %s; mount the primary's hugetlbfs at "
			    "%.*s here, too",
			    file->path, strerror(errno), len, file->path);
		else if (st.st_dev != file->device || st.st_ino != file->inode)
			LOG(ERR,
			    "hugepage file %s is not the primary's (device %" PRIu64
			    " inode %" PRIu64 ", its own %" PRIu64 " and %" PRIu64
			    "); mount the primary's hugetlbfs at %.*s, not another one",
			    file->path, (uint64_t)st.st_dev, (uint64_t)st.st_ino, file->device,
			    file->inode, len, file->path);
		else
			continue;
		rc = -EIO;
	}
	return rc == -EIO ? rc : 0;
}
