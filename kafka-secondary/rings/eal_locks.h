// SPDX-License-Identifier: BSD-3-Clause
// Clear the locks of EAL that a killed attach left. Of a primary that is ready, with the attach
// gate held: then no other process is inside EAL.

#pragma once

#include "instance.h"

// Look whether the locks are where this program knows them to be. Returns 0 or a negative errno,
// after a warning that says what follows from it.
int eal_locks_check(const struct rtap_instance *inst);

// Clear them all. Only after a check that returned 0: it writes to EAL's memory.
void eal_locks_clear(const struct rtap_instance *inst);
