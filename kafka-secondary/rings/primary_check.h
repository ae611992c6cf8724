// SPDX-License-Identifier: BSD-3-Clause
// Check, before EAL starts, that this process sees the files of the primary that EAL needs.
//
// Primary and secondary may be in two containers. EAL finds another /run, another hugetlbfs or
// another pid namespace late or never, and does not name it.

#pragma once

#include "instance.h"

// Check that the instance has a primary in the directory where this process looks, of the same DPDK
// and in the same pid namespace. Returns 0, or a negative errno with the reason and the remedy
// logged: -ESRCH when there is no primary, -EPROTO when it runs another DPDK, -EIO for the
// namespace.
int primary_check(const struct rtap_instance *inst);

// Of a primary that is ready: check that its hugepage files are the same files here. Returns 0, or
// -EIO with the reason and the remedy logged.
int primary_check_hugepages(const struct rtap_instance *inst);
