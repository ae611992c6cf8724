// SPDX-License-Identifier: BSD-3-Clause
// Tell an ini file, such as Fastcapa's, from YAML.

#pragma once

#include <stdbool.h>
#include <stddef.h>

// Whether the text starts with comments and a [section], which is at *line and *column, from 1 on.
bool rtap_ini_mark_find(const char *data, size_t size, size_t *line, size_t *column);
