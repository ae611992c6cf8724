// SPDX-License-Identifier: BSD-3-Clause
// The instance's name as EAL's file-prefix: who else uses it, and where DPDK's tools look for it.

#pragma once

#include "instance.h"

// Log in one line which processes use the name: `file` is locked by the `nb_pids` ones of `pids`; 0 = by
// one that has no pid here. Returns -EBUSY.
int eal_prefix_refuse(
	const struct rtap_instance *inst, const char *file, const pid_t *pids, unsigned int nb_pids
);

// Whether EAL's lock of the name is free, both in the instance's directory and where every DPDK program
// of root has it. Only before rte_eal_init(): the end of a look drops the lock of this process.
// Returns 0, or -EBUSY with the reason logged.
int eal_prefix_check(const struct rtap_instance *inst);

// Let DPDK programs of root find the EAL files of the instance, which stay in its directory: a link to
// them from /var/run/dpdk, which takes the place of one that a killed primary left. EAL gets the path
// with the link ($RUNTIME_DIRECTORY): it drops an answer to a request when the path of the socket that
// it comes from is not letter by letter the one that was asked. What prevents the link is a warning.
// Returns 0 or a negative errno.
int eal_prefix_link(const struct rtap_instance *inst);

// Remove the link, unless it is another's.
void eal_prefix_unlink(const struct rtap_instance *inst);

// Path of the instance's EAL files; `path` is returned.
const char *eal_prefix_dir(const struct rtap_instance *inst, char *path, size_t size);
