// SPDX-License-Identifier: BSD-3-Clause
// Print a string of JSON.

#pragma once

#include <stddef.h>
#include <stdio.h>

// Print `text`, at most `max` bytes of it, in quotes; NULL as null. Bytes that are not printable
// ASCII are written as \u00XX, whatever they were meant to be.
void rtap_json_put_string(FILE *out, const char *text, size_t max);
