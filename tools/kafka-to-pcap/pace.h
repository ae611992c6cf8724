// SPDX-License-Identifier: BSD-3-Clause
// How far a partition has been read: the older of its last two packets, so that one record with a
// time that is far ahead tells nothing about the rest. Pure.

#pragma once

#include <stdint.h>

struct pace {
	uint64_t last_ns, before_ns;
};

static inline void pace_move(struct pace *pace, uint64_t time_ns) {
	pace->before_ns = pace->last_ns;
	pace->last_ns = time_ns;
}

static inline uint64_t pace_ns(const struct pace *pace) {
	return pace->last_ns < pace->before_ns ? pace->last_ns : pace->before_ns;
}
