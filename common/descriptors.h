// SPDX-License-Identifier: BSD-3-Clause
// Let this process open as many files as it may, and check that this is enough.

#pragma once

#include <stdint.h>

// Raise the soft limit of open files to the hard one. Returns 0, or -EMFILE with the reason and the
// remedy logged when that is below `needed`.
int rtap_descriptors_raise(uint64_t needed);
