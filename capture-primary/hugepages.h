// SPDX-License-Identifier: BSD-3-Clause
// Hugepages of this machine, from sysfs: enough for this instance, or the command that makes it so.

#pragma once

#include <stdint.h>

// Size of the pages that EAL will use: the kernel's default size. 0 when the kernel has none.
uint64_t hugepages_default_bytes(void);

// NUMA nodes of this machine, at least 1.
unsigned int hugepages_nb_nodes(void);

// Whether `needed_mib[n]` are free on each node. Returns 0, or -ENOMEM with the shortfall and the
// command that mends it logged.
int hugepages_check(const uint64_t *needed_mib, unsigned int nb_nodes);
