// SPDX-License-Identifier: BSD-3-Clause
// Make packet memory read-only.

#include "packet_guard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_MAPPINGS 4096

struct mapping {
	uint64_t start, end;
};

// "START-END rw-s OFFSET DEV INODE PATH"
static bool is_guarded(const char *line, const struct rtap_instance *inst, struct mapping *m) {
	char hugepage_file[RTAP_INSTANCE_MAX + 8], runtime_dir[300];
	char perms[5];

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &m->start, &m->end, perms) != 3
	    || strcmp(perms, "rw-s") != 0)
		return false;
	snprintf(hugepage_file, sizeof(hugepage_file), "/%smap_", inst->name);
	snprintf(runtime_dir, sizeof(runtime_dir), "%s/dpdk/", inst->dir);
	return strstr(line, hugepage_file) != NULL || strstr(line, runtime_dir) != NULL;
}

// mprotect() while reading the list would change it under our feet: collect first.
static int collect(const struct rtap_instance *inst, struct mapping *mappings) {
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[1024];
	int nb = 0;

	if (maps == NULL)
		return -errno;
	while (fgets(line, sizeof(line), maps) != NULL && nb < MAX_MAPPINGS)
		if (is_guarded(line, inst, &mappings[nb]))
			nb++;
	fclose(maps);
	return nb < MAX_MAPPINGS ? nb : -E2BIG;
}

static int protect(uint64_t start, uint64_t end) {
	if (start >= end)
		return 0;
	return mprotect((void *)(uintptr_t)start, end - start, PROT_READ) == 0 ? 0 : -errno;
}

// Protect a mapping around the control zones; zones may come in any order, holes are few.
static int protect_around(const struct shm_zones *zones, struct mapping m) {
	uint64_t from = m.start;
	int rc = 0;

	while (rc == 0 && from < m.end) {
		uint64_t hole = m.end, after = m.end;

		for (unsigned int i = 0; i < zones->nb; i++) {
			uint64_t start = zones->zones[i].start, end = start + zones->zones[i].bytes;

			if (end > from && start < hole) {
				hole = start > from ? start : from;
				after = end;
			}
		}
		rc = protect(from, hole);
		from = after;
	}
	return rc;
}

int packet_guard_protect(const struct shm_zones *zones, const struct rtap_instance *inst) {
	static struct mapping mappings[MAX_MAPPINGS];
	int nb = collect(inst, mappings), rc = 0;

	for (int i = 0; rc == 0 && i < nb; i++)
		rc = protect_around(zones, mappings[i]);
	if (nb == 0)
		return -ENOENT; // nothing found to protect: that is no protection
	return rc < 0 ? rc : nb;
}
