// SPDX-License-Identifier: BSD-3-Clause
// Name the units of sizes in bytes.

#pragma once

#include <stdint.h>

#define RTAP_KIB UINT64_C(1024)
#define RTAP_MIB (1024 * RTAP_KIB)
#define RTAP_GIB (1024 * RTAP_MIB)
