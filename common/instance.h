// SPDX-License-Identifier: BSD-3-Clause
// The directory of an instance: its files, their names, its locks. No EAL.
//
// <base>/<instance>/            base: /run/ringtap where /run is a tmpfs, else /dev/shm/ringtap;
//                               both sides and the stats tool find it by this rule alone. An
//                               absolute path in $RINGTAP_DIR takes its place, for all programs
//                               alike: for containers that share another tmpfs, and for tests
//     primary                   held by the primary (OFD write lock); text: pid, boot id, version,
//                               a line "key: value" each
//     attached.lock             held by every secondary and its workers (OFD read lock)
//     attach.gate               one attach at a time
//     slots                     byte n: held by the worker at slot n (OFD write lock)
//     counters                  the counters file
//     dpdk/<instance>/          EAL's own runtime files

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Characters of an instance name. EAL's sockets have it twice in their path, and a path of a Unix
// socket ends at 107: /dev/shm/ringtap/NAME/dpdk/NAME/mp_socket_PID_TSC.
#define RTAP_INSTANCE_MAX 24

// [A-Za-z0-9_-], 1 to 24 characters, not starting with '-', not EAL's own `rte`: it becomes a file and a ring name.
bool rtap_instance_name_valid(const char *name);

struct rtap_instance {
	char name[RTAP_INSTANCE_MAX + 1];
	char dir[256];
};

// Fill in the names; touches nothing. Returns 0 or -EINVAL (name, or $RINGTAP_DIR not absolute or too
// long).
int rtap_instance_init(struct rtap_instance *inst, const char *name);

// Path of a file of the instance; `buf` is returned.
const char *
rtap_instance_path(const struct rtap_instance *inst, const char *file, char *buf, size_t size);

// Primary: create the directory (0750, group `gid`, (gid_t)-1 = leave) and the base (0755), refuse one
// that is not ours (-EPERM: a link, another owner, write permission for group or others). A directory
// of an earlier primary gets this group and mode. Returns 0 or a negative errno.
int rtap_instance_create_dir(const struct rtap_instance *inst, gid_t gid);

// Let EAL put its runtime files into the directory of the instance (sets $RUNTIME_DIRECTORY, which
// EAL reads). Before rte_eal_init(): a secondary, and a primary that cannot make its link, see
// capture-primary/eal_prefix.h.
int rtap_instance_set_eal_runtime_dir(const struct rtap_instance *inst);

// Open a lock file of the instance (created 0600 when missing, with the group of the directory,
// O_CLOEXEC). It is never removed: two processes must not hold locks on two files of one name.
// Returns fd or -errno.
int rtap_lock_open(const struct rtap_instance *inst, const char *file);

// Take `len` bytes from `offset` of the file (OFD lock; len 0 = to the end, however far), without
// waiting. A lock lives until the last copy of the descriptor is closed: it survives fork(), and ends
// with the last process that has it. Returns 0, -EAGAIN when another descriptor holds it, or another negative errno.
int rtap_lock_write(int fd, off_t offset, off_t len);
int rtap_lock_read(int fd, off_t offset, off_t len);

// Whether somebody else holds a lock there that a write lock would meet. 1, 0 or a negative errno.
// Takes nothing; a descriptor opened for reading will do.
int rtap_lock_is_held(int fd, off_t offset, off_t len);

// Pids of the processes that have `path` open, the caller left out, by /proc: up to `max`, the number
// found is returned.
unsigned int rtap_file_users(const char *path, pid_t *pids, unsigned int max);

// What the primary writes into its file, for messages and for the stats tool.
struct rtap_primary_info {
	pid_t pid;
	char dpdk_version[40];
	char boot_id[33]; // hexadecimal
};

// Primary, with the lock: replace the text of `fd` (file `primary`) and let the group read it (0640).
// 0 or a negative errno.
int rtap_primary_info_write(int fd, const struct rtap_primary_info *info);

// 0, -EPROTO when there is no pid in it, or another negative errno.
int rtap_primary_info_read(const struct rtap_instance *inst, struct rtap_primary_info *info);

// 1 while a primary holds the instance, 0 when none does, -ENOENT when the instance never was.
// Needs no more than read permission of the directory: a reader without permission for the lock file
// gets -EACCES and goes by the pid.
int rtap_primary_is_alive(const struct rtap_instance *inst);
