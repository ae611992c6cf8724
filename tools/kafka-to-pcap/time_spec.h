// SPDX-License-Identifier: BSD-3-Clause
// A moment as a user writes it. Pure.

#pragma once

#include "now.h"

#include <stdint.h>

#define TIME_SPEC_ALLOWED                                                                          \
	"2026-11-25T03:00:00Z (UTC, with a fraction if you like), seconds since 1970, or -15m "    \
	"before now (s, m, h, d)"

#define TIME_SPEC_MAX_NS (RTAP_SECOND_NS * UINT32_MAX + 999999999) // in 2106

// `text` as ns since the epoch, UTC. Returns 0, or -EINVAL when it is none of TIME_SPEC_ALLOWED or
// is not from 1970 to 2106.
int time_spec_parse(const char *text, uint64_t now_ns, uint64_t *time_ns);
