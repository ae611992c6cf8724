// SPDX-License-Identifier: BSD-3-Clause
// Find the key that a misspelt name was meant to be.

#pragma once

#include <stddef.h>

// The name of the key nearest to `name` in a section ("" = the top level); NULL when none is near
// enough for a slip of the hand. Returns `buf`.
const char *rtap_nearest_key(const char *name, const char *section, char *buf, size_t size);
