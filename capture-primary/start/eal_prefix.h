// SPDX-License-Identifier: BSD-3-Clause
// Claim the instance's name as EAL's file-prefix, and link its files to where DPDK's tools look.

#pragma once

#include "instance.h"

// Log in one line which processes use the name: `file` is locked by the `nb_pids` ones of `pids`; 0
// = by one that has no pid here. Returns -EBUSY.
int eal_prefix_refuse(
	const struct rtap_instance *inst, const char *file, const pid_t *pids, unsigned int nb_pids
);

// Check that EAL's lock of the name is free, both in the instance's directory and where every DPDK
// program of root has it. Only before rte_eal_init(): closing the file drops the lock of this
// process. Returns 0, or -EBUSY with the reason logged.
int eal_prefix_check(const struct rtap_instance *inst);

// Let DPDK programs of root find the EAL files of the instance, which stay in its directory, by a
// link in /var/run/dpdk; it replaces the link of a killed primary. EAL gets the path with the link
// ($RUNTIME_DIRECTORY), because it drops a reply unless the path of the sender's socket is exactly
// the one it asked. If the link cannot be made, logs a warning and sets the path without it.
// Returns 0 or a negative errno.
int eal_prefix_link(const struct rtap_instance *inst);

// Remove the link, unless it belongs to another program.
void eal_prefix_unlink(const struct rtap_instance *inst);

// Path of the instance's EAL files; `path` is returned.
const char *eal_prefix_dir(const struct rtap_instance *inst, char *path, size_t size);
