// SPDX-License-Identifier: BSD-3-Clause
// Read the host's clocks in ns, and the units of time in ns.

#pragma once

#include <stdint.h>
#include <time.h>

#define RTAP_US_NS UINT64_C(1000)
#define RTAP_MS_NS (1000 * RTAP_US_NS)
#define RTAP_SECOND_NS (1000 * RTAP_MS_NS)

static inline uint64_t rtap_clock_read_ns(clockid_t id) {
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * RTAP_SECOND_NS + (uint64_t)ts.tv_nsec;
}

// For intervals and deadlines.
static inline uint64_t rtap_monotonic_ns(void) {
	return rtap_clock_read_ns(CLOCK_MONOTONIC);
}

// Since the epoch; may be stepped.
static inline uint64_t rtap_utc_ns(void) {
	return rtap_clock_read_ns(CLOCK_REALTIME);
}
