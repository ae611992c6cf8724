// SPDX-License-Identifier: BSD-3-Clause
// Remove the files that EAL leaves: hugepage files and its runtime directory.

#include "runtime_files.h"

#include "eal_layout.h"
#include "eal_prefix.h"
#include "hugepage_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

typedef bool (*name_matches_fn)(const char *name, const char *arg);

static void unlink_matching(const char *dir_path, name_matches_fn matches, const char *arg) {
	struct dirent *entry;
	DIR *dir = opendir(dir_path);

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' && matches(entry->d_name, arg))
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

static bool is_any(const char *name, const char *arg) {
	return true;
}

static bool is_of_dead_secondary(const char *name, const char *arg) {
	pid_t pid = rtap_eal_file_pid(name);

	return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

int runtime_files_take(const struct rtap_instance *inst, const char *hugepage_directory) {
	char path[PATH_MAX];
	int rc;

	rc = eal_prefix_check(inst);
	if (rc == 0)
		rc = hugepage_files_take(inst, hugepage_directory);
	if (rc < 0)
		return rc;
	unlink_matching(eal_prefix_dir(inst, path, sizeof(path)), is_any, NULL);
	return eal_prefix_link(inst);
}

void runtime_files_remove_all(const struct rtap_instance *inst) {
	char path[PATH_MAX];

	eal_prefix_unlink(inst);
	hugepage_files_remove_own(inst);
	unlink_matching(eal_prefix_dir(inst, path, sizeof(path)), is_any, NULL);
}

void runtime_files_remove_dead(const struct rtap_instance *inst) {
	char path[PATH_MAX];

	unlink_matching(eal_prefix_dir(inst, path, sizeof(path)), is_of_dead_secondary, NULL);
}
