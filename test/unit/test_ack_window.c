// SPDX-License-Identifier: BSD-3-Clause
// Tests of the ack window against a plain model that knows every packet by a 64-bit index.

#include "ack_window.h"
#include "check_main.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CAPACITY 64
#define MODEL_MAX                                                                                  \
	4096 // more than the capacity, so that stale states are never mistaken for new ones

static struct ack_window w;
static uint64_t random_state;

// The model: packet i (counted from `base`) has state[i % MODEL_MAX].
static struct {
	enum ack_state states[MODEL_MAX];
	uint64_t tail, head; // never wrap
	uint32_t base; // ring index of packet 0
} model;

static uint32_t pick(uint32_t below) {
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((random_state >> 33) % below);
}

static void set_up(void) {
	random_state = 1;
	ck_assert_int_eq(ack_window_init(&w, CAPACITY), 0);
}

static void tear_down(void) {
	ack_window_fini(&w);
	ack_window_fini(&w);
}

static void start_at(uint32_t index) {
	memset(&model, 0, sizeof(model));
	model.base = index;
	ack_window_reset(&w, index);
}

static uint32_t ring_index(uint64_t packet) {
	return model.base + (uint32_t)packet;
}

static enum ack_state *state_of(uint64_t packet) {
	return &model.states[packet % MODEL_MAX];
}

// Check makes a system call for each assertion: only what is wrong becomes one.
#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("%s", #condition);                                            \
	} while (0)

static void ck_same(void) {
	uint32_t nb[ACK_NB_STATES] = {0};
	uint64_t used = model.head - model.tail;

	for (uint64_t i = model.tail; i < model.head; i++) {
		REQUIRE(ack_window_get(&w, ring_index(i)) == *state_of(i));
		REQUIRE(ack_window_contains(&w, ring_index(i)));
		nb[*state_of(i)]++;
	}
	REQUIRE(memcmp(w.nb, nb, sizeof(nb)) == 0);
	REQUIRE(ack_window_used(&w) == used);
	REQUIRE(ack_window_room(&w) == CAPACITY - used);
	REQUIRE(w.tail == ring_index(model.tail));
	REQUIRE(w.head == ring_index(model.head));
	REQUIRE(!ack_window_contains(&w, ring_index(model.tail) - 1));
	REQUIRE(!ack_window_contains(&w, ring_index(model.head)));
}

static void push_both(uint32_t nb) {
	ack_window_push(&w, nb);
	while (nb-- > 0)
		*state_of(model.head++) = ACK_WAITING;
}

static void set_both(uint64_t packet, enum ack_state state) {
	ack_window_set(&w, ring_index(packet), state);
	*state_of(packet) = state;
}

static void advance_both(void) {
	uint64_t from = model.tail;

	while (model.tail < model.head
	       && (*state_of(model.tail) == ACK_DELIVERED || *state_of(model.tail) == ACK_FAILED))
		model.tail++;
	REQUIRE(ack_window_advance(&w) == model.tail - from);
}

static bool model_sends(uint64_t packet) {
	return *state_of(packet) == ACK_WAITING || *state_of(packet) == ACK_SUSPECT;
}

static void ck_next_run(uint64_t from, uint32_t max) {
	enum ack_state kind = ACK_NB_STATES;
	uint32_t index = ring_index(from), nb = 0;
	uint64_t first = from;

	while (first < model.head && !model_sends(first))
		first++;
	while (nb < max && first + nb < model.head && *state_of(first + nb) == *state_of(first))
		nb++;
	if (first == model.head)
		nb = 0;
	REQUIRE(ack_window_next_run(&w, &index, &kind, max) == nb);
	REQUIRE(index == ring_index(first));
	REQUIRE(nb == 0 || kind == *state_of(first));
}

static void random_step(void) {
	uint32_t used = (uint32_t)(model.head - model.tail);

	switch (pick(8)) {
	case 0:
		push_both(pick(CAPACITY - used + 1));
		break;
	case 1:
		advance_both();
		break;
	case 2:
		ck_next_run(model.tail + pick(used + 1), 1 + pick(CAPACITY));
		break;
	case 3: // a burst of reports
		for (uint64_t i = model.tail; i < model.head; i++)
			if (pick(2) == 0)
				set_both(i, ACK_DELIVERED);
		break;
	default:
		if (used > 0)
			set_both(model.tail + pick(used), (enum ack_state)pick(ACK_NB_STATES));
	}
}

static const uint32_t starts[] = {0, 1, UINT32_MAX, UINT32_MAX - CAPACITY, UINT32_MAX - 50000};

START_TEST(as_the_model) {
	start_at(starts[_i]);
	for (int i = 0; i < 200000; i++) {
		random_step();
		ck_same();
	}
	ck_assert_uint_gt(model.tail, 100000);
}
END_TEST

START_TEST(empty) {
	start_at(starts[_i]);
	ck_same();
	ck_assert_uint_eq(ack_window_advance(&w), 0);
	ck_next_run(0, 100);
	push_both(0);
	ck_same();
}
END_TEST

START_TEST(full_to_the_last) {
	start_at(starts[_i]);
	push_both(CAPACITY);
	ck_same();
	ck_assert_uint_eq(ack_window_room(&w), 0);
	for (uint64_t i = CAPACITY; i-- > 1;) {
		set_both(i, i % 2 == 0 ? ACK_FAILED : ACK_DELIVERED);
		ck_assert_uint_eq(ack_window_advance(&w), 0);
	}
	set_both(0, ACK_DELIVERED);
	advance_both();
	ck_same();
	ck_assert_uint_eq(ack_window_used(&w), 0);
}
END_TEST

// Only what is finished is passed over: each other state holds the tail.
START_TEST(unfinished_holds_the_tail) {
	const enum ack_state holding[] = {ACK_WAITING, ACK_SUSPECT, ACK_KEPT, ACK_IN_FLIGHT};

	start_at(UINT32_MAX);
	push_both(3);
	set_both(0, ACK_DELIVERED);
	set_both(2, ACK_DELIVERED);
	for (unsigned int i = 0; i < 4; i++) {
		set_both(1, holding[i]);
		advance_both();
		ck_assert_uint_eq(w.tail, 0);
	}
	set_both(1, ACK_FAILED);
	advance_both();
	ck_assert_uint_eq(w.tail, 2);
	ck_same();
}
END_TEST

START_TEST(runs_of_one_kind) {
	start_at(UINT32_MAX - 4);
	push_both(12);
	set_both(0, ACK_IN_FLIGHT);
	set_both(1, ACK_DELIVERED);
	set_both(5, ACK_SUSPECT);
	set_both(6, ACK_SUSPECT);
	set_both(8, ACK_FAILED);
	for (uint64_t from = 0; from <= 12; from++)
		for (uint32_t max = 1; max < 14; max++)
			ck_next_run(from, max);
}
END_TEST

// A new owner begins at the tail with nothing of its predecessor.
START_TEST(reset_forgets) {
	start_at(7);
	push_both(CAPACITY);
	for (uint64_t i = 0; i < CAPACITY; i++)
		set_both(i, ACK_DELIVERED);
	start_at(7 + CAPACITY / 2);
	ck_same();
	push_both(CAPACITY);
	ck_assert_uint_eq(ack_window_advance(&w), 0);
	ck_same();
}
END_TEST

static void ck_states(enum ack_state first, enum ack_state second, enum ack_state third) {
	const enum ack_state wanted[] = {first, second, third};

	for (uint32_t i = 0; i < 3; i++)
		ck_assert_int_eq(ack_window_get(&w, w.tail + i), wanted[i]);
}

// What becomes of a message becomes of all its packets, and of no other.
START_TEST(a_message_of_several_packets) {
	start_at(UINT32_MAX);
	push_both(3);
	ack_window_link(&w, w.tail, w.tail + 2);
	ck_assert_uint_eq(ack_window_set(&w, w.tail, ACK_KEPT), 2);
	ck_states(ACK_KEPT, ACK_WAITING, ACK_KEPT);
	ck_assert_uint_eq(ack_window_set(&w, w.tail + 1, ACK_KEPT), 1);
	ck_assert_uint_eq(ack_window_outstanding(&w), 3);
	ck_assert_uint_eq(ack_window_set(&w, w.tail, ACK_DELIVERED), 2);
	ck_states(ACK_DELIVERED, ACK_KEPT, ACK_DELIVERED);
	ck_assert_uint_eq(ack_window_advance(&w), 1);
	ack_window_set(&w, w.tail, ACK_FAILED);
	ck_assert_uint_eq(ack_window_advance(&w), 2);
	push_both(CAPACITY); // the next packets in those places are parts of nothing
	for (uint32_t i = 0; i < CAPACITY; i++)
		ck_assert_uint_eq(ack_window_set(&w, w.tail + i, ACK_KEPT), 1);
}
END_TEST

// What comes back may become messages of its own.
START_TEST(links_end_when_it_comes_back) {
	const enum ack_state back[] = {ACK_WAITING, ACK_SUSPECT};

	start_at(UINT32_MAX);
	push_both(3);
	ack_window_link(&w, w.tail, w.tail + 1);
	ack_window_link(&w, w.tail + 1, w.tail + 2);
	ack_window_set(&w, w.tail, ACK_IN_FLIGHT);
	ck_assert_uint_eq(ack_window_set(&w, w.tail, back[_i]), 3);
	ck_states(back[_i], back[_i], back[_i]);
	ck_assert_uint_eq(ack_window_set(&w, w.tail, ACK_KEPT), 1);
	ck_states(ACK_KEPT, back[_i], back[_i]);
}
END_TEST

static Suite *make_suite(void) {
	const int nb_starts = sizeof(starts) / sizeof(starts[0]);
	Suite *suite = suite_create("ack_window");
	TCase *tc = tcase_create("ack_window");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, as_the_model, 0, nb_starts);
	tcase_add_loop_test(tc, empty, 0, nb_starts);
	tcase_add_loop_test(tc, full_to_the_last, 0, nb_starts);
	tcase_add_test(tc, unfinished_holds_the_tail);
	tcase_add_test(tc, runs_of_one_kind);
	tcase_add_test(tc, reset_forgets);
	tcase_add_test(tc, a_message_of_several_packets);
	tcase_add_loop_test(tc, links_end_when_it_comes_back, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
