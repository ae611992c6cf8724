// SPDX-License-Identifier: BSD-3-Clause
// UTC from the TSC: against a simulated TSC and UTC, and under concurrent readers.

#include "check_main.h"
#include "clock.h"

#include <check.h>

#include <pthread.h>
#include <stdlib.h>

#define NS_PER_S 1000000000.0
#define TSC_HZ UINT64_C(2600000000)
#define START_UTC_NS UINT64_C(1700000000000000000)
#define START_TSC UINT64_C(123456789012345)

static struct rtap_clock clock_;
static uint64_t random_state;

// A machine whose TSC runs `error_ppm` away from what the clock is told.
struct machine {
	double error_ppm;
	double jitter_ns; // samples of UTC are off by up to this
	double step_ns; // what settimeofday has done
	double seconds; // since the start
};

static double random_unit(void) {
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(random_state >> 11) / (double)(UINT64_C(1) << 53);
}

static uint64_t machine_tsc(const struct machine *machine) {
	double hz = (double)TSC_HZ * (1 + machine->error_ppm / 1e6);

	return START_TSC + (uint64_t)(machine->seconds * hz);
}

static uint64_t machine_utc(const struct machine *machine) {
	return START_UTC_NS + (uint64_t)(int64_t)(machine->seconds * NS_PER_S + machine->step_ns);
}

static int64_t error_ns(const struct machine *machine) {
	return (int64_t)(rtap_clock_ns(&clock_, machine_tsc(machine)) - machine_utc(machine));
}

// Let time pass with a sample every `interval_s`; the largest error at the end of the last half.
static int64_t run(struct machine *machine, double seconds, double interval_s) {
	double end = machine->seconds + seconds, half = machine->seconds + seconds / 2;
	int64_t worst_ns = 0;

	while (machine->seconds < end) {
		uint64_t jitter_ns, now_ns, last_ns = rtap_clock_ns(&clock_, machine_tsc(machine));
		bool stepped, went_back = false;

		for (unsigned int i = 0; i < 16; i++) {
			machine->seconds += interval_s / 16;
			now_ns = rtap_clock_ns(&clock_, machine_tsc(machine));
			went_back |= now_ns < last_ns;
			last_ns = now_ns;
			if (machine->seconds > half && llabs(error_ns(machine)) > worst_ns)
				worst_ns = llabs(error_ns(machine));
		}
		jitter_ns = (uint64_t)(int64_t)(machine->jitter_ns * (2 * random_unit() - 1));
		rtap_clock_discipline(
			&clock_, machine_tsc(machine), machine_utc(machine) + jitter_ns, &stepped
		);
		went_back |= rtap_clock_ns(&clock_, machine_tsc(machine)) != last_ns;
		ck_assert(!stepped && !went_back);
	}
	return worst_ns;
}

static void setup(void) {
	rtap_clock_init(&clock_, TSC_HZ, START_TSC, START_UTC_NS);
	random_state = 1;
}

static const double intervals_s[] = {0.01, 0.1, 0.25, 1.0};
#define NB_INTERVALS (int)(sizeof(intervals_s) / sizeof(intervals_s[0]))

// What the frequency that EAL guesses may be off by, and no more than the slew can follow.
static const double errors_ppm[] = {0, 50, -50, 500, -1500, 2500, -2500};
#define NB_ERRORS (sizeof(errors_ppm) / sizeof(errors_ppm[0]))

START_TEST(starts_at_the_sample) {
	ck_assert_uint_eq(rtap_clock_ns(&clock_, START_TSC), START_UTC_NS);
	ck_assert_uint_eq(
		(rtap_clock_ns(&clock_, START_TSC + TSC_HZ) - START_UTC_NS + 500) / 1000, 1000000
	);
	// Another core's TSC may be a little behind.
	ck_assert_uint_eq(rtap_clock_ns(&clock_, START_TSC - 26), START_UTC_NS - 9);
}
END_TEST

// A TSC that has run for years, at the lowest and the highest frequency that one meets.
START_TEST(does_not_overflow) {
	static const uint64_t hz[] = {UINT64_C(1000000), UINT64_C(25000000), UINT64_C(10000000000)};

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t hour_ns = UINT64_C(3600) * 1000 * 1000 * 1000, ns;

		rtap_clock_init(&clock_, hz[i], UINT64_MAX - 3600 * hz[i], START_UTC_NS);
		ns = rtap_clock_ns(&clock_, UINT64_MAX) - START_UTC_NS;
		ck_assert_uint_le(ns, hour_ns);
		ck_assert_uint_ge(ns, hour_ns - hour_ns / 100000000);
	}
}
END_TEST

START_TEST(learns_the_frequency) {
	for (unsigned int i = 0; i < NB_ERRORS; i++) {
		struct machine machine = {.error_ppm = errors_ppm[i]};
		double interval_s = intervals_s[_i];

		setup();
		run(&machine, 45, interval_s);
		ck_assert_int_lt(run(&machine, 10, interval_s), 10000);
		run(&machine, 60, interval_s);
		ck_assert_int_lt(run(&machine, 10, interval_s), 2000);
	}
}
END_TEST

START_TEST(filters_jitter) {
	struct machine machine = {.error_ppm = 50, .jitter_ns = 5000};
	double interval_s = intervals_s[_i];

	run(&machine, 30, interval_s);
	ck_assert_int_lt(run(&machine, 300, interval_s), 10000);
	// Samples that are ten times as frequent say more.
	if (interval_s <= 0.1)
		ck_assert_int_lt(run(&machine, 300, interval_s), 3000);
}
END_TEST

// 100 ms are worked off at 5,000 ppm at the most, hence in 20 s, and never by going back.
START_TEST(slews_within_its_bound) {
	struct machine machine = {.step_ns = _i == 0 ? 100e6 : -100e6};
	double step_ns = machine.step_ns;
	bool stepped;

	for (unsigned int i = 0; i < 150; i++) {
		uint64_t before_ns = rtap_clock_ns(&clock_, machine_tsc(&machine)), after_ns;
		double rate;

		rtap_clock_discipline(
			&clock_, machine_tsc(&machine), machine_utc(&machine), &stepped
		);
		ck_assert(!stepped);
		machine.seconds += 0.1;
		after_ns = rtap_clock_ns(&clock_, machine_tsc(&machine));
		rate = (double)(after_ns - before_ns) / (0.1 * NS_PER_S) - 1;
		ck_assert_double_lt(rate < 0 ? -rate : rate, RTAP_CLOCK_MAX_SLEW_PPM * 1.00001e-6);
		// As fast as it may.
		ck_assert_double_gt(rate * step_ns / 100e6, RTAP_CLOCK_MAX_SLEW_PPM * 0.999e-6);
	}
	run(&machine, 60, 0.1);
	ck_assert_int_lt(run(&machine, 10, 0.1), 2000);
}
END_TEST

START_TEST(steps) {
	struct machine machine = {.error_ppm = 50};
	double step_ns = _i == 0 ? NS_PER_S : -NS_PER_S;
	int64_t offset_ns;
	bool stepped;

	run(&machine, 60, 0.1);
	machine.step_ns = step_ns;
	offset_ns = rtap_clock_discipline(
		&clock_, machine_tsc(&machine), machine_utc(&machine), &stepped
	);
	ck_assert(stepped);
	ck_assert_double_lt(llabs(offset_ns - (int64_t)step_ns), 10000);
	ck_assert_int_eq(error_ns(&machine), 0);
	// What it had learned is still true.
	ck_assert_int_lt(run(&machine, 1, 1), 2000);
	ck_assert_int_lt(run(&machine, 60, 0.1), 2000);
}
END_TEST

START_TEST(step_threshold) {
	bool stepped;

	for (int sign = -1; sign <= 1; sign += 2) {
		uint64_t edge_ns = START_UTC_NS + (uint64_t)(sign * RTAP_CLOCK_STEP_NS);

		setup();
		rtap_clock_discipline(&clock_, START_TSC, edge_ns, &stepped);
		ck_assert(!stepped);
		setup();
		rtap_clock_discipline(&clock_, START_TSC, edge_ns + (uint64_t)sign, &stepped);
		ck_assert(stepped);
	}
}
END_TEST

// The control thread may stall, sample twice at once, or sample on a core that is behind.
START_TEST(uneven_samples) {
	struct machine machine = {.error_ppm = -1500, .jitter_ns = 500};
	bool stepped;

	run(&machine, 60, 0.1);
	ck_assert_int_lt(run(&machine, 200, 5), 10000);
	for (unsigned int i = 0; i < 100; i++) {
		rtap_clock_discipline(
			&clock_, machine_tsc(&machine) - i, machine_utc(&machine), &stepped
		);
		ck_assert(!stepped);
	}
	run(&machine, 60, 0.1);
	ck_assert_int_lt(run(&machine, 20, 0.1), 2000);
	machine.seconds += 30 * 86400.0; // suspended
	rtap_clock_discipline(&clock_, machine_tsc(&machine), machine_utc(&machine), &stepped);
	run(&machine, 60, 0.1);
	ck_assert_int_lt(run(&machine, 20, 0.1), 2000);
}
END_TEST

#define NB_READERS 3
#define NB_SWITCHES 5000000
#define FAR_TSC (UINT64_C(1) << 40)

static _Atomic bool readers_stop;
static _Atomic uint64_t nb_torn, nb_first, nb_second;
static uint64_t first_ns, second_ns; // all that can be read at FAR_TSC

static void *read_clock(void *arg) {
	uint64_t torn = 0, first = 0, second = 0;

	while (!atomic_load(&readers_stop)) {
		uint64_t ns = rtap_clock_ns(&clock_, FAR_TSC);

		first += ns == first_ns;
		second += ns == second_ns;
		torn += ns != first_ns && ns != second_ns;
	}
	atomic_fetch_add(&nb_torn, torn);
	atomic_fetch_add(&nb_first, first);
	atomic_fetch_add(&nb_second, second);
	return NULL;
}

// The writer steps between two lines that are far apart in every word.
START_TEST(concurrent_readers) {
	uint64_t far_utc_ns = START_UTC_NS * 2;
	pthread_t readers[NB_READERS];
	unsigned int nb_steps = 0;
	bool stepped;

	rtap_clock_init(&clock_, TSC_HZ, 0, START_UTC_NS);
	first_ns = rtap_clock_ns(&clock_, FAR_TSC);
	second_ns = far_utc_ns;
	for (unsigned int i = 0; i < NB_READERS; i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, read_clock, NULL), 0);
	for (unsigned int i = 0; i < NB_SWITCHES; i++) {
		rtap_clock_discipline(&clock_, FAR_TSC, far_utc_ns, &stepped);
		nb_steps += stepped;
		rtap_clock_discipline(&clock_, 0, START_UTC_NS, &stepped);
		nb_steps += stepped;
	}
	atomic_store(&readers_stop, true);
	for (unsigned int i = 0; i < NB_READERS; i++)
		pthread_join(readers[i], NULL);
	ck_assert_uint_eq(nb_steps, 2 * NB_SWITCHES);
	ck_assert_uint_eq(nb_torn, 0);
	ck_assert_uint_gt(nb_first, 0);
	ck_assert_uint_gt(nb_second, 0);
}
END_TEST

START_TEST(stamp_follows_the_clock) {
	uint64_t last_ns = 0;

	ck_assert_uint_eq(rtap_stamp(&last_ns, START_UTC_NS), START_UTC_NS);
	ck_assert_uint_eq(last_ns, START_UTC_NS);
	ck_assert_uint_eq(rtap_stamp(&last_ns, START_UTC_NS + 1000), START_UTC_NS + 1000);
	ck_assert_uint_eq(rtap_stamp(&last_ns, START_UTC_NS + 5000), START_UTC_NS + 5000);
}
END_TEST

// A burst: distinct microseconds up to 1 ms ahead of the clock, then equal.
START_TEST(stamps_of_a_burst) {
	uint64_t last_ns = 0, previous_ns = rtap_stamp(&last_ns, START_UTC_NS);

	for (unsigned int i = 1; i <= 1000; i++) {
		uint64_t ns = rtap_stamp(&last_ns, START_UTC_NS);

		ck_assert_uint_eq(ns, previous_ns + 1000);
		previous_ns = ns;
	}
	ck_assert_uint_eq(previous_ns, START_UTC_NS + RTAP_STAMP_AHEAD_NS);
	for (unsigned int i = 0; i < 1000; i++)
		ck_assert_uint_eq(rtap_stamp(&last_ns, START_UTC_NS), previous_ns);
	ck_assert_uint_eq(rtap_stamp(&last_ns, START_UTC_NS + 999), previous_ns);
	ck_assert_uint_eq(rtap_stamp(&last_ns, START_UTC_NS + 1000), previous_ns + 1000);
}
END_TEST

START_TEST(stamps_of_a_clock_that_jumps) {
	uint64_t last_ns = 0, now_ns = START_UTC_NS, previous_ns = 0, nb_wrong = 0;

	for (unsigned int i = 0; i < 1000000; i++) {
		uint64_t ns, wanted_ns, first_free_ns = previous_ns + 1000;

		if (random_unit() < 0.001)
			now_ns += (uint64_t)(int64_t)(3e9 * (random_unit() - 0.5));
		else
			now_ns += (uint64_t)(random_unit() * 2000);
		ns = rtap_stamp(&last_ns, now_ns);

		if (now_ns >= first_free_ns)
			wanted_ns = now_ns;
		else if (first_free_ns <= now_ns + RTAP_STAMP_AHEAD_NS)
			wanted_ns = first_free_ns;
		else
			wanted_ns = previous_ns;
		nb_wrong += ns != wanted_ns || ns < previous_ns;
		previous_ns = ns;
	}
	ck_assert_uint_eq(nb_wrong, 0);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("clock");
	TCase *tcase = tcase_create("clock");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, starts_at_the_sample);
	tcase_add_test(tcase, does_not_overflow);
	tcase_add_loop_test(tcase, learns_the_frequency, 0, NB_INTERVALS);
	tcase_add_loop_test(tcase, filters_jitter, 0, NB_INTERVALS);
	tcase_add_loop_test(tcase, slews_within_its_bound, 0, 2);
	tcase_add_loop_test(tcase, steps, 0, 2);
	tcase_add_test(tcase, step_threshold);
	tcase_add_test(tcase, uneven_samples);
	tcase_add_test(tcase, concurrent_readers);
	tcase_add_test(tcase, stamp_follows_the_clock);
	tcase_add_test(tcase, stamps_of_a_burst);
	tcase_add_test(tcase, stamps_of_a_clock_that_jumps);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
