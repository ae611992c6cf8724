// SPDX-License-Identifier: BSD-3-Clause
// Parse a number of a command line.

#pragma once

#include <stdint.h>

// Decimal digits and nothing else, from `min` to `max`. Returns 0 or -EINVAL.
int rtap_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);
