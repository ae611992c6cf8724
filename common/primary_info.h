// SPDX-License-Identifier: BSD-3-Clause
// Tell other processes which primary runs, and whether it does.

#pragma once

#include "instance.h"

// What the primary writes into its file, for messages and for the stats tool.
struct rtap_primary_info {
	pid_t pid;
	char dpdk_version[40];
	char boot_id[33]; // hexadecimal
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
