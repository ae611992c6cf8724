// SPDX-License-Identifier: BSD-3-Clause
// UTC from the TSC: a proportional-integral loop that steers the rate and never the reading.

#include "clock.h"

#define NS_PER_S INT64_C(1000000000)
#define MAX_SLEW_PPB (INT64_C(1000) * RTAP_CLOCK_MAX_SLEW_PPM)

// A difference is worked off over this time: a quarter of the clock's age between the two.
#define TIME_CONSTANT_MIN_NS (NS_PER_S / 10)
#define TIME_CONSTANT_MAX_NS (NS_PER_S * 2)

static int64_t clamp(int64_t value, int64_t min, int64_t max) {
	return value < min ? min : value > max ? max : value;
}

static uint64_t rate_q32(const struct rtap_clock *clock, int64_t rate_ppb) {
	rtap_uint128_t scaled = (rtap_uint128_t)clock->nominal_q32
		* (uint64_t)(NS_PER_S + rate_ppb);

	return (uint64_t)(scaled / (uint64_t)NS_PER_S);
}

static void publish(struct rtap_clock *clock, uint64_t tsc, uint64_t utc_ns, int64_t rate_ppb) {
	uint32_t sequence = atomic_load_explicit(&clock->sequence, memory_order_relaxed);

	atomic_store_explicit(&clock->sequence, sequence + 1, memory_order_relaxed);
	// No store below may be seen before the odd number.
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&clock->base_tsc, tsc, memory_order_relaxed);
	atomic_store_explicit(&clock->base_utc_ns, utc_ns, memory_order_relaxed);
	atomic_store_explicit(
		&clock->ns_per_tick_q32, rate_q32(clock, rate_ppb), memory_order_relaxed
	);
	atomic_store_explicit(&clock->sequence, sequence + 2, memory_order_release);
}

// The rate until the next sample: what was learned plus what removes the difference in one time
// constant. With this integral gain the loop is critically damped: it does not swing.
static int64_t steer(struct rtap_clock *clock, int64_t offset_ns, int64_t elapsed_ns) {
	int64_t constant_ns, correction_ppb, rate_ppb, sum_ppb;

	clock->age_ns += elapsed_ns;
	constant_ns = clamp(clock->age_ns / 4, TIME_CONSTANT_MIN_NS, TIME_CONSTANT_MAX_NS);
	// The rate holds until the next sample: not more than the whole difference by then.
	if (constant_ns < elapsed_ns)
		constant_ns = elapsed_ns;
	correction_ppb = offset_ns * NS_PER_S / constant_ns;
	correction_ppb = clamp(correction_ppb, -MAX_SLEW_PPB, MAX_SLEW_PPB);
	rate_ppb = clock->rate_ppb + correction_ppb * elapsed_ns / (4 * constant_ns);

	sum_ppb = clamp(rate_ppb + correction_ppb, -MAX_SLEW_PPB, MAX_SLEW_PPB);
	// At the limit the difference says nothing about the frequency: do not wind up.
	if (sum_ppb == rate_ppb + correction_ppb)
		clock->rate_ppb = rate_ppb;
	return sum_ppb;
}

void rtap_clock_init(struct rtap_clock *clock, uint64_t tsc_hz, uint64_t tsc, uint64_t utc_ns) {
	*clock = (struct rtap_clock){
		.nominal_q32 = (uint64_t)(((rtap_uint128_t)NS_PER_S << 32) / tsc_hz),
	};
	publish(clock, tsc, utc_ns, 0);
}

int64_t
rtap_clock_discipline(struct rtap_clock *clock, uint64_t tsc, uint64_t utc_ns, bool *stepped) {
	uint64_t base_ns = atomic_load_explicit(&clock->base_utc_ns, memory_order_relaxed);
	uint64_t now_ns = rtap_clock_ns(clock, tsc);
	int64_t elapsed_ns = (int64_t)(now_ns - base_ns);
	int64_t offset_ns = (int64_t)(utc_ns - now_ns);

	*stepped = offset_ns > RTAP_CLOCK_STEP_NS || offset_ns < -RTAP_CLOCK_STEP_NS;
	if (*stepped)
		publish(clock, tsc, utc_ns, clock->rate_ppb);
	else
		publish(clock, tsc, now_ns, steer(clock, offset_ns, elapsed_ns));
	return offset_ns;
}
