// SPDX-License-Identifier: BSD-3-Clause
// Check that this machine has enough hugepages.

#include "hugepages.h"

#include "hugepage_cgroup.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LOG_TYPE "memory"

#define NODES "/sys/devices/system/node"

// 0 = no hugetlbfs is mounted there.
static uint64_t mounted_bytes(const char *directory) {
	struct statfs fs;

	if (statfs(directory, &fs) != 0 || fs.f_type != HUGETLBFS_MAGIC)
		return 0;
	return (uint64_t)fs.f_bsize;
}

static bool is_mounted(uint64_t page_bytes) {
	struct mntent *mount;
	bool found = false;
	FILE *mounts = setmntent("/proc/self/mounts", "re");

	if (mounts == NULL)
		return false;
	while (!found && (mount = getmntent(mounts)) != NULL)
		found = strcmp(mount->mnt_type, "hugetlbfs") == 0
			&& mounted_bytes(mount->mnt_dir) == page_bytes;
	endmntent(mounts);
	return found;
}

static uint64_t default_bytes(void) {
	uint64_t kib = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Hugepagesize: %" SCNu64 " kB", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024;
}

uint64_t hugepages_bytes(const char *directory) {
	uint64_t bytes = mounted_bytes(directory);

	return bytes > 0 ? bytes : default_bytes();
}

unsigned int hugepages_nb_nodes(void) {
	char path[PATH_MAX];
	unsigned int n = 0;

	do
		snprintf(path, sizeof(path), NODES "/node%u", ++n);
	while (access(path, F_OK) == 0);
	return n;
}

unsigned int hugepages_node_of_cpu(unsigned int cpu) {
	char path[PATH_MAX];

	for (unsigned int n = hugepages_nb_nodes(); n-- > 0;) {
		snprintf(path, sizeof(path), NODES "/node%u/cpu%u", n, cpu);
		if (access(path, F_OK) == 0)
			return n;
	}
	return 0;
}

static const char *pages_path(char *path, unsigned int node, uint64_t page_kib, const char *file) {
	snprintf(
		path, PATH_MAX, NODES "/node%u/hugepages/hugepages-%" PRIu64 "kB/%s", node,
		page_kib, file
	);
	// A kernel without NUMA has the machine's pages only.
	if (access(path, F_OK) != 0)
		snprintf(
			path, PATH_MAX, "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/%s",
			page_kib, file
		);
	return path;
}

static uint64_t read_pages(unsigned int node, uint64_t page_kib, const char *file) {
	char path[PATH_MAX];
	uint64_t pages = 0;
	FILE *f = fopen(pages_path(path, node, page_kib, file), "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%" SCNu64, &pages) != 1)
		pages = 0;
	fclose(f);
	return pages;
}

static int check_mount(const struct rtap_config *cfg, uint64_t page_kib) {
	const char *directory = cfg->hugepage_directory;
	char place[512];

	if (*directory != '\0' && mounted_bytes(directory) == 0) {
		LOG(ERR,
		    "%s: no hugetlbfs is mounted at %s; run "
		    "`mkdir -p %s && mount -t hugetlbfs nodev %s`, or leave the key out",
		    rtap_config_place(cfg, "hugepage-directory", place, sizeof(place)), directory,
		    directory, directory);
		return -ENOMEM;
	}
	if (*directory == '\0' && !is_mounted(page_kib * 1024)) {
		LOG(ERR,
		    "no hugetlbfs is mounted for pages of %" PRIu64
		    " kB; run `mkdir -p /dev/hugepages && "
		    "mount -t hugetlbfs nodev /dev/hugepages`, or name one under hugepage-directory",
		    page_kib);
		return -ENOMEM;
	}
	return 0;
}

int hugepages_check(
	const struct rtap_config *cfg, const uint64_t *needed_mib, unsigned int nb_nodes
) {
	uint64_t page_kib = hugepages_bytes(cfg->hugepage_directory) / 1024;
	uint64_t needed_bytes = 0;
	char path[PATH_MAX];

	if (page_kib == 0) {
		LOG(ERR, "this kernel has no hugepages; boot one with CONFIG_HUGETLBFS");
		return -ENOMEM;
	}
	if (check_mount(cfg, page_kib) < 0)
		return -ENOMEM;
	for (unsigned int n = 0; n < nb_nodes; n++) {
		uint64_t needed = (needed_mib[n] * 1024 + page_kib - 1) / page_kib;
		uint64_t free_pages = read_pages(n, page_kib, "free_hugepages");
		uint64_t total = read_pages(n, page_kib, "nr_hugepages");

		needed_bytes += needed * page_kib * 1024;
		if (free_pages >= needed)
			continue;
		LOG(ERR,
		    "too few hugepages on node %u: %" PRIu64 " of %" PRIu64 " kB needed, %" PRIu64
		    " free of %" PRIu64 "; run `echo %" PRIu64 " > %s`, or lower buffer-memory",
		    n, needed, page_kib, free_pages, total, total - free_pages + needed,
		    pages_path(path, n, page_kib, "nr_hugepages"));
		return -ENOMEM;
	}
	return hugepage_cgroup_check(page_kib, needed_bytes);
}
