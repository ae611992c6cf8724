// SPDX-License-Identifier: BSD-3-Clause
// Name and create the directory of an instance. No EAL.
//
// <base>/<instance>/            base: /run/ringtap where /run or /run/ringtap is a tmpfs or
//                               /run/ringtap is mounted, else /dev/shm/ringtap; both sides and
//                               the stats tool find it by this rule alone. An absolute path in
//                               $RINGTAP_DIR takes its place, for all programs alike: for
//                               containers that share another tmpfs, and for tests
//     primary                   held by the primary (OFD write lock); text: see primary_info.c
//     attached.lock             held by every secondary and its workers (OFD read lock)
//     attach.gate               one attach at a time
//     slots                     byte n: held by the worker at slot n (OFD write lock)
//     counters                  the counters file
//     dpdk/<instance>/          EAL's own runtime files

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RTAP_BASE_RUN "/run/ringtap"
#define RTAP_BASE_SHM "/dev/shm/ringtap"

#define RTAP_FILE_PRIMARY "primary"
#define RTAP_FILE_ATTACHED "attached.lock"
#define RTAP_FILE_GATE "attach.gate"
#define RTAP_FILE_SLOTS "slots"
#define RTAP_FILE_COUNTERS "counters"

// Characters of an instance name. EAL's sockets have it twice in their path, and a path of a Unix
// socket ends at 107: /dev/shm/ringtap/NAME/dpdk/NAME/mp_socket_PID_TSC.
#define RTAP_INSTANCE_MAX 24

// [A-Za-z0-9_-], 1 to 24 characters, not starting with '-', not EAL's own `rte`: it becomes the
// name of a file and of a ring.
bool rtap_instance_name_valid(const char *name);

struct rtap_instance {
	char name[RTAP_INSTANCE_MAX + 1];
	char dir[256];
};

// Fill in the names; touches nothing. Returns 0 or -EINVAL (name, or $RINGTAP_DIR not absolute or
// too long).
int rtap_instance_init(struct rtap_instance *inst, const char *name);

bool rtap_is_tmpfs(const char *path);

// Path of a file of the instance; `buf` is returned.
const char *
rtap_instance_path(const struct rtap_instance *inst, const char *file, char *buf, size_t size);

// Primary: create the directory (0750, group `gid`, (gid_t)-1 = leave) and the base (0755), refuse
// one that is not ours (-EPERM: a link, another owner, write permission for group or others). A
// directory of an earlier primary gets this group and mode. Returns 0 or a negative errno.
int rtap_instance_create_dir(const struct rtap_instance *inst, gid_t gid);

// Let EAL put its runtime files into the directory of the instance (sets $RUNTIME_DIRECTORY, which
// EAL reads). Before rte_eal_init(): a secondary, and a primary that cannot make its link, see
// capture-primary/start/eal_prefix.h.
int rtap_instance_set_eal_runtime_dir(const struct rtap_instance *inst);
