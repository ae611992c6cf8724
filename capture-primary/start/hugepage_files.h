// SPDX-License-Identifier: BSD-3-Clause
// Claim the hugepage files of an instance, PREFIXmap_NUMBER in every hugetlbfs, and remove stale
// ones.
//
// The one thing that all containers of a machine share is often a hugetlbfs. EAL has a shared lock
// (flock) on each of its files there as long as it lives. A primary adds PREFIXmap_lock, an empty
// file whose exclusive lock is the name's: two primaries that start at once both find no other
// file.

#pragma once

#include "primary_info.h"

// Check all files of the instance, at every mount and in `directory` ("" = no other). If none of
// them is in use, unlink them and take the name until the end of the process; if one is, change
// nothing. Waits while another EAL sets up its memory, as EAL itself would. Returns 0; -EBUSY or
// another negative errno with the reason logged.
int hugepage_files_take(const struct rtap_instance *inst, const char *directory);

// Note those that EAL of this process maps, so that a secondary can tell whether it sees the same.
void hugepage_files_note(const struct rtap_instance *inst, struct rtap_primary_info *info);

// Unlink those that this process has open. Mapped pages last until the last process unmaps them.
void hugepage_files_remove_own(const struct rtap_instance *inst);

// Whether `name` is one of an instance's hugepage files.
bool hugepage_files_is_one(const char *name, const char *instance);
