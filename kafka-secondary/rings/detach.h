// SPDX-License-Identifier: BSD-3-Clause
// Leave an instance: remove the files that EAL made for this process.

#pragma once

#include "instance.h"

// Never rte_eal_cleanup(): it takes locks that a killed process may have left taken. The caller
// ends with _exit().
void detach(const struct rtap_instance *inst);
