// SPDX-License-Identifier: BSD-3-Clause
// Files that EAL leaves behind: hugepage files and its runtime directory.

#pragma once

#include "instance.h"

// Unlink everything of the instance: before a start (of a killed predecessor) and at the end. Only
// with the instance's locks in hand. Mapped pages live on until the last process unmaps them.
void runtime_files_remove_all(const struct rtap_instance *inst);

// Unlink what killed secondaries left: their sockets and page tables, named by pid.
void runtime_files_remove_dead(const struct rtap_instance *inst);
