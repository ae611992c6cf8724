// SPDX-License-Identifier: BSD-3-Clause
// Know what EAL has no API for and changes from version to version: the layout of its shared
// configuration, the names of its runtime files, its limits. Of the version that is compiled
// against: primary and secondary refuse to work together when theirs differ.

#pragma once

#include <rte_config.h>
#include <rte_version.h>

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// lcore ids and CPUs that EAL accepts: 0 to this. 127 unless DPDK was built for one processor.
#define RTAP_EAL_MAX_LCORE (RTE_MAX_LCORE - 1)

// The beginning of struct rte_mem_config, the file `config`: magic, version and two more words;
// the lock words mlock, qlock, mplock, tlock, from 23.11 on ethdev_lock, and memory_hotplug_lock;
// mp_status, a byte; the fbarray of memzones, which begins with its name. Read in the sources from
// 22.11 to 26.11-rc0.
#define RTAP_EAL_LOCKS_OFFSET 16
#define RTAP_EAL_NB_LOCKS (RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0) ? 5U : 6U)
#define RTAP_EAL_CONFIG_HEAD_BYTES 64 // up to the end of the name

// Whether the shared configuration has its locks where we know them to be. `head`: its first
// RTAP_EAL_CONFIG_HEAD_BYTES. Returns 0 or -EPROTO.
int rtap_eal_layout_check(const void *head);

// Clear all locks. `head` as above; no process may be inside EAL.
void rtap_eal_layout_clear_locks(void *head);

// The secondary that a file of EAL's runtime directory belongs to: mp_socket_PID_TSC,
// fbarray_memseg-SIZE-NODE-LIST_PID or, from 23.11.7, 24.11.5 and 25.11.1 on, ..._PID_TSC. 0 when
// it belongs to none.
pid_t rtap_eal_file_pid(const char *name);
