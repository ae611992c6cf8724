// SPDX-License-Identifier: BSD-3-Clause
// Find the processes that have a file open.

#pragma once

#include <sys/types.h>

// Pids of the processes that have `path` open, the caller left out, by /proc: up to `max`, the
// number found is returned.
unsigned int rtap_file_users(const char *path, pid_t *pids, unsigned int max);
