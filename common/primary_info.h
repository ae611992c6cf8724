// SPDX-License-Identifier: BSD-3-Clause
// Tell other processes which primary runs, and whether it does.

#pragma once

#include "instance.h"

#include <stdint.h>

#define RTAP_MAX_HUGEPAGE_FILES 16
#define RTAP_HUGEPAGE_PATH 256

struct rtap_hugepage_file {
	uint64_t device, inode; // the same in every container of a machine
	char path[RTAP_HUGEPAGE_PATH];
};

// What the primary writes into its file, for secondaries, messages and the stats tool.
struct rtap_primary_info {
	pid_t pid; // in the primary's pid namespace
	uint64_t pid_namespace; // rtap_pid_namespace() of the primary
	char dpdk_version[40];
	char boot_id[33]; // hexadecimal
	unsigned int nb_hugepage_files; // 0 until it is ready; more than the most are left out
	struct rtap_hugepage_file hugepage_files[RTAP_MAX_HUGEPAGE_FILES];
};

// Primary, with the lock: replace the text of `fd` (file `primary`) and let the group read it
// (0640). 0 or a negative errno.
int rtap_primary_info_write(int fd, const struct rtap_primary_info *info);

// 0, -EPROTO when there is no pid in it, or another negative errno.
int rtap_primary_info_read(const struct rtap_instance *inst, struct rtap_primary_info *info);

// 1 while a primary holds the instance, 0 when none does, -ENOENT when the instance never was.
// Needs no more than read permission of the directory: a reader without permission for the lock
// file gets -EACCES and goes by the pid.
int rtap_primary_is_alive(const struct rtap_instance *inst);

// Which pid namespace this process is in: a number of the kernel's. 0 = unknown.
uint64_t rtap_pid_namespace(void);
