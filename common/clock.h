// SPDX-License-Identifier: BSD-3-Clause
// UTC from the TSC: read by receive workers without a system call, kept right by the control
// thread.
//
// One writer (rtap_clock_discipline), any number of readers (seqlock). Small differences to UTC are
// slewed, at most RTAP_CLOCK_MAX_SLEW_PPM; a difference above RTAP_CLOCK_STEP_NS is a step: the
// clock follows at once, and rtap_stamp() keeps the packets of a ring from going backwards.
//
// The frequency that DPDK reports may be 10 MHz steps away from the real one (1,500 ppm and more),
// so the clock learns quickly in its first seconds and then more and more slowly, which filters the
// jitter of the samples.

#pragma once

#include "attributes.h"
#include "now.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RTAP_CLOCK_STEP_NS INT64_C(128000000) // ntpd's step threshold, 128 ms (RFC 5905)
#define RTAP_CLOCK_MAX_SLEW_PPM 5000

struct rtap_clock {
	RTAP_CACHE_ALIGNED _Atomic uint32_t sequence; // odd while the triple changes
	_Atomic uint64_t base_tsc;
	_Atomic uint64_t base_utc_ns;
	_Atomic uint64_t ns_per_tick_q32; // nanoseconds per TSC tick, 32.32 fixed point

	RTAP_CACHE_ALIGNED uint64_t nominal_q32; // the rest is the writer's alone
	int64_t rate_ppb; // learned deviation from nominal
	int64_t age_ns; // learning time so far
};

// Start at (tsc, utc_ns) with the nominal frequency, which must not be 0.
void rtap_clock_init(struct rtap_clock *clock, uint64_t tsc_hz, uint64_t tsc, uint64_t utc_ns);

// Compare with a sample of UTC and correct the clock; call it every 10 ms to 1 s, always from the
// same thread. Returns the difference (UTC - clock) in ns before the correction; *stepped tells
// whether it was a step. Of a few (tsc, utc_ns) pairs pass the one that took the least time to
// read, and pass it at once: what readers see in the meantime is off by the change of rate over
// that time.
int64_t
rtap_clock_discipline(struct rtap_clock *clock, uint64_t tsc, uint64_t utc_ns, bool *stepped);

__extension__ typedef unsigned __int128 rtap_uint128_t;

// UTC in ns at `tsc`. Any thread.
static inline uint64_t rtap_clock_ns(const struct rtap_clock *clock, uint64_t tsc) {
	uint64_t base_tsc, base_ns, q32;
	uint32_t before, after;

	do {
		before = atomic_load_explicit(&clock->sequence, memory_order_acquire);
		base_tsc = atomic_load_explicit(&clock->base_tsc, memory_order_relaxed);
		base_ns = atomic_load_explicit(&clock->base_utc_ns, memory_order_relaxed);
		q32 = atomic_load_explicit(&clock->ns_per_tick_q32, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&clock->sequence, memory_order_relaxed);
	} while ((before & 1) != 0 || before != after);

	// A core whose TSC is a few ticks behind the writer's must not wrap around.
	if (tsc < base_tsc)
		return base_ns - (uint64_t)(((rtap_uint128_t)(base_tsc - tsc) * q32) >> 32);
	return base_ns + (uint64_t)(((rtap_uint128_t)(tsc - base_tsc) * q32) >> 32);
}

// How far stamps may run ahead of the clock to stay distinct.
#define RTAP_STAMP_AHEAD_NS RTAP_MS_NS

// The time of the next packet of a ring: never before the last one, at least 1 us after it as long
// as that keeps within 1 ms of the clock, else equal to it. `last_ns` is the ring's own, 0 at
// start.
static inline uint64_t rtap_stamp(uint64_t *last_ns, uint64_t now_ns) {
	uint64_t next_ns = *last_ns + 1000;

	if (now_ns < next_ns)
		now_ns = next_ns <= now_ns + RTAP_STAMP_AHEAD_NS ? next_ns : *last_ns;
	*last_ns = now_ns;
	return now_ns;
}
