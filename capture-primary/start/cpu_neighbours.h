// SPDX-License-Identifier: BSD-3-Clause
// Warn of other instances of this machine that receive on the same CPUs.

#pragma once

#include "counters.h"
#include "instance.h"

// Warn of each running instance of the same base directory that receives on a CPU of `own`, one
// line with these CPUs and the remedy. Reads the counters files: an lcore has the number of its
// CPU; an lcore without a CPU of its own is left out. Returns the number of warnings.
unsigned int cpu_neighbours_warn(const struct rtap_instance *inst, const struct rtap_counters *own);
