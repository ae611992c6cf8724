// SPDX-License-Identifier: BSD-3-Clause
// Remove the files that EAL leaves: hugepage files and its runtime directory.

#pragma once

#include "instance.h"

// Before EAL starts, with the instance's locks held: check that no other DPDK program uses the
// instance's name as its file-prefix, unlink what a killed primary left, and tell EAL where its
// files go, so that DPDK's tools find them. `hugepage_directory`: that of the configuration, "" =
// none. Returns 0; -EBUSY when another program uses the name, or another negative errno, with the
// reason logged; then nothing of another program was unlinked.
int runtime_files_take(const struct rtap_instance *inst, const char *hugepage_directory);

// At the end: unlink all that this primary made. Mapped pages last until the last process unmaps
// them.
void runtime_files_remove_all(const struct rtap_instance *inst);

// Unlink what killed secondaries left: their sockets and page tables, named by pid.
void runtime_files_remove_dead(const struct rtap_instance *inst);
