// SPDX-License-Identifier: BSD-3-Clause
// Find the processes that have a file open.

#include "file_users.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// Whether a process has the file open; one that we may not look into has not.
static bool has_open(const char *pid, const struct stat *file) {
	char path[300];
	struct dirent *entry;
	struct stat st;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL)
		found = entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0
			&& st.st_dev == file->st_dev && st.st_ino == file->st_ino;
	closedir(dir);
	return found;
}

unsigned int rtap_file_users(const char *path, pid_t *pids, unsigned int max) {
	unsigned int nb_pids = 0;
	struct dirent *entry;
	struct stat file;
	pid_t pid;
	DIR *proc;

	if (stat(path, &file) < 0)
		return 0;
	proc = opendir("/proc");
	if (proc == NULL)
		return 0;
	while (nb_pids < max && (entry = readdir(proc)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid != getpid() && has_open(entry->d_name, &file))
			pids[nb_pids++] = pid;
	}
	closedir(proc);
	return nb_pids;
}
