// SPDX-License-Identifier: BSD-3-Clause
// Other instances of this machine whose receive workers have the CPUs of ours.

#pragma once

#include "counters.h"
#include "instance.h"

// Warn of each running instance of the same base directory that receives on a CPU of `own`, one line
// with these CPUs and the remedy. By the counters files: an lcore has the number of its CPU, and one
// without a CPU of its own is left out. Returns the number of warnings.
unsigned int cpu_neighbours_warn(const struct rtap_instance *inst, const struct rtap_counters *own);
