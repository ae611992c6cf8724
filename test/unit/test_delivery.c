// SPDX-License-Identifier: BSD-3-Clause
// Test the state machine of one ring's delivery, state by state, with a real ring and a fake sink:
// it keeps what it is offered and reports what the test says. Packets lie in plain memory; no EAL,
// no Kafka.

#include "check_main.h"
#include "delivery.h"

#include <rte_mbuf_dyn.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_SIZE 256
#define NB_PACKETS 200
#define WINDOW 64
#define BURST 32
#define RING 5 // its number
#define FRAME_BYTES 60
#define FIRST_INDEX (UINT32_MAX - 40) // indexes wrap on the way
#define STAMP_OFFSET RTE_ALIGN_CEIL(offsetof(struct rte_mbuf, dynfield1), 8)
#define MS UINT64_C(1000000)

static struct rtap_config cfg;
static struct rtap_shm_header shm_header;
static struct rtap_ring_counters ring_counters;
static struct rtap_slot_counters counters;
static struct delivery_context ctx;
static struct delivery d;
static struct rte_ring *ring;
static struct rte_mbuf mbufs[NB_PACKETS];
static uint8_t frames[NB_PACKETS][FRAME_BYTES];
static uint32_t nb_put;

// ---- the fake sink: a queue of what it was offered and has not reported ----

static struct {
	struct sink sink;
	struct message kept[2 * WINDOW];
	unsigned int nb;
	unsigned int nb_offered; // ever
	int32_t nb_partitions;
	bool sends; // says SINK_SENT of all that it is offered
} fake;

static uint64_t get(const rtap_counter_t *counter) {
	return rtap_counter_get(counter);
}

static void report_message(const struct message *msg, enum sink_report report) {
	delivery_report(&d, &ctx, msg->tag, report, msg->len, "a reason");
}

static void fake_offer(struct sink *sink, const struct message *messages, unsigned int nb) {
	for (unsigned int i = 0; i < nb; i++) {
		const struct message *msg = &messages[i];

		ck_assert_uint_lt(fake.nb, 2 * WINDOW);
		ck_assert_uint_eq(message_tag_ring(msg->tag), RING);
		// All alone or none, and never the two at once.
		if (fake.nb > 0)
			ck_assert(message_is_alone(msg) == message_is_alone(&fake.kept[0]));
		fake.kept[fake.nb++] = *msg;
		fake.nb_offered++;
		if (fake.sends)
			report_message(msg, SINK_SENT);
	}
}

static unsigned int fake_serve(struct sink *sink, int timeout_ms) {
	return 0;
}

static int32_t fake_nb_partitions(const struct sink *sink) {
	return fake.nb_partitions;
}

static bool fake_is_dead(const struct sink *sink) {
	return false;
}

static const struct sink_ops fake_ops = {
	.offer = fake_offer,
	.serve = fake_serve,
	.nb_partitions = fake_nb_partitions,
	.is_dead = fake_is_dead,
};

// Report the `i`-th message that the sink has; a last report takes it away.
static void report_of(unsigned int i, enum sink_report report) {
	struct message msg = fake.kept[i];

	ck_assert_uint_lt(i, fake.nb);
	if (report != SINK_SENT)
		memmove(&fake.kept[i], &fake.kept[i + 1], (--fake.nb - i) * sizeof(msg));
	report_message(&msg, report);
}

static void report_all(enum sink_report report) {
	while (fake.nb > 0)
		report_of(0, report);
}

// ---- fixture ----

static void put(uint32_t nb) {
	for (; nb > 0; nb--, nb_put++) {
		struct rte_mbuf *m = &mbufs[nb_put];

		ck_assert_uint_lt(nb_put, NB_PACKETS);
		memset(frames[nb_put], (int)nb_put, FRAME_BYTES);
		*m = (struct rte_mbuf){.buf_addr = frames[nb_put]};
		m->nb_segs = 1;
		m->data_len = FRAME_BYTES;
		m->pkt_len = FRAME_BYTES;
		*RTE_MBUF_DYNFIELD(m, STAMP_OFFSET, struct rtap_packet_stamp *) = (struct
										   rtap_packet_stamp
		){
			.time_ns = nb_put * MS,
			.sequence = nb_put + 1,
			.wire_bytes = FRAME_BYTES + 4,
		};
		ck_assert_int_eq(rte_ring_sp_enqueue(ring, m), 0);
	}
}

static void begin(void) {
	memset(&d, 0, sizeof(d));
	d.source.ring = ring;
	d.source.counters = &ring_counters;
	d.source.stamp_offset = STAMP_OFFSET;
	d.maker.ring = RING;
	d.maker.nb_rings = RING + 1;
	ck_assert_int_eq(delivery_begin(&d, &ctx), 0);
}

static void set_up(void) {
	ssize_t bytes = rte_ring_get_memsize(RING_SIZE);

	ring = aligned_alloc(RTE_CACHE_LINE_SIZE, (size_t)bytes);
	ck_assert_ptr_nonnull(ring);
	ck_assert_int_eq(rte_ring_init(ring, "r", RING_SIZE, RING_F_SP_ENQ | RING_F_SC_DEQ), 0);
	ring->prod.head = ring->prod.tail = ring->cons.head = ring->cons.tail = FIRST_INDEX;
	rtap_counter_set(&ring_counters.taken, FIRST_INDEX);
	cfg.ack_window = WINDOW;
	cfg.worker_burst = BURST;
	fake.sink.ops = &fake_ops;
	fake.nb_partitions = 1;
	fake.sends = true;
	ctx.cfg = &cfg;
	ctx.shm_header = &shm_header;
	ctx.counters = &counters;
	ctx.sink = &fake.sink;
	ctx.now_ns = 1000 * MS;
	begin();
}

static void tear_down(void) {
	delivery_end(&d);
	free(ring);
}

// ---- a round and what must hold after it ----

static uint64_t taken(void) {
	return get(&ring_counters.taken) - FIRST_INDEX;
}

// Each packet is in one place, and each counter says how many went through it.
static void ck_balance(void) {
	uint64_t failed = get(&counters.failed_too_large) + get(&counters.failed_invalid);
	struct delivery_totals t = {0};
	uint64_t out;

	delivery_add_totals(&d, &t);
	ck_assert_uint_eq(t.outbox + t.in_flight, fake.nb);
	ck_assert_uint_eq(ack_window_used(&d.window), ring_source_in_window(&d.source));
	ck_assert_uint_eq(ring->cons.tail, ring_source_tail(&d.source));
	out = get(&counters.accepted) - get(&counters.returned);
	ck_assert_uint_eq(
		taken() - get(&ring_counters.sent_again),
		t.tx_queued + t.tx_refused + t.outbox + out
	);
	ck_assert_uint_eq(out, t.in_flight + get(&counters.delivered) + failed);
	ck_assert_uint_eq(get(&counters.delivered_bytes), FRAME_BYTES * get(&counters.delivered));
}

static int serve(void) {
	int rc = delivery_serve(&d, &ctx);

	ck_assert_int_ge(rc, 0);
	ck_balance();
	return rc;
}

static void pass_ms(uint64_t ms) {
	ctx.now_ns += ms * MS;
}

// All that is there is delivered in order, each once more at most.
static void deliver_the_rest(void) {
	for (int i = 0; i < 1000 && (!delivery_is_empty(&d) || rte_ring_count(ring) > 0); i++) {
		serve();
		for (unsigned int k = 1; k < fake.nb; k++)
			ck_assert_uint_lt(fake.kept[k - 1].sequence, fake.kept[k].sequence);
		report_all(SINK_DELIVERED);
		pass_ms(20000);
	}
	ck_assert_int_eq(d.state, DELIVERY_READING);
	ck_assert(delivery_is_empty(&d));
	ck_assert_uint_eq(rte_ring_count(ring), 0);
	ck_balance();
}

// ---- tests ----

START_TEST(what_a_message_says) {
	const struct message *msg = &fake.kept[0];

	put(3);
	ck_assert_int_eq(serve(), 3);
	for (uint32_t i = 0; i < 3; i++, msg++) {
		ck_assert_ptr_eq(msg->frame, &mbufs[i]);
		ck_assert_ptr_eq(msg->data, frames[i]);
		ck_assert_uint_eq(msg->len, FRAME_BYTES);
		ck_assert_uint_eq(msg->nb_segs, 1);
		ck_assert_uint_eq(msg->wire_bytes, FRAME_BYTES + 4);
		ck_assert_uint_eq(msg->time_ns, i * MS);
		ck_assert_uint_eq(msg->sequence, i + 1);
		ck_assert_int_eq(msg->partition, 0);
		ck_assert_uint_eq(message_tag_index(msg->tag), (uint32_t)(FIRST_INDEX + i));
		ck_assert(!message_is_alone(msg));
	}
}
END_TEST

START_TEST(window_bounds_what_is_out) {
	put(NB_PACKETS);
	for (int i = 0; i < 5; i++)
		serve();
	ck_assert_uint_eq(fake.nb, WINDOW);
	ck_assert_uint_eq(ring->cons.tail, FIRST_INDEX);
	report_of(1, SINK_DELIVERED); // not the oldest: nothing is released
	serve();
	ck_assert_uint_eq(ring->cons.tail, FIRST_INDEX);
	report_of(0, SINK_DELIVERED);
	serve();
	ck_assert_uint_eq(ring->cons.tail, (uint32_t)(FIRST_INDEX + 2));
	deliver_the_rest();
	ck_assert_uint_eq(get(&counters.delivered), NB_PACKETS);
	ck_assert_uint_eq(get(&counters.accepted), NB_PACKETS);
}
END_TEST

// Kept by the sink, not yet with the client: neither accepted nor in flight.
START_TEST(kept_until_sent) {
	struct delivery_totals t = {0};

	fake.sends = false;
	put(10);
	serve();
	ck_assert_uint_eq(get(&counters.accepted), 0);
	report_of(0, SINK_SENT);
	report_of(1, SINK_SENT);
	ck_balance();
	delivery_add_totals(&d, &t);
	ck_assert_uint_eq(t.outbox, 8);
	ck_assert_uint_eq(t.in_flight, 2);
	ck_assert_uint_eq(get(&counters.accepted), 2);
	deliver_the_rest();
	ck_assert_uint_eq(get(&counters.accepted), 10);
}
END_TEST

// What the table in delivery.h says of a packet: by report, whether the client had it, whether it
// was alone.
static const struct {
	enum sink_report report;
	bool sent;
	enum ack_state next, next_alone;
	enum delivery_state ring; // when it was alone: resending in place of reading
	unsigned int refused, returned, too_large, invalid;
} table[] = {
	{SINK_NO_ROOM, false, ACK_WAITING, ACK_SUSPECT, DELIVERY_NO_ROOM, 1, 0, 0, 0},
	{SINK_REFUSED, false, ACK_WAITING, ACK_SUSPECT, DELIVERY_PAUSED, 1, 0, 0, 0},
	{SINK_RETURNED, false, ACK_WAITING, ACK_SUSPECT, DELIVERY_PAUSED, 0, 0, 0, 0},
	{SINK_RETURNED, true, ACK_WAITING, ACK_SUSPECT, DELIVERY_PAUSED, 0, 1, 0, 0},
	{SINK_SUSPECT, false, ACK_SUSPECT, ACK_SUSPECT, DELIVERY_PAUSED, 0, 1, 0, 0},
	{SINK_SUSPECT, true, ACK_SUSPECT, ACK_SUSPECT, DELIVERY_PAUSED, 0, 1, 0, 0},
	{SINK_TOO_LARGE, false, ACK_FAILED, ACK_FAILED, DELIVERY_READING, 0, 0, 1, 0},
	{SINK_TOO_LARGE, true, ACK_FAILED, ACK_FAILED, DELIVERY_READING, 0, 0, 1, 0},
	{SINK_INVALID, true, ACK_FAILED, ACK_FAILED, DELIVERY_READING, 0, 0, 0, 1},
	{SINK_DELIVERED, false, ACK_DELIVERED, ACK_DELIVERED, DELIVERY_READING, 0, 0, 0, 0},
	{SINK_DELIVERED, true, ACK_DELIVERED, ACK_DELIVERED, DELIVERY_READING, 0, 0, 0, 0},
};
#define NB_ROWS (sizeof(table) / sizeof(table[0]))

// Get one packet to be offered alone: it was suspect.
static void make_it_alone(void) {
	report_of(0, SINK_SUSPECT);
	pass_ms(100);
	fake.sends = false;
	serve();
	ck_assert_uint_eq(fake.nb, 1);
	ck_assert(message_is_alone(&fake.kept[0]));
}

START_TEST(each_row_of_the_table) {
	bool alone = _i % 2 != 0;
	unsigned int row = (unsigned int)_i / 2;
	struct delivery_totals t = {0};
	uint64_t returned;

	fake.sends = false;
	put(1);
	serve();
	if (alone)
		make_it_alone();
	returned = get(&counters.returned);
	if (table[row].sent)
		report_of(0, SINK_SENT);
	report_of(0, table[row].report);
	ck_balance();
	ck_assert_int_eq(
		ack_window_get(&d.window, FIRST_INDEX),
		alone ? table[row].next_alone : table[row].next
	);
	ck_assert_int_eq(
		d.state,
		alone && table[row].ring == DELIVERY_READING ? DELIVERY_RESENDING : table[row].ring
	);
	ck_assert_uint_eq(get(&counters.refused), table[row].refused);
	ck_assert_uint_eq(get(&counters.returned) - returned, table[row].returned);
	ck_assert_uint_eq(get(&counters.failed_too_large), table[row].too_large);
	ck_assert_uint_eq(get(&counters.failed_invalid), table[row].invalid);
	delivery_add_totals(&d, &t);
	ck_assert_uint_eq(t.tx_refused, table[row].refused);
	ck_assert_uint_eq(
		t.tx_queued,
		table[row].refused == 0
			&& (table[row].next == ACK_WAITING || table[row].next == ACK_SUSPECT)
	);
	ck_assert_uint_eq(t.blocked, d.state == DELIVERY_PAUSED || d.state == DELIVERY_RESENDING);
	deliver_the_rest();
}
END_TEST

// A report of what is not out changes nothing.
START_TEST(strange_reports) {
	const enum sink_report all[] = {
		SINK_NO_ROOM, SINK_REFUSED,   SINK_RETURNED, SINK_SENT,
		SINK_SUSPECT, SINK_TOO_LARGE, SINK_INVALID,  SINK_DELIVERED,
	};
	struct message done, never;

	put(2);
	serve();
	done = fake.kept[0];
	report_of(0, SINK_DELIVERED);
	never = done;
	// Outside the window, at the place of one that is out.
	never.tag = message_tag(RING, FIRST_INDEX + 1 - WINDOW, false);
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		report_message(&done, all[i]);
		report_message(&never, all[i]);
	}
	// The client has it: that it did not take it cannot be.
	report_message(&fake.kept[0], SINK_NO_ROOM);
	report_message(&fake.kept[0], SINK_REFUSED);
	report_message(&fake.kept[0], SINK_SENT);
	ck_balance();
	ck_assert_int_eq(d.state, DELIVERY_READING);
	ck_assert_uint_eq(get(&counters.delivered), 1);
	deliver_the_rest();
}
END_TEST

// Nothing is read or sent until every report is there and the back-off is over; then from the tail.
START_TEST(paused) {
	unsigned int nb_offered;

	put(60);
	serve();
	report_of(3, SINK_RETURNED);
	report_of(2, SINK_DELIVERED);
	nb_offered = fake.nb_offered;
	ck_assert_int_eq(d.state, DELIVERY_PAUSED);
	pass_ms(10000);
	serve();
	ck_assert_uint_eq(fake.nb_offered, nb_offered); // others are out
	while (fake.nb > 1)
		report_of(fake.nb - 1, SINK_RETURNED);
	report_all(SINK_DELIVERED);
	serve(); // up to the one that arrived
	serve();
	ck_assert_uint_eq(ring->cons.tail, (uint32_t)(FIRST_INDEX + 1));
	ck_assert_uint_eq(fake.nb, BURST - 2); // but for the two that arrived
	ck_assert_uint_eq(fake.kept[0].sequence, 2);
	ck_assert_uint_eq(fake.kept[1].sequence, 4);
	deliver_the_rest();
	ck_assert_uint_eq(get(&counters.delivered), 60);
}
END_TEST

START_TEST(back_off_doubles_until_delivered) {
	const uint64_t waits_ms[] = {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000};

	put(1);
	serve();
	for (unsigned int i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++) {
		report_all(SINK_RETURNED);
		pass_ms(waits_ms[i] - 1);
		serve();
		ck_assert_uint_eq(fake.nb, 0);
		pass_ms(1);
		serve();
		ck_assert_uint_eq(fake.nb, 1);
	}
	serve(); // nothing is left to resend: it reads
	report_all(SINK_DELIVERED);
	put(1);
	serve();
	report_all(SINK_RETURNED);
	ck_assert_uint_eq(d.backoff_ns, 100 * MS);
	deliver_the_rest();
}
END_TEST

// Delivered while the ring resends: the back-off stays.
START_TEST(back_off_stays_while_resending) {
	put(3);
	serve();
	report_of(0, SINK_SUSPECT);
	report_all(SINK_RETURNED);
	pass_ms(100);
	serve();
	ck_assert_int_eq(d.state, DELIVERY_RESENDING);
	report_all(SINK_DELIVERED);
	ck_assert_uint_eq(d.backoff_ns, 100 * MS);
	deliver_the_rest();
}
END_TEST

// Indexes that another process overwrote: an error, whatever the ring is doing.
START_TEST(corrupted_ring) {
	put(3);
	serve();
	if (_i > 0) {
		report_all(SINK_RETURNED);
		pass_ms(100);
	}
	ring->prod.head = ring->prod.tail = FIRST_INDEX + 1; // less than the window
	ck_assert_int_lt(delivery_serve(&d, &ctx), 0);
}
END_TEST

START_TEST(no_room) {
	put(BURST);
	fake.sends = false;
	serve();
	while (fake.nb > 10) {
		report_of(10, SINK_NO_ROOM);
		ck_balance();
	}
	ck_assert_int_eq(d.state, DELIVERY_NO_ROOM);
	serve();
	ck_assert_uint_eq(fake.nb, 10);
	pass_ms(1); // without waiting for those that are out
	serve();
	ck_assert_uint_eq(fake.nb, BURST);
	ck_assert_uint_eq(fake.kept[10].sequence, 11);
	ck_assert_uint_eq(get(&counters.refused), BURST - 10);
	deliver_the_rest();
}
END_TEST

// A pause is not shortened by a full queue.
START_TEST(no_room_while_paused) {
	put(3);
	fake.sends = false;
	serve();
	report_of(0, SINK_RETURNED);
	report_of(0, SINK_NO_ROOM);
	ck_assert_int_eq(d.state, DELIVERY_PAUSED);
	report_of(0, SINK_SENT);
	pass_ms(1);
	serve();
	ck_assert_int_eq(d.state, DELIVERY_PAUSED);
	deliver_the_rest();
}
END_TEST

// Suspects go by themselves, the others as before, in order and never at once (fake_offer()).
START_TEST(suspects_and_others) {
	unsigned int nb_alone = 0;

	put(12);
	serve();
	for (unsigned int i = 0; i < 12; i++)
		report_of(0, i % 6 < 3 ? SINK_RETURNED : SINK_SUSPECT);
	pass_ms(100);
	for (int i = 0; i < 20 && !delivery_is_empty(&d); i++) {
		serve();
		for (unsigned int k = 0; k < fake.nb; k++)
			nb_alone += message_is_alone(&fake.kept[k]);
		report_all(
			fake.nb > 0 && message_is_alone(&fake.kept[0]) ? SINK_TOO_LARGE
								       : SINK_DELIVERED
		);
	}
	ck_assert_uint_eq(nb_alone, 6);
	ck_assert_uint_eq(get(&counters.failed_too_large), 6);
	ck_assert_uint_eq(get(&counters.delivered), 6);
	deliver_the_rest();
}
END_TEST

START_TEST(given_back) {
	put(100);
	serve();
	d.giving_back = true;
	serve();
	ck_assert_uint_eq(fake.nb, BURST);
	report_of(0, SINK_RETURNED); // a failure is seen through
	report_all(SINK_DELIVERED);
	pass_ms(100);
	serve();
	ck_assert_uint_eq(fake.nb, 1);
	report_all(SINK_DELIVERED);
	serve();
	ck_assert(delivery_is_empty(&d));
	ck_assert_uint_eq(taken(), BURST);
	delivery_end(&d);
	begin(); // the next owner
	deliver_the_rest();
	ck_assert_uint_eq(get(&ring_counters.sent_again), 0);
	ck_assert_uint_eq(get(&counters.delivered), 100);
}
END_TEST

// Its owner died with its window: all of that is sent again, and counted so.
START_TEST(taken_over) {
	put(BURST);
	serve();
	report_of(0, SINK_DELIVERED);
	serve();
	delivery_end(&d);
	fake.nb = 0;
	rtap_counter_set(&counters.accepted, 1); // the rest died with it
	begin();
	ck_assert_uint_eq(get(&ring_counters.sent_again), BURST - 1);
	deliver_the_rest();
	ck_assert_uint_eq(get(&counters.delivered), BURST);
	ck_assert_uint_eq(taken(), 2 * BURST - 1);
}
END_TEST

// No worker comes after this one: what is not known to be in Kafka is counted, read or not.
START_TEST(orphans) {
	put(BURST + 7);
	fake.sends = false;
	serve();
	report_of(0, SINK_SENT);
	report_of(1, SINK_DELIVERED);
	report_of(1, SINK_TOO_LARGE);
	report_of(1, SINK_SUSPECT);
	report_of(1, SINK_RETURNED);
	delivery_count_orphans(&d);
	ck_assert_uint_eq(get(&ring_counters.orphaned), BURST - 2 + 7);
	deliver_the_rest();
	delivery_count_orphans(&d);
	ck_assert_uint_eq(get(&ring_counters.orphaned), 0);
}
END_TEST

// A message of several packets: each is counted, and all go where it goes.
START_TEST(several_packets_of_a_message) {
	put(4);
	fake.sends = false;
	serve();
	ack_window_link(&d.window, FIRST_INDEX, FIRST_INDEX + 1);
	ack_window_link(&d.window, FIRST_INDEX + 1, FIRST_INDEX + 3);
	report_message(&fake.kept[0], SINK_SENT);
	ck_assert_uint_eq(get(&counters.accepted), 3);
	report_message(&fake.kept[0], SINK_RETURNED);
	ck_assert_uint_eq(get(&counters.returned), 3);
	ck_assert_uint_eq(d.window.nb[ACK_WAITING], 3);
	ck_assert_int_eq(ack_window_get(&d.window, FIRST_INDEX + 2), ACK_KEPT);
	report_message(&fake.kept[2], SINK_DELIVERED);
	fake.nb = 0;
	pass_ms(100);
	serve(); // up to the one that arrived
	serve();
	ck_assert_uint_eq(fake.nb, 3); // each by itself again
	deliver_the_rest();
	ck_assert_uint_eq(get(&counters.delivered), 4);
}
END_TEST

// Whatever a sink reports, in whatever order: each packet is delivered or failed once, and the laws
// hold after each step.
START_TEST(any_reports) {
	uint64_t state = (uint64_t)_i * 7919 + 1;

	for (unsigned int round = 0; round < 3000; round++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		fake.sends = state >> 40 & 1;
		if (nb_put < NB_PACKETS)
			put((uint32_t)(state >> 33) % 2);
		if (fake.nb > 0) {
			unsigned int i = (unsigned int)(state >> 44) % fake.nb;
			enum sink_report report = (enum sink_report)(state >> 35 & 7);
			bool sent = ack_window_get(&d.window, message_tag_index(fake.kept[i].tag))
				== ACK_IN_FLIGHT;

			if (!sent || report >= SINK_SUSPECT || report == SINK_RETURNED)
				report_of(i, report);
			ck_balance();
		}
		pass_ms(state >> 50 & 255);
		serve();
	}
	deliver_the_rest();
	ck_assert_uint_eq(
		get(&counters.delivered) + get(&counters.failed_too_large)
			+ get(&counters.failed_invalid),
		nb_put
	);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("delivery");
	TCase *tc = tcase_create("delivery");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_a_message_says);
	tcase_add_test(tc, window_bounds_what_is_out);
	tcase_add_test(tc, kept_until_sent);
	tcase_add_loop_test(tc, each_row_of_the_table, 0, 2 * NB_ROWS);
	tcase_add_test(tc, strange_reports);
	tcase_add_test(tc, paused);
	tcase_add_test(tc, back_off_doubles_until_delivered);
	tcase_add_test(tc, back_off_stays_while_resending);
	tcase_add_loop_test(tc, corrupted_ring, 0, 2);
	tcase_add_test(tc, no_room);
	tcase_add_test(tc, no_room_while_paused);
	tcase_add_test(tc, suspects_and_others);
	tcase_add_test(tc, given_back);
	tcase_add_test(tc, taken_over);
	tcase_add_test(tc, orphans);
	tcase_add_test(tc, several_packets_of_a_message);
	tcase_add_loop_test(tc, any_reports, 0, 20);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
