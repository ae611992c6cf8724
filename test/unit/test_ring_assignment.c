// SPDX-License-Identifier: BSD-3-Clause
// Which slot serves which ring: even, complete, and no move too many.

#include "assignment_flaw.h"
#include "check_main.h"
#include "ring_assignment.h"

#include <check.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NB_HISTORIES 100000
#define NB_EVENTS 8
#define MAX_RINGS 70
#define NB_SLOTS 64

static uint64_t random_state;

static uint64_t random_u64(void) {
	random_state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = random_state;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void setup(void) {
	random_state = 1;
}

static void check_update(int16_t *slot_of_ring, unsigned int n, uint64_t slots) {
	unsigned int nb_said, nb_moves, nb_again;
	int16_t before[MAX_RINGS];
	const char *flaw;

	memcpy(before, slot_of_ring, sizeof(before));
	nb_said = ring_assignment_update(slot_of_ring, n, slots);
	flaw = assignment_flaw(before, slot_of_ring, n, slots, &nb_moves);
	nb_again = ring_assignment_update(slot_of_ring, n, slots);

	// Check writes to a pipe at each of its assertions: one million updates cannot afford it.
	if (flaw != NULL || nb_said != nb_moves || nb_again != 0)
		ck_abort_msg(
			"%s; %u moves said, %u made, %u when called again", flaw ? flaw : "good",
			nb_said, nb_moves, nb_again
		);
}

static void check_release(int16_t *slot_of_ring, unsigned int n) {
	unsigned int nb_assigned = 0, nb_left = 0;

	for (unsigned int i = 0; i < n; i++)
		nb_assigned += slot_of_ring[i] != RING_ASSIGNMENT_NONE;
	ck_assert_uint_eq(ring_assignment_update(slot_of_ring, n, 0), nb_assigned);
	for (unsigned int i = 0; i < n; i++)
		nb_left += slot_of_ring[i] != RING_ASSIGNMENT_NONE;
	ck_assert_uint_eq(nb_left, 0);
}

// One slot joins or leaves, or a supervisor comes or dies with all its workers.
static uint64_t next_slots(uint64_t slots) {
	uint64_t one = UINT64_C(1) << random_u64() % NB_SLOTS;
	uint64_t some = random_u64() & random_u64() & random_u64();

	switch (random_u64() % 8) {
	case 0:
		return slots | some;
	case 1:
		return slots & ~some;
	case 2:
		return 0;
	case 3:
	case 4:
		return slots & ~one;
	default:
		return slots | one;
	}
}

START_TEST(random_histories) {
	for (unsigned int history = 0; history < NB_HISTORIES; history++) {
		unsigned int n = (unsigned int)(random_u64() % (MAX_RINGS + 1));
		int16_t slot_of_ring[MAX_RINGS];
		uint64_t slots = 0;

		for (unsigned int i = 0; i < MAX_RINGS; i++)
			slot_of_ring[i] = RING_ASSIGNMENT_NONE;
		for (unsigned int event = 0; event < NB_EVENTS; event++) {
			slots = next_slots(slots);
			if (slots == 0)
				check_release(slot_of_ring, n);
			else
				check_update(slot_of_ring, n, slots);
		}
	}
}
END_TEST

// Whatever the array holds: slots that do not exist are slots that are gone.
START_TEST(random_start) {
	for (unsigned int round = 0; round < NB_HISTORIES; round++) {
		unsigned int n = (unsigned int)(random_u64() % (MAX_RINGS + 1));
		uint64_t slots = random_u64() | UINT64_C(1) << random_u64() % NB_SLOTS;
		bool hostile = round % 2 == 0;
		int16_t slot_of_ring[MAX_RINGS];

		for (unsigned int i = 0; i < MAX_RINGS; i++) {
			uint64_t value = random_u64();
			slot_of_ring[i] = (int16_t)(hostile ? value : value % 6);
		}
		check_update(slot_of_ring, n, slots);
	}
}
END_TEST

START_TEST(by_hand) {
	int16_t rings[4] = {-1, -1, -1, -1};

	ck_assert_uint_eq(ring_assignment_update(rings, 4, 0x4), 4); // slot 2 alone
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_int_eq(rings[i], 2);
	ck_assert_uint_eq(ring_assignment_update(rings, 4, 0x6), 2); // slot 1 joins
	ck_assert_uint_eq(ring_assignment_update(rings, 4, 0x2), 2); // slot 2 leaves
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_int_eq(rings[i], 1);
	// More slots than rings: one each, the rest stand by; the last slot is as good as any.
	ck_assert_uint_eq(ring_assignment_update(rings, 4, UINT64_MAX & ~UINT64_C(2)), 4);
	ck_assert_uint_eq(ring_assignment_update(rings, 4, UINT64_C(1) << 63), 4);
	ck_assert_int_eq(rings[0], 63);
	ck_assert_uint_eq(ring_assignment_update(rings, 0, 0x1), 0);
	ck_assert_int_eq(rings[0], 63);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("ring_assignment");
	TCase *tcase = tcase_create("ring_assignment");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, by_hand);
	tcase_add_test(tcase, random_histories);
	tcase_add_test(tcase, random_start);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
