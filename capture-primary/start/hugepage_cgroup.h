// SPDX-License-Identifier: BSD-3-Clause
// Check the limits of hugepages that the cgroups of this process set, a container's or a service's.

#pragma once

#include <stdint.h>

// Check that each cgroup of this process, up to the root that it sees, lets it have `needed_bytes`
// more in pages of `page_kib`: by hugetlb.SIZE.max and its like of version 2 or 1, reservations
// included. Returns 0, or -ENOMEM with the file, its limit and the remedy logged.
int hugepage_cgroup_check(uint64_t page_kib, uint64_t needed_bytes);
