// SPDX-License-Identifier: BSD-3-Clause
// The host's clocks in ns.

#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t rtap_clock_read_ns(clockid_t id) {
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

// For intervals and deadlines.
static inline uint64_t rtap_monotonic_ns(void) {
	return rtap_clock_read_ns(CLOCK_MONOTONIC);
}

// Since the epoch; may be stepped.
static inline uint64_t rtap_utc_ns(void) {
	return rtap_clock_read_ns(CLOCK_REALTIME);
}
