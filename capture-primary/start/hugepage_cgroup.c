// SPDX-License-Identifier: BSD-3-Clause
// Check the limits of hugepages that the cgroups of this process set.

#include "hugepage_cgroup.h"

#include "byte_units.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LOG_TYPE "memory"

#define MAX_PATH (2 * PATH_MAX) // of a mount and of a cgroup below it

struct need {
	char size[24]; // of a page, in the names of files: 2MB
	uint64_t bytes;
};

// A number of bytes; UINT64_MAX for "max" and where there is no such file.
static uint64_t read_bytes(const char *path) {
	uint64_t bytes = UINT64_MAX;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return bytes;
	if (fscanf(f, "%" SCNu64, &bytes) != 1)
		bytes = UINT64_MAX;
	fclose(f);
	return bytes;
}

static int check_directory(const char *directory, const struct need *need) {
	static const char *const names[][2] = {
		{"max", "current"},
		{"rsvd.max", "rsvd.current"},
		{"limit_in_bytes", "usage_in_bytes"},
		{"rsvd.limit_in_bytes", "rsvd.usage_in_bytes"},
	};
	char path[MAX_PATH + 64];

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t used, limit;

		snprintf(
			path, sizeof(path), "%s/hugetlb.%s.%s", directory, need->size, names[i][1]
		);
		used = read_bytes(path);
		snprintf(
			path, sizeof(path), "%s/hugetlb.%s.%s", directory, need->size, names[i][0]
		);
		limit = read_bytes(path);
		if (used == UINT64_MAX || limit >= used + need->bytes)
			continue;
		LOG(ERR,
		    "too few hugepages in this cgroup: %s allows %" PRIu64 " MiB, %" PRIu64
		    " MiB are in use, %" PRIu64 " MiB more are needed; run `echo %" PRIu64
		    " > %s`, raise the limit of the container (Kubernetes: hugepages-%.*si), or "
		    "lower buffer-memory",
		    path, limit / RTAP_MIB, used / RTAP_MIB, need->bytes / RTAP_MIB,
		    used + need->bytes, path, (int)strlen(need->size) - 1, need->size);
		return -ENOMEM;
	}
	return 0;
}

// A directory and all above it, up to where the hierarchy is mounted.
static int check_chain(char *directory, size_t mount_len, const struct need *need) {
	int rc;

	while ((rc = check_directory(directory, need)) == 0 && strlen(directory) > mount_len)
		*strrchr(directory, '/') = '\0';
	return rc;
}

// Path of the cgroup of this process in a hierarchy. False when there is none.
static bool find_cgroup(bool version_2, char *path, size_t size) {
	char line[PATH_MAX], *controllers, *rest;
	bool found = false;
	FILE *f = fopen("/proc/self/cgroup", "re");

	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL) { // ID:CONTROLLERS:PATH
		line[strcspn(line, "\n")] = '\0';
		controllers = strchr(line, ':');
		rest = controllers != NULL ? strchr(++controllers, ':') : NULL;
		if (rest == NULL)
			continue;
		*rest++ = '\0';
		found = version_2 ? *controllers == '\0' : strstr(controllers, "hugetlb") != NULL;
		snprintf(path, size, "%s", rest);
	}
	fclose(f);
	return found;
}

// A container often sees its own cgroup as the root of the mount.
static int
check_hierarchy(const char *root, const char *mounted_at, bool version_2, const struct need *need) {
	char cgroup[PATH_MAX], directory[MAX_PATH];
	size_t root_len = strcmp(root, "/") == 0 ? 0 : strlen(root);
	const char *below;

	if (!find_cgroup(version_2, cgroup, sizeof(cgroup)))
		return 0;
	below = strncmp(cgroup, root, root_len) == 0 ? cgroup + root_len : "/";
	if (strcmp(below, "/") == 0)
		below = "";
	snprintf(directory, sizeof(directory), "%s%s", mounted_at, below);
	return check_chain(directory, strlen(mounted_at), need);
}

// As the kernel has it in the names of the files: 2MB.
static void name_size(struct need *need, uint64_t page_kib) {
	static const char *const units[] = {"KB", "MB", "GB"};
	unsigned int unit = 0;

	for (; page_kib >= 1024 && unit < 2; unit++)
		page_kib /= 1024;
	snprintf(need->size, sizeof(need->size), "%" PRIu64 "%s", page_kib, units[unit]);
}

int hugepage_cgroup_check(uint64_t page_kib, uint64_t needed_bytes) {
	struct need need = {.bytes = needed_bytes};
	char line[3 * PATH_MAX], root[PATH_MAX], mounted_at[PATH_MAX], type[64], options[512];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int rc = 0;

	if (f == NULL)
		return 0;
	name_size(&need, page_kib);
	while (rc == 0 && fgets(line, sizeof(line), f) != NULL) {
		const char *end = strstr(line, " - ");

		if (end == NULL || sscanf(line, "%*s %*s %*s %4095s %4095s", root, mounted_at) != 2
		    || sscanf(end, " - %63s %*s %511s", type, options) != 2)
			continue;
		if (strcmp(type, "cgroup2") == 0)
			rc = check_hierarchy(root, mounted_at, true, &need);
		else if (strcmp(type, "cgroup") == 0 && strstr(options, "hugetlb") != NULL)
			rc = check_hierarchy(root, mounted_at, false, &need);
	}
	fclose(f);
	return rc;
}
