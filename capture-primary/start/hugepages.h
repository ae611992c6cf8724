// SPDX-License-Identifier: BSD-3-Clause
// Check that this machine has enough hugepages, by sysfs, or log the command that adds them.

#pragma once

#include "config.h"

#include <stdint.h>

// Size of the pages that EAL will use: of the hugetlbfs that is mounted at `directory`
// (hugepage-directory), the kernel's default size when that is "" or not one. 0 when the kernel has
// none.
uint64_t hugepages_bytes(const char *directory);

// NUMA nodes of this machine, at least 1.
unsigned int hugepages_nb_nodes(void);

// NUMA node of a CPU, 0 when it is not there.
unsigned int hugepages_node_of_cpu(unsigned int cpu);

// Check that `needed_mib[n]` are free on each node, and that a hugetlbfs is mounted for them: at
// hugepage-directory, or anywhere when that is "". Returns 0, or -ENOMEM with what is missing and
// the command that fixes it logged.
int hugepages_check(
	const struct rtap_config *cfg, const uint64_t *needed_mib, unsigned int nb_nodes
);
