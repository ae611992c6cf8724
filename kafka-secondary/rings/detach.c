// SPDX-License-Identifier: BSD-3-Clause
// Remove the files that EAL made for this process.

#include "detach.h"

#include "eal_layout.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

void detach(const struct rtap_instance *inst) {
	char file[64], path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(file, sizeof(file), "dpdk/%s", inst->name);
	dir = opendir(rtap_instance_path(inst, file, path, sizeof(path)));
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (rtap_eal_file_pid(entry->d_name) == getpid())
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}
