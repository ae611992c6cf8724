// SPDX-License-Identifier: BSD-3-Clause
// Check the user's EAL arguments before EAL sees them.
//
// EAL takes switches with which no secondary can attach, and reports some conflicts with switches
// that the user did not give. EAL of 25.11 ends the process on an argument that it does not know.

#pragma once

#include <stddef.h>

// Check the `nb_args` words after `--`. Returns 0, or -EINVAL with a line in `why` that names the
// word, the reason and the remedy.
int eal_switches_check(char *const *args, int nb_args, char *why, size_t why_size);
