// SPDX-License-Identifier: BSD-3-Clause
// Tests of the receive worker: bursts, checks, filter, snap, ring choice, stamps, drops by reason
// and the hand-shake with the control thread. After each round the books balance, and at the end
// every buffer is back.

#include "flow_hash.h"
#include "frame_make.h"
#include "packet_check.h"
#include "rx_rig.h"

#define MAX_FRAME 1514
#define NB_FLOWS 256

static struct rte_mbuf *pkts[NB_BUFFERS];

static void tear_down(void) {
	rx_rig_ck_conserved();
	rx_rig_release();
	rx_rig_stop();
	eal_test_end();
}

static uint64_t counted(const rtap_counter_t *counter) {
	return rtap_counter_get(counter);
}

// ---- bursts ----

static const unsigned int amounts[] = {1, BURST - 1, BURST, BURST + 1, 3 * BURST + 5, CAPACITY};

START_TEST(bursts_of_any_size) {
	const struct rtap_queue_counters *c = &queue_counters[0];
	unsigned int nb = amounts[_i], nb_read;

	rx_rig_start();
	for (unsigned int i = 0; i < nb; i++)
		rx_rig_feed(0, pkts[i] = rx_rig_packet(NULL, 60 + i, 1));
	rx_rig_receive();
	ck_assert_uint_eq(counted(&c->received), nb);
	ck_assert_uint_eq(counted(&c->received_bytes), 60 * nb + nb * (nb - 1) / 2);
	ck_assert_uint_eq(counted(&c->enqueued), nb);
	ck_assert_uint_eq(counted(&c->full_bursts), nb / BURST);
	ck_assert_uint_eq(counted(&c->bursts), (nb + BURST - 1) / BURST);
	nb_read = rx_rig_read(0, 0, &pkts[nb], nb + 1);
	ck_assert_uint_eq(nb_read, nb);
	ck_assert_mem_eq(pkts, &pkts[nb], nb * sizeof(*pkts)); // the same ones, in order
}
END_TEST

START_TEST(every_queue_is_served) {
	rx_rig_start();
	rx_rig_feed_many(0, 7, 1);
	rx_rig_feed_many(1, 11, 1);
	rx_rig_receive();
	ck_assert_uint_eq(counted(&queue_counters[0].enqueued), 7);
	ck_assert_uint_eq(counted(&queue_counters[1].enqueued), 11);
	ck_assert_uint_eq(rx_rig_read(1, 0, pkts, CAPACITY), 11);
}
END_TEST

// Both queues receive from one wire: how they share four full bursts tells whose turn it was.
START_TEST(max_bursts_then_the_next_queue) {
	static const unsigned int first[] = {2, 2, 3, 4}; // with max-bursts 1, 2, ...

	cfg.max_bursts = (uint64_t)_i + 1;
	queues[1].queue_id = queues[0].queue_id;
	rx_rig_feed_many(0, 4 * BURST, 1);
	for (unsigned int q = 0; q < NB_QUEUES; q++)
		atomic_store(&queues[q].paused, false);
	rx_rig_launch();
	rx_rig_receive();
	ck_assert_uint_eq(counted(&queue_counters[0].bursts), first[_i]);
	ck_assert_uint_eq(counted(&queue_counters[1].bursts), 4 - first[_i]);
}
END_TEST

// ---- what is dropped ----

static void ck_dropped(unsigned int ring, uint64_t enqueued, uint64_t ring_full) {
	ck_assert_uint_eq(counted(&ring_counters[0][ring].enqueued), enqueued);
	ck_assert_uint_eq(counted(&ring_counters[0][ring].ring_full), ring_full);
}

// A burst that fits in part: its first packets are taken, the others leave a gap in the sequence.
START_TEST(full_ring) {
	unsigned int more = 10;

	rx_rig_start();
	rx_rig_feed_many(0, CAPACITY - 1 + BURST, 1);
	rx_rig_receive();
	ck_dropped(0, CAPACITY, BURST - 1);
	rx_rig_feed_many(0, more, 1); // no room at all
	rx_rig_receive();
	ck_dropped(0, CAPACITY, BURST - 1 + more);
	ck_assert_uint_eq(rx_rig_read(0, 0, pkts, RING_SIZE), CAPACITY);
	for (unsigned int i = 0; i < CAPACITY; i++)
		ck_assert_uint_eq(rx_rig_stamp(pkts[i])->sequence, i + 1);
	rx_rig_release();
	rx_rig_feed_many(0, 1, 1);
	rx_rig_receive();
	ck_assert_uint_eq(rx_rig_read(0, 0, pkts, RING_SIZE), 1);
	ck_assert_uint_eq(rx_rig_stamp(pkts[0])->sequence, CAPACITY - 1 + BURST + more + 1);
}
END_TEST

// Counted in buffers and shared by the rings: packets of 3 buffers leave one of 10 unused.
START_TEST(budget_of_a_queue) {
	queues[0].budget = 10;
	rx_rig_start();
	rx_rig_feed_many(0, 5, 3);
	rx_rig_receive();
	ck_dropped(0, 3, 2);
	ck_assert_uint_eq(queues[0].outstanding, 9);
	rx_rig_feed_many(0, 2, 1);
	rx_rig_receive();
	ck_dropped(0, 4, 3);
	rx_rig_release();
	rx_rig_feed_many(0, 5, 3);
	rx_rig_receive();
	ck_dropped(0, 7, 5);
}
END_TEST

START_TEST(quarantined_ring) {
	struct rte_ring *ring = queues[0].rings[0].ring;

	rx_rig_start();
	rx_rig_feed_many(0, 3, 1);
	rx_rig_receive();
	ring->cons.tail += 5; // of 3
	RX_RIG_AWAIT(counted(&ring_counters[0][0].quarantined) == 1);
	ck_assert_uint_eq(atomic_load(&shared_rings[0][0].quarantined), 1);
	atomic_store(&shared_rings[0][0].quarantined, 0); // overwritten
	RX_RIG_AWAIT(atomic_load(&shared_rings[0][0].quarantined) == 1);
	rx_rig_feed_many(0, 4, 1);
	rx_rig_receive();
	ck_dropped(0, 3, 4);
	ck_assert_uint_eq(queues[0].outstanding, 3); // kept
	rx_rig_stop();
	eal_test_end();
}
END_TEST

// Each of these would lead whoever walks it out of its buffers.
START_TEST(malformed_packets) {
	struct rte_mbuf *longer = rx_rig_packet(NULL, 100, 1);
	struct rte_mbuf *beyond = rx_rig_packet(NULL, 100, 1);
	struct rte_mbuf *chain = rx_rig_packet(NULL, 300, 3);
	struct rte_mbuf *short_chain = rx_rig_packet(NULL, 300, 3);

	longer->pkt_len += 65536;
	beyond->pkt_len = beyond->data_len = DATA_ROOM + 1;
	chain->pkt_len--;
	short_chain->nb_segs = 4;
	rx_rig_start();
	rx_rig_feed(0, longer);
	rx_rig_feed_many(0, 1, 1);
	rx_rig_feed(0, beyond);
	rx_rig_feed(0, chain);
	rx_rig_feed_many(0, 1, 2);
	rx_rig_feed(0, short_chain);
	rx_rig_receive();
	ck_assert_uint_eq(counted(&queue_counters[0].received), 6);
	ck_assert_uint_eq(counted(&queue_counters[0].malformed), 4);
	ck_assert_uint_eq(counted(&queue_counters[0].received_bytes), 60 + 120);
	ck_assert_uint_eq(rx_rig_read(0, 0, pkts, RING_SIZE), 2);
}
END_TEST

// A cut frame is captured and counted, with the VLAN tag that came back to it or without.
START_TEST(cut_packets) {
	static const uint32_t lengths[] = {999, 1000, 1001, 1003, 1004, 1005};

	queues[0].cut_bytes = 1000;
	rx_rig_start();
	for (unsigned int q = 0; q < NB_QUEUES; q++)
		for (unsigned int i = 0; i < RTE_DIM(lengths); i++)
			rx_rig_feed(q, rx_rig_packet(NULL, lengths[i], 1));
	rx_rig_receive();
	ck_assert_uint_eq(counted(&queue_counters[0].cut), 2);
	ck_assert_uint_eq(counted(&queue_counters[0].enqueued), RTE_DIM(lengths));
	ck_assert_uint_eq(counted(&queue_counters[1].cut), 0); // its device cuts none
}
END_TEST

// ---- frames ----

static struct frame_make *make_flows(uint32_t kinds) {
	struct frame_make_config config = {
		.seed = 5, .nb_flows = NB_FLOWS, .kinds = kinds, .max_bytes = MAX_FRAME};
	struct frame_make *fm = frame_make_create(&config);

	ck_assert_ptr_nonnull(fm);
	return fm;
}

static uint32_t kind_bit(const char *name) {
	unsigned int kind = 0;

	while (strcmp(frame_make_kind_name(kind), name) != 0)
		kind++;
	return UINT32_C(1) << kind;
}

static void feed_frames(struct frame_make *fm, unsigned int nb, uint16_t nb_segs) {
	uint8_t frame[MAX_FRAME];

	for (unsigned int i = 0; i < nb; i++) {
		size_t len = frame_make_next(fm, frame);

		rx_rig_feed(0, rx_rig_packet(frame, (uint32_t)len, nb_segs));
	}
}

START_TEST(filter_verdicts) {
	struct frame_make *wanted = make_flows(kind_bit("udp4")),
			  *other = make_flows(kind_bit("tcp4"));
	struct capture_filter *filter;
	char why[256];

	ck_assert_int_eq(capture_filter_create(&filter, "udp", why, sizeof(why)), 0);
	worker.filter = filter;
	rx_rig_start();
	for (unsigned int i = 0; i < 40; i++) {
		feed_frames(wanted, 1, 1 + i % 2);
		feed_frames(other, 2, 1 + i % 3);
	}
	rx_rig_receive();
	ck_assert_uint_eq(counted(&queue_counters[0].filtered), 80);
	ck_assert_uint_eq(counted(&queue_counters[0].malformed), 0);
	ck_assert_uint_eq(rx_rig_read(0, 0, pkts, RING_SIZE), 40);
	for (unsigned int i = 0; i < 40; i++) {
		ck_assert_uint_eq(*rte_pktmbuf_mtod_offset(pkts[i], uint8_t *, 23), IPPROTO_UDP);
		// No gap where a packet was not wanted.
		ck_assert_uint_eq(rx_rig_stamp(pkts[i])->sequence, i + 1);
	}
	feed_frames(other, 5, 1); // a burst of which nothing is wanted
	rx_rig_receive();
	ck_assert_uint_eq(counted(&queue_counters[0].filtered), 85);
	frame_make_destroy(wanted);
	frame_make_destroy(other);
}
END_TEST

// ---- the choice of a ring ----

// Every kind of frame: a flow keeps to one ring, in both directions and in order.
START_TEST(flow_keeps_its_ring) {
	struct frame_make *fm = make_flows(0);
	uint64_t next[NB_FLOWS] = {0}, nb_reverse = 0;
	int ring_of[NB_FLOWS];
	uint8_t flat[MAX_FRAME];
	unsigned int nb;

	memset(ring_of, -1, sizeof(ring_of));
	queues[0].nb_rings = NB_RINGS;
	rx_rig_start();
	for (unsigned int round = 0; round < 8; round++) {
		feed_frames(fm, 200, 1);
		rx_rig_receive();
		for (int r = 0; r < NB_RINGS; r++) {
			nb = rx_rig_read(0, (unsigned int)r, pkts, RING_SIZE);
			for (unsigned int i = 0; i < nb; i++) {
				struct frame_trailer t;
				uint32_t len = rte_pktmbuf_pkt_len(pkts[i]);

				ck_assert(frame_trailer_read(
					rte_pktmbuf_read(pkts[i], 0, len, flat), len, &t
				));
				ck_assert_uint_ge(t.sequence, next[t.flow]);
				next[t.flow] = t.sequence + 1;
				ck_assert(ring_of[t.flow] == -1 || ring_of[t.flow] == r);
				ring_of[t.flow] = r;
				nb_reverse += t.reverse;
			}
		}
		rx_rig_release();
	}
	ck_assert_uint_gt(nb_reverse, 0);
	for (unsigned int r = 0; r < NB_RINGS; r++)
		ck_assert_uint_gt(counted(&ring_counters[0][r].enqueued), 0);
	ck_assert_uint_eq(counted(&queue_counters[0].enqueued), 8 * 200);
	frame_make_destroy(fm);
}
END_TEST

// The hash of a symmetric key repeats its lower half, whose lowest bits chose the queue: those are
// equal here.
static uint32_t symmetric_hash(uint32_t flow) {
	return (flow << 7 | 5) * UINT32_C(0x10001);
}

static void feed_hashed(const void *frame, uint32_t len, uint32_t hash, uint64_t flags) {
	struct rte_mbuf *m = rx_rig_packet(frame, len, 1);

	m->hash.rss = hash;
	m->ol_flags = flags;
	rx_rig_feed(0, m);
}

START_TEST(ring_by_the_hash_of_the_nic) {
	struct frame_make *fm = make_flows(kind_bit("udp4"));
	uint8_t frame[MAX_FRAME];

	queues[0].nb_rings = NB_RINGS;
	queues[0].trust_rss = true;
	rx_rig_start();
	for (uint32_t i = 0; i < 200; i++) // whatever is in the frame
		feed_hashed(
			frame, (uint32_t)frame_make_next(fm, frame), symmetric_hash(3),
			RTE_MBUF_F_RX_RSS_HASH
		);
	rx_rig_receive();
	for (unsigned int r = 0; r < NB_RINGS; r++)
		ck_assert_uint_eq(counted(&ring_counters[0][r].enqueued) % 200, 0);
	rx_rig_release();
	for (uint32_t i = 0; i < 200; i++)
		feed_hashed(frame, 60, symmetric_hash(i), RTE_MBUF_F_RX_RSS_HASH);
	rx_rig_receive();
	for (unsigned int r = 0; r < NB_RINGS; r++)
		ck_assert_uint_gt(counted(&ring_counters[0][r].enqueued) % 200, 200 / NB_RINGS / 2);
	frame_make_destroy(fm);
}
END_TEST

// A hash is not looked at when its key is not symmetric (0), or the packet carries none (1).
START_TEST(ring_by_our_own_hash) {
	struct frame_make *fm = make_flows(kind_bit("tcp6"));
	uint8_t frame[MAX_FRAME];
	uint32_t len = (uint32_t)frame_make_next(fm, frame);
	unsigned int ring = (rtap_flow_hash(frame, len) & 0xffff) * NB_RINGS >> 16;

	queues[0].nb_rings = NB_RINGS;
	queues[0].trust_rss = _i == 1;
	rx_rig_start();
	for (uint32_t i = 0; i < 100; i++)
		feed_hashed(frame, len, symmetric_hash(i), _i == 0 ? RTE_MBUF_F_RX_RSS_HASH : 0);
	rx_rig_receive();
	ck_dropped(ring, 100, 0);
	frame_make_destroy(fm);
}
END_TEST

// ---- snap and stamp ----

static const struct {
	uint32_t len;
	uint16_t nb_segs;
	uint32_t snaplen;
	uint16_t kept_segs;
} snaps[] = {
	{100, 1, 100, 1}, {101, 1, 100, 1}, {1500, 1, 64, 1}, {300, 3, 299, 3}, {300, 3, 201, 3},
	{300, 3, 200, 2}, {300, 3, 101, 2}, {300, 3, 100, 1}, {300, 3, 64, 1},  {300, 3, 300, 3},
};

START_TEST(snap_length) {
	uint32_t len = snaps[_i].len, kept = RTE_MIN(snaps[_i].snaplen, len);
	uint8_t frame[MAX_FRAME], flat[MAX_FRAME];

	for (uint32_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7);
	cfg.snaplen = snaps[_i].snaplen;
	rx_rig_start();
	rx_rig_feed(0, rx_rig_packet(frame, len, snaps[_i].nb_segs));
	rx_rig_receive();
	ck_assert_uint_eq(rx_rig_read(0, 0, pkts, RING_SIZE), 1);
	ck_assert(packet_check(pkts[0]));
	ck_assert_uint_eq(pkts[0]->pkt_len, kept);
	ck_assert_uint_eq(pkts[0]->nb_segs, snaps[_i].kept_segs);
	ck_assert_uint_eq(queues[0].outstanding, snaps[_i].kept_segs);
	ck_assert_ptr_null(rte_pktmbuf_lastseg(pkts[0])->next);
	ck_assert_mem_eq(rte_pktmbuf_read(pkts[0], 0, kept, flat), frame, kept);
	ck_assert_uint_eq(rx_rig_stamp(pkts[0])->wire_bytes, len);
	ck_assert_uint_eq(counted(&queue_counters[0].received_bytes), len);
}
END_TEST

// On each ring: sequence without a gap, times that grow and lie between now and the least step
// ahead of now.
START_TEST(stamps) {
	struct frame_make *fm = make_flows(0);
	uint64_t sequence[NB_RINGS] = {0}, last_ns[NB_RINGS] = {0}, before_ns, after_ns;
	const struct rtap_packet_stamp *s;

	queues[0].nb_rings = NB_RINGS;
	rx_rig_start();
	for (unsigned int round = 0; round < 3; round++) {
		before_ns = rtap_clock_ns(&clock_, rte_rdtsc());
		feed_frames(fm, 200, 1);
		rx_rig_receive();
		after_ns = rtap_clock_ns(&clock_, rte_rdtsc());
		for (unsigned int r = 0; r < NB_RINGS; r++) {
			unsigned int nb = rx_rig_read(0, r, pkts, RING_SIZE);

			for (unsigned int i = 0; i < nb; i++) {
				s = rx_rig_stamp(pkts[i]);
				ck_assert_uint_eq(s->sequence, ++sequence[r]);
				ck_assert_uint_eq(s->wire_bytes, rte_pktmbuf_pkt_len(pkts[i]));
				ck_assert_uint_gt(s->time_ns, last_ns[r]);
				ck_assert_uint_ge(s->time_ns, before_ns);
				ck_assert_uint_le(s->time_ns, after_ns + RTAP_STAMP_AHEAD_NS);
				last_ns[r] = s->time_ns;
			}
		}
		rx_rig_release();
	}
	frame_make_destroy(fm);
}
END_TEST

static void feed_timed(int offset, uint64_t flag, uint64_t us) {
	struct rte_mbuf *m = rx_rig_packet(NULL, 60, 1);

	*RTE_MBUF_DYNFIELD(m, offset, uint64_t *) = us;
	m->ol_flags = flag;
	rx_rig_feed(0, m);
}

// A capture file's times in us, never backwards; a packet without one gets the host's.
START_TEST(time_of_the_device) {
	static const uint64_t given_us[] = {1000, 1002, 1001, 2000},
			      ns[] = {1000000, 1002000, 1002000, 2000000};
	struct rx_queue *q = &queues[0];

	ck_assert_int_eq(
		rte_mbuf_dyn_rx_timestamp_register(&q->device_time_offset, &q->device_time_flag), 0
	);
	q->device_clock = true;
	rx_rig_start();
	for (unsigned int i = 0; i < 4; i++)
		feed_timed(q->device_time_offset, q->device_time_flag, given_us[i]);
	feed_timed(q->device_time_offset, 0, 3000);
	rx_rig_receive();
	ck_assert_uint_eq(rx_rig_read(0, 0, pkts, RING_SIZE), 5);
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_uint_eq(rx_rig_stamp(pkts[i])->time_ns, ns[i]);
	ck_assert_uint_gt(rx_rig_stamp(pkts[4])->time_ns, UINT64_C(1500000000) * RTAP_SECOND_NS);
}
END_TEST

// A ring that is ahead does not push the others forward.
START_TEST(times_of_two_rings) {
	struct rx_queue *q = &queues[0];
	uint64_t last_ns[NB_RINGS] = {0};

	ck_assert_int_eq(
		rte_mbuf_dyn_rx_timestamp_register(&q->device_time_offset, &q->device_time_flag), 0
	);
	q->device_clock = q->trust_rss = true;
	q->nb_rings = NB_RINGS;
	rx_rig_start();
	for (uint32_t i = 0; i < 100; i++) { // each is the first one of its time, going back
		struct rte_mbuf *m = rx_rig_packet(NULL, 60, 1);

		*RTE_MBUF_DYNFIELD(m, q->device_time_offset, uint64_t *) = 1000 - i;
		m->ol_flags = q->device_time_flag | RTE_MBUF_F_RX_RSS_HASH;
		m->hash.rss = symmetric_hash(i);
		rx_rig_feed(0, m);
	}
	rx_rig_receive();
	for (unsigned int r = 0; r < NB_RINGS; r++) {
		unsigned int nb = rx_rig_read(0, r, pkts, RING_SIZE);

		for (unsigned int i = 0; i < nb; i++)
			ck_assert_uint_eq(
				rx_rig_stamp(pkts[i])->time_ns, rx_rig_stamp(pkts[0])->time_ns
			);
		last_ns[r] = rx_rig_stamp(pkts[0])->time_ns;
		for (unsigned int other = 0; other < r; other++)
			ck_assert_uint_ne(last_ns[r], last_ns[other]);
	}
}
END_TEST

// ---- the control thread ----

START_TEST(paused_queue_is_left_alone) {
	rx_rig_start();
	rx_rig_receive();
	rx_rig_feed_many(0, 20, 1);
	rx_rig_receive();
	rx_rig_feed_many(0, 5, 1);
	rx_rig_feed_many(1, 5, 1);
	atomic_store(&queues[1].paused, false); // this one only
	RX_RIG_AWAIT(counted(&queue_counters[1].enqueued) == 5);
	ck_assert_uint_eq(counted(&queue_counters[0].received), 20);
	ck_assert_uint_eq(rte_ring_count(wires[0]), 5);
	ck_assert(atomic_load(&queues[0].rests));
	ck_assert(!atomic_load(&queues[1].rests));
	rx_rig_receive();
	ck_assert_uint_eq(counted(&queue_counters[0].received), 25);
}
END_TEST

// After RX_RECLAIM is obeyed nothing is received any more, and what is released is still freed.
START_TEST(reclaiming_phase) {
	rx_rig_start();
	rx_rig_feed_many(0, 30, 2);
	rx_rig_receive();
	rx_rig_pause(false);
	RX_RIG_AWAIT(atomic_load(&worker.obeyed) == RX_CAPTURE);
	atomic_store(&worker.phase, RX_RECLAIM);
	RX_RIG_AWAIT(atomic_load(&worker.obeyed) == RX_RECLAIM);
	rx_rig_feed_many(0, 8, 1);
	ck_assert_uint_eq(queues[0].outstanding, 60);
	rx_rig_read(0, 0, pkts, RING_SIZE);
	ck_assert_int_eq(rtap_ring_read(&consumers[0][0], 10, pkts, 0), 0);
	RX_RIG_AWAIT(counted(&queue_counters[0].outstanding) == 40);
	ck_assert_uint_eq(counted(&ring_counters[0][0].released), 10);
	ck_assert_uint_eq(counted(&queue_counters[0].received), 30);
	ck_assert_uint_eq(rte_ring_count(wires[0]), 8);
	for (unsigned int i = 0; i < 8; i++) {
		ck_assert_int_eq(rte_ring_dequeue(wires[0], (void **)&pkts[0]), 0);
		rte_pktmbuf_free(pkts[0]);
	}
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("rx_worker");
	TCase *tc = tcase_create("rx_worker"), *broken = tcase_create("broken_ring");

	tcase_add_checked_fixture(tc, rx_rig_set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, bursts_of_any_size, 0, RTE_DIM(amounts));
	tcase_add_test(tc, every_queue_is_served);
	tcase_add_loop_test(tc, max_bursts_then_the_next_queue, 0, 4);
	tcase_add_test(tc, full_ring);
	tcase_add_test(tc, budget_of_a_queue);
	tcase_add_test(tc, malformed_packets);
	tcase_add_test(tc, cut_packets);
	tcase_add_test(tc, filter_verdicts);
	tcase_add_test(tc, flow_keeps_its_ring);
	tcase_add_test(tc, ring_by_the_hash_of_the_nic);
	tcase_add_loop_test(tc, ring_by_our_own_hash, 0, 2);
	tcase_add_loop_test(tc, snap_length, 0, RTE_DIM(snaps));
	tcase_add_test(tc, stamps);
	tcase_add_test(tc, time_of_the_device);
	tcase_add_test(tc, times_of_two_rings);
	tcase_add_test(tc, paused_queue_is_left_alone);
	tcase_add_test(tc, reclaiming_phase);
	suite_add_tcase(suite, tc);
	// Its packets never come back.
	tcase_add_checked_fixture(broken, rx_rig_set_up, NULL);
	tcase_set_timeout(broken, 60);
	tcase_add_test(broken, quarantined_ring);
	suite_add_tcase(suite, broken);
	return suite;
}

CHECK_MAIN(make_suite)
