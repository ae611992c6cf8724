// SPDX-License-Identifier: BSD-3-Clause
// Test one ring's way to Kafka through librdkafka: a real ring and the real sink against
// librdkafka's mock cluster, read back by a consumer. Packets lie in plain memory; no EAL.

#include "check_main.h"
#include "delivery.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <rte_mbuf_dyn.h>
#include <rte_ring_peek_zc.h>

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NB_PACKETS 8000
#define RING_SIZE 16384
#define NB_FLOWS 37
#define NB_PARTITIONS 4
#define FRAME_BYTES 64
#define WIRE_BYTES 1064
#define SEQUENCE_OFFSET 42 // after Ethernet, IPv4 and UDP
#define TIME_NS(i) (UINT64_C(1700000000123456789) + (uint64_t)(i)*1000)
#define TIME_OFFSET RTE_ALIGN_CEIL(offsetof(struct rte_mbuf, dynfield1), 8)
#define DEADLINE_S 20
#define PRODUCE 0 // the request's number in Kafka's protocol

static struct rtap_config cfg;
static struct rtap_shm shm;
static struct rtap_ring_counters ring_counters;
static struct rtap_slot_counters counters;
static struct delivery_context ctx;
static struct delivery ring_delivery, *serving;
static unsigned int nb_reported_alone;
static struct message_origin origin;
static struct rte_ring *ring;
static struct rte_mbuf mbufs[2 * NB_PACKETS];
static uint8_t frames[NB_PACKETS][FRAME_BYTES];
static uint8_t *large_frame;
static rd_kafka_t *mock_client;
static rd_kafka_mock_cluster_t *cluster;

// What the consumer found.
static struct {
	unsigned int times[NB_PACKETS]; // of each packet
	unsigned int nb_messages, nb_backwards; // within a partition, by sequence
	int32_t flow_partition[NB_FLOWS]; // -1 = none yet, -2 = several
} found;

static uint64_t get(const rtap_counter_t *counter) {
	return rtap_counter_get(counter);
}

// ---- packets ----

static void make_frame(uint8_t *frame, uint32_t i) {
	const uint8_t ip[] = {0x45, 0, 0, FRAME_BYTES - 14, 0, 0, 0, 0, 64, 17, 0, 0};
	uint32_t sequence = htonl(i);

	memset(frame, 0, FRAME_BYTES);
	frame[12] = 0x08;
	memcpy(frame + 14, ip, sizeof(ip));
	frame[29] = (uint8_t)(i % NB_FLOWS); // of the source address
	frame[33] = 1;
	memcpy(frame + SEQUENCE_OFFSET, &sequence, sizeof(sequence));
	for (unsigned int k = SEQUENCE_OFFSET + 4; k < FRAME_BYTES; k++)
		frame[k] = (uint8_t)(i * 7 + k);
}

static struct rte_mbuf *make_mbuf(struct rte_mbuf *m, void *data, uint16_t len) {
	memset(m, 0, sizeof(*m));
	m->buf_addr = data;
	m->nb_segs = 1;
	m->data_len = len;
	m->pkt_len = len;
	return m;
}

// Packet i; one in `nth` has two segments (0 = none).
static struct rte_mbuf *make_packet(uint32_t i, uint32_t nth) {
	struct rte_mbuf *m = make_mbuf(&mbufs[2 * i], frames[i], FRAME_BYTES);

	make_frame(frames[i], i);
	if (nth > 0 && i % nth == 0) {
		m->data_len = 50;
		m->nb_segs = 2;
		m->next = make_mbuf(&mbufs[2 * i + 1], frames[i] + 50, FRAME_BYTES - 50);
	}
	*RTE_MBUF_DYNFIELD(m, TIME_OFFSET, struct rtap_packet_stamp *) = (struct rtap_packet_stamp
	){.time_ns = TIME_NS(i), .sequence = i + 1, .wire_bytes = WIRE_BYTES};
	return m;
}

static void put_packets(uint32_t first, uint32_t nb, uint32_t nth) {
	for (uint32_t i = first; i < first + nb; i++)
		ck_assert_int_eq(rte_ring_sp_enqueue(ring, make_packet(i, nth)), 0);
}

// ---- fixture ----

static void start_cluster(void) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	rd_kafka_conf_set(conf, "log_level", "4", why, sizeof(why));
	mock_client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	ck_assert_ptr_nonnull(mock_client);
	cluster = rd_kafka_mock_cluster_new(mock_client, 1);
	ck_assert_ptr_nonnull(cluster);
	ck_assert_int_eq(
		rd_kafka_mock_topic_create(cluster, "pcap", NB_PARTITIONS, 1),
		RD_KAFKA_RESP_ERR_NO_ERROR
	);
}

static void set_up(void) {
	ssize_t bytes = rte_ring_get_memsize(RING_SIZE);

	rtap_log_init("test", RTAP_LOG_ERR);
	start_cluster();
	ring = aligned_alloc(RTE_CACHE_LINE_SIZE, (size_t)bytes);
	ck_assert_ptr_nonnull(ring);
	ck_assert_int_eq(rte_ring_init(ring, "r", RING_SIZE, RING_F_SP_ENQ | RING_F_SC_DEQ), 0);
	shm.header.nb_rings = 1;
	shm.header.stamp_offset = TIME_OFFSET;
	shm.rings[0].size = RING_SIZE;
	ctx.shm_header = &shm.header;
	ctx.cfg = &cfg;
	ctx.counters = &counters;
	message_origin_init(&origin, "probe", "net_tap0", 3, 1);
}

// The test's process ends now, and with it all threads of librdkafka.
static void tear_down(void) {
	rtap_config_fini(&cfg);
	free(large_frame);
	free(ring);
}

static void
on_report(void *arg, uint64_t tag, enum sink_report report, size_t len, const char *why) {
	ck_assert((why == NULL) == (report == SINK_SENT || report == SINK_DELIVERED));
	nb_reported_alone += message_tag_is_alone(tag) && report != SINK_SENT;
	delivery_report(serving, &ctx, tag, report, len, why);
}

static void start_sink(const char *top, const char *global) {
	struct rtap_config_error error;
	char text[1024], why[256];

	snprintf(
		text, sizeof(text),
		"%sworker-burst: 256\nkafka:\n  global:\n    bootstrap.servers: %s\n%s", top,
		rd_kafka_mock_cluster_bootstraps(cluster), global
	);
	ck_assert_msg(
		rtap_config_load_buffer(&cfg, "t.yaml", text, strlen(text), &error) == 0, "%s",
		error.text
	);
	ctx.sink = sink_open(
		&(struct sink_setup
		){.cfg = &cfg, .nb_rings = 1, .counters = &counters, .report = on_report},
		why, sizeof(why)
	);
	ck_assert_msg(ctx.sink != NULL, "%s", why);
	for (int i = 0; sink_nb_partitions(ctx.sink) == 0; i++) {
		ck_assert_int_lt(i, 1000);
		usleep(10000);
	}
}

static void begin(struct delivery *f) {
	memset(f, 0, sizeof(*f));
	f->shared = &shm.rings[0];
	f->source.ring = ring;
	f->source.counters = &ring_counters;
	f->source.stamp_offset = TIME_OFFSET;
	f->maker.partitioner = cfg.partitioner;
	f->maker.nb_rings = 1;
	ck_assert_int_eq(delivery_begin(f, &ctx), 0);
}

// ---- a worker's rounds ----

static uint64_t now_ns(void) {
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void report(uint32_t index, bool alone, enum sink_report what) {
	delivery_report(&ring_delivery, &ctx, message_tag(0, index, alone), what, FRAME_BYTES, "x");
}

static void one_round(struct delivery *f) {
	uint32_t window;

	serving = f;
	ctx.now_ns = now_ns();
	ck_assert_int_ge(delivery_serve(f, &ctx), 0);
	window = ack_window_used(&f->window);
	ck_assert_uint_eq(window, f->source.consumer.in_window);
	sink_serve(ctx.sink, 1);
	// Nothing leaves the ring but by a round of ours.
	ck_assert_uint_eq(ring->cons.tail, f->source.consumer.tail);
}

static void serve_until(struct delivery *f, uint32_t tail) {
	uint64_t deadline = now_ns() + DEADLINE_S * UINT64_C(1000000000);

	while (f->source.consumer.tail != tail) {
		ck_assert_msg(
			now_ns() < deadline, "tail %u of %u, state %d", f->source.consumer.tail,
			tail, f->state
		);
		one_round(f);
	}
}

// ---- what is in Kafka ----

static void look_at_headers(const rd_kafka_message_t *m, uint32_t sequence) {
	struct message_headers wanted;
	struct message msg = {
		.wire_bytes = WIRE_BYTES,
		.sequence = sequence + 1,
		.time_ns = TIME_NS(sequence),
		.origin = &origin,
	};
	rd_kafka_headers_t *headers = NULL;
	const char *name;
	const void *value;
	size_t size;

	rd_kafka_message_headers(m, &headers);
	ck_assert_int_eq(headers != NULL, ring_delivery.maker.origin != NULL);
	if (headers == NULL)
		return;
	message_headers(&msg, &wanted);
	ck_assert_uint_eq(rd_kafka_header_cnt(headers), MESSAGE_NB_HEADERS);
	for (unsigned int i = 0; i < MESSAGE_NB_HEADERS; i++) {
		ck_assert_int_eq(rd_kafka_header_get_all(headers, i, &name, &value, &size), 0);
		ck_assert_str_eq(name, wanted.items[i].name);
		ck_assert_uint_eq(size, wanted.items[i].size);
		ck_assert_mem_eq(value, wanted.items[i].value, size);
	}
}

static void look_at_message(const rd_kafka_message_t *m, int64_t last[NB_PARTITIONS]) {
	const uint8_t *frame = m->payload;
	uint8_t expected[FRAME_BYTES], key[MESSAGE_KEY_BYTES];
	uint32_t sequence;
	int32_t *partition;

	ck_assert_uint_eq(m->len, FRAME_BYTES);
	memcpy(&sequence, frame + SEQUENCE_OFFSET, sizeof(sequence));
	sequence = ntohl(sequence);
	ck_assert_uint_lt(sequence, NB_PACKETS);
	make_frame(expected, sequence);
	ck_assert_mem_eq(frame, expected, FRAME_BYTES);
	message_key(TIME_NS(sequence), RTAP_KEY_US, key);
	ck_assert_uint_eq(m->key_len, MESSAGE_KEY_BYTES);
	ck_assert_mem_eq(m->key, key, MESSAGE_KEY_BYTES);
	look_at_headers(m, sequence);
	found.times[sequence]++;
	found.nb_messages++;
	found.nb_backwards += (int64_t)sequence <= last[m->partition];
	last[m->partition] = sequence;
	partition = &found.flow_partition[sequence % NB_FLOWS];
	*partition = *partition == -1 || *partition == m->partition ? m->partition : -2;
}

static rd_kafka_t *make_consumer(void) {
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(NB_PARTITIONS);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *consumer;
	char why[256];

	rd_kafka_conf_set(
		conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), why,
		sizeof(why)
	);
	rd_kafka_conf_set(conf, "group.id", "test", why, sizeof(why));
	rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof(why));
	consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	ck_assert_ptr_nonnull(consumer);
	rd_kafka_poll_set_consumer(consumer);
	for (int32_t p = 0; p < NB_PARTITIONS; p++)
		rd_kafka_topic_partition_list_add(all, "pcap", p)->offset = 0;
	ck_assert_int_eq(rd_kafka_assign(consumer, all), 0);
	rd_kafka_topic_partition_list_destroy(all);
	return consumer;
}

static void read_back(void) {
	int64_t last[NB_PARTITIONS] = {-1, -1, -1, -1};
	uint64_t deadline = now_ns() + DEADLINE_S * UINT64_C(1000000000);
	rd_kafka_t *consumer = make_consumer();
	bool ended[NB_PARTITIONS] = {false};
	int nb_ended = 0;

	memset(&found, 0, sizeof(found));
	memset(found.flow_partition, 0xff, sizeof(found.flow_partition));
	while (nb_ended < NB_PARTITIONS) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, 100);

		ck_assert(now_ns() < deadline);
		if (m == NULL)
			continue;
		if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
			nb_ended += !ended[m->partition];
			ended[m->partition] = true;
		} else if (m->err == 0) {
			look_at_message(m, last);
		}
		rd_kafka_message_destroy(m);
	}
}

static void ck_each_once(uint32_t first, uint32_t nb) {
	for (uint32_t i = first; i < first + nb; i++)
		ck_assert_msg(found.times[i] == 1, "packet %u: %u times", i, found.times[i]);
	ck_assert_uint_eq(found.nb_messages, nb);
}

// Nothing is anywhere, and the laws of the counters hold.
static void ck_at_rest(const struct delivery *f, uint64_t nb) {
	uint64_t failed = get(&counters.failed_too_large) + get(&counters.failed_invalid);
	struct delivery_totals totals = {0};

	delivery_add_totals(f, &totals);
	ck_assert_uint_eq(
		totals.tx_queued + totals.tx_refused + totals.outbox + totals.in_flight, 0
	);
	ck_assert(delivery_is_empty(f));
	ck_assert_uint_eq(ring->cons.tail, ring->prod.tail);
	ck_assert_uint_eq(get(&ring_counters.taken), nb + get(&ring_counters.sent_again));
	ck_assert_uint_eq(get(&counters.delivered) + failed, nb);
	ck_assert_uint_eq(get(&counters.accepted), nb + get(&counters.returned));
	ck_assert_uint_eq(get(&counters.delivered_bytes), FRAME_BYTES * get(&counters.delivered));
}

// ---- tests ----

static const struct {
	const char *keys;
	bool headers;
} ways[] = {
	{"partitioner: ring\n", false},
	{"partitioner: flow\n", false},
	{"partitioner: burst\n", false},
	{"order: relaxed\n", false},
	{"ack-window: 64\n", false},
	{"headers: basic\n", true},
	{"headers: basic\norder: relaxed\n", true},
};
#define NB_WAYS (sizeof(ways) / sizeof(ways[0]))

START_TEST(each_once_in_order) {
	uint32_t nb_partitions_used = 0;

	start_sink(ways[_i].keys, "");
	begin(&ring_delivery);
	ring_delivery.maker.origin = ways[_i].headers ? &origin : NULL;
	put_packets(0, NB_PACKETS, 5);
	serve_until(&ring_delivery, NB_PACKETS);
	ck_at_rest(&ring_delivery, NB_PACKETS);
	ck_assert_uint_eq(get(&counters.linearised), NB_PACKETS / 5);
	ck_assert_uint_eq(get(&counters.returned) + get(&counters.refused), 0);
	ck_assert_uint_eq(get(&ring_counters.sent_again), 0);
	read_back();
	ck_each_once(0, NB_PACKETS);
	ck_assert_uint_eq(found.nb_backwards, 0);
	for (int i = 0; i < NB_FLOWS; i++) {
		ck_assert_int_ne(found.flow_partition[i], -1);
		nb_partitions_used |= 1u << (found.flow_partition[i] & 31);
		if (cfg.partitioner == RTAP_PARTITIONER_BURST)
			ck_assert_int_eq(found.flow_partition[i], -2);
		else
			ck_assert_int_ne(found.flow_partition[i], -2);
	}
	if (cfg.partitioner != RTAP_PARTITIONER_BURST)
		ck_assert_uint_eq(nb_partitions_used, (1u << NB_PARTITIONS) - 1);
	delivery_end(&ring_delivery);
}
END_TEST

// No report: the window fills and nothing of the ring is released.
START_TEST(nothing_released_without_reports) {
	start_sink("order: relaxed\nack-window: 512\n", "");
	begin(&ring_delivery);
	rd_kafka_mock_broker_set_down(cluster, 1);
	put_packets(0, 2000, 5);
	for (int i = 0; i < 100; i++)
		one_round(&ring_delivery);
	ck_assert_uint_eq(ring_delivery.source.consumer.in_window, 512);
	ck_assert_uint_eq(ring_delivery.source.consumer.tail, 0);
	ck_assert_uint_eq(get(&ring_counters.taken), 512);
	rd_kafka_mock_broker_set_up(cluster, 1);
	serve_until(&ring_delivery, 2000);
	ck_at_rest(&ring_delivery, 2000);
	read_back();
	ck_assert_uint_eq(found.nb_messages, 2000);
}
END_TEST

static uint64_t cpu_ns(void) {
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

// The idempotent producer of librdkafka polls without a pause while more than a request of a
// partition waits for a slow broker: it is not given more (rdkafka_outbox.h).
START_TEST(no_spinning_with_a_slow_broker) {
	uint64_t began, used;

	start_sink("order: strict\n", "");
	begin(&ring_delivery);
	put_packets(0, 100, 0);
	serve_until(&ring_delivery, 100);
	rd_kafka_mock_broker_set_rtt(cluster, 1, 1000);
	put_packets(100, NB_PACKETS - 100, 5);
	for (int i = 0; i < 20; i++)
		one_round(&ring_delivery);
	began = now_ns();
	used = cpu_ns();
	while (now_ns() - began < 500000000)
		one_round(&ring_delivery);
	used = cpu_ns() - used;
	ck_assert_msg(used < 250000000, "%u ms of CPU in 500", (unsigned int)(used / 1000000));
	ck_assert_uint_gt(ring_delivery.window.nb[ACK_KEPT], NB_PACKETS / 2); // that much waits
	rd_kafka_mock_broker_set_rtt(cluster, 1, 0);
	serve_until(&ring_delivery, NB_PACKETS);
	ck_at_rest(&ring_delivery, NB_PACKETS);
	read_back();
	ck_each_once(0, NB_PACKETS);
	ck_assert_uint_eq(found.nb_backwards, 0);
}
END_TEST

// A batch that is refused for good takes everything after it back, so not even that reorders.
static const rd_kafka_resp_err_t refusals[] = {
	RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
	RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
	RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
	RD_KAFKA_RESP_ERR_INVALID_RECORD,
	(rd_kafka_resp_err_t)200, // unknown to the client
};

START_TEST(order_survives_refusals) {
	start_sink("order: strict\n", "");
	begin(&ring_delivery);
	put_packets(0, 100, 0);
	serve_until(&ring_delivery, 100);
	put_packets(100, 3000, 5);
	one_round(&ring_delivery);
	for (int i = 0; i < 3; i++)
		rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, refusals[_i]);
	put_packets(3100, NB_PACKETS - 3100, 5);
	serve_until(&ring_delivery, NB_PACKETS);
	ck_at_rest(&ring_delivery, NB_PACKETS);
	ck_assert_uint_gt(get(&counters.returned), 0);
	read_back();
	ck_each_once(0, NB_PACKETS);
	ck_assert_uint_eq(found.nb_backwards, 0);
}
END_TEST

// The client counts a packet as delivered that the broker refused as repeated, though here it was
// never stored: no broker told its offset, so it is sent again.
START_TEST(reports_without_an_offset) {
	start_sink("order: strict\n", "");
	begin(&ring_delivery);
	for (int i = 0; i < NB_PARTITIONS; i++) // the first record of each goes alone
		rd_kafka_mock_push_request_errors(
			cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER
		);
	put_packets(0, 2000, 5);
	serve_until(&ring_delivery, 2000);
	ck_at_rest(&ring_delivery, 2000);
	ck_assert_uint_ge(get(&counters.returned), NB_PARTITIONS); // and what waited after them
	read_back();
	ck_each_once(0, 2000);
}
END_TEST

// Errors that say nothing about a packet, as often as they come: wait, go back to the tail.
START_TEST(returned_packets_are_sent_again) {
	const rd_kafka_resp_err_t errors[] = {
		RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
		(rd_kafka_resp_err_t)200, // unknown to the client
		RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
	};

	start_sink("order: relaxed\n", "");
	begin(&ring_delivery);
	for (int i = 0; i < 3; i++)
		rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, errors[i]);
	put_packets(0, NB_PACKETS, 5);
	serve_until(&ring_delivery, NB_PACKETS);
	ck_at_rest(&ring_delivery, NB_PACKETS);
	ck_assert_uint_gt(get(&counters.returned), 0);
	ck_assert_uint_eq(get(&counters.delivered), NB_PACKETS);
	read_back();
	ck_each_once(0, NB_PACKETS);
}
END_TEST

// While a ring is paused, nothing new is read, and nothing is sent before the back-off is over.
START_TEST(paused) {
	uint64_t offered, taken, resume_ns;

	start_sink("order: relaxed\n", "");
	begin(&ring_delivery);
	for (int i = 0; i < 10; i++) // more than one round of resending
		rd_kafka_mock_push_request_errors(
			cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_POLICY_VIOLATION
		);
	put_packets(0, 100, 0);
	while (ring_delivery.state != DELIVERY_PAUSED || ring_delivery.window.nb[ACK_IN_FLIGHT] > 0)
		one_round(&ring_delivery);
	report(ring_delivery.window.tail, false, SINK_DELIVERED);
	ck_assert_int_eq(
		ack_window_get(&ring_delivery.window, ring_delivery.window.tail), ACK_WAITING
	);
	put_packets(100, 100, 0);
	resume_ns = ring_delivery.resume_ns;
	ck_assert_uint_ge(ring_delivery.backoff_ns, 100000000);
	taken = get(&ring_counters.taken);
	offered = get(&counters.accepted);
	while (ring_delivery.state == DELIVERY_PAUSED && ring_delivery.window.nb[ACK_IN_FLIGHT] == 0
	)
		one_round(&ring_delivery);
	ck_assert_uint_ge(now_ns(), resume_ns);
	ck_assert_uint_eq(get(&ring_counters.taken), taken);
	ck_assert_uint_gt(get(&counters.accepted), offered);
	serve_until(&ring_delivery, 200);
	ck_at_rest(&ring_delivery, 200);
	read_back();
	ck_each_once(0, 200);
}
END_TEST

// Sending again while something is out would reorder: the slowest report is waited for.
START_TEST(paused_until_all_reported) {
	uint64_t accepted, resume_ns;

	start_sink("order: relaxed\n", "");
	begin(&ring_delivery);
	rd_kafka_mock_broker_push_request_error_rtts(
		cluster, 1, PRODUCE, 2, RD_KAFKA_RESP_ERR_POLICY_VIOLATION, 0,
		RD_KAFKA_RESP_ERR_NO_ERROR, 700
	);
	put_packets(0, 100, 0);
	while (ring_delivery.state != DELIVERY_PAUSED)
		one_round(&ring_delivery);
	resume_ns = ring_delivery.resume_ns;
	accepted = get(&counters.accepted);
	ck_assert_uint_gt(ring_delivery.window.nb[ACK_IN_FLIGHT], 0);
	while (ring_delivery.window.nb[ACK_IN_FLIGHT] > 0) {
		ck_assert_int_eq(ring_delivery.state, DELIVERY_PAUSED);
		ck_assert_uint_eq(get(&counters.accepted), accepted);
		one_round(&ring_delivery);
	}
	ck_assert_uint_gt(now_ns(), resume_ns); // the back-off alone would have been shorter
	serve_until(&ring_delivery, 100);
	ck_at_rest(&ring_delivery, 100);
	read_back();
	ck_each_once(0, 100);
}
END_TEST

static const struct {
	rd_kafka_resp_err_t err;
	rtap_counter_t *counter;
} suspects[] = {
	{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, &counters.failed_too_large},
	{RD_KAFKA_RESP_ERR_INVALID_RECORD, &counters.failed_invalid},
};

// A batch refused for one of its packets: each is sent by itself, and none is lost.
static const char *const orders[] = {"order: relaxed\n", "order: strict\n"};

START_TEST(suspects_are_sent_alone) {
	start_sink(orders[_i / 2], "    linger.ms: 100\n");
	begin(&ring_delivery);
	put_packets(0, 100, 5); // the first record of each partition goes alone: not these
	serve_until(&ring_delivery, 100);
	rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, suspects[_i % 2].err);
	put_packets(100, 200, 5);
	serve_until(&ring_delivery, 300);
	ck_at_rest(&ring_delivery, 300);
	ck_assert_uint_gt(get(&counters.returned), 1);
	ck_assert_uint_eq(nb_reported_alone, get(&counters.returned));
	ck_assert_uint_eq(get(suspects[_i % 2].counter), 0);
	read_back();
	ck_each_once(0, 300);
}
END_TEST

// Refused by itself, too: only then it has failed, that one packet.
START_TEST(failed_for_good_alone) {
	start_sink(orders[_i / 2], "    linger.ms: 100\n");
	begin(&ring_delivery);
	rd_kafka_mock_push_request_errors(
		cluster, PRODUCE, 2, suspects[_i % 2].err, suspects[_i % 2].err
	);
	put_packets(0, NB_FLOWS * NB_FLOWS, NB_FLOWS);
	for (uint32_t i = 0; i < NB_FLOWS * NB_FLOWS; i++) // one flow: one partition, one batch
		frames[i][29] = 0;
	serve_until(&ring_delivery, NB_FLOWS * NB_FLOWS);
	ck_at_rest(&ring_delivery, NB_FLOWS * NB_FLOWS);
	ck_assert_uint_eq(get(suspects[_i % 2].counter), 1);
	ck_assert_uint_eq(get(&counters.delivered), NB_FLOWS * NB_FLOWS - 1);
}
END_TEST

// What is proved bad holds nothing back: the next one is not waited for longer and longer.
START_TEST(several_fail_for_good) {
	enum {
		NB_BAD = 6
	};
	uint64_t began;

	start_sink(orders[_i], "");
	begin(&ring_delivery);
	put_packets(0, 100, 0); // the first record of each partition goes alone: not these
	serve_until(&ring_delivery, 100);
	for (int i = 0; i < 1 + NB_BAD; i++)
		rd_kafka_mock_push_request_errors(
			cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
		);
	put_packets(100, 200, 0);
	for (uint32_t i = 100; i < 300; i++) // one flow: one partition, one batch
		frames[i][29] = 0;
	began = now_ns();
	serve_until(&ring_delivery, 300);
	ck_assert_uint_eq(get(&counters.failed_too_large), NB_BAD);
	ck_at_rest(&ring_delivery, 300);
	ck_assert_uint_lt(now_ns() - began, UINT64_C(4000000000));
}
END_TEST

// Above message.max.bytes the client itself says no: nothing waits for it. Around the limit, too:
// the client counts what a record needs beside its payload.
static const struct {
	const char *keys;
	bool headers;
	uint16_t len;
	unsigned int nb_failed;
} large[] = {
	{"order: strict\n", false, 900, 0},  {"order: strict\n", false, 975, 1},
	{"order: strict\n", false, 993, 1},  {"order: strict\n", false, 2000, 1},
	{"order: relaxed\n", false, 975, 1}, {"order: relaxed\n", false, 2000, 1},
	{"order: strict\n", true, 925, 1},   {"order: relaxed\n", true, 925, 1},
};
#define NB_LARGE (sizeof(large) / sizeof(large[0]))

START_TEST(too_large_for_the_client) {
	struct rte_mbuf *m;

	start_sink(large[_i].keys, "    message.max.bytes: 1000\n");
	begin(&ring_delivery);
	ring_delivery.maker.origin = large[_i].headers ? &origin : NULL;
	large_frame = calloc(1, 2000);
	put_packets(0, 100, 0);
	m = make_mbuf(&mbufs[2 * 100], large_frame, large[_i].len);
	*RTE_MBUF_DYNFIELD(m, TIME_OFFSET, struct rtap_packet_stamp *) = (struct rtap_packet_stamp
	){.time_ns = TIME_NS(100), .sequence = 101, .wire_bytes = WIRE_BYTES};
	ck_assert_int_eq(rte_ring_sp_enqueue(ring, m), 0);
	put_packets(101, 100, 0);
	serve_until(&ring_delivery, 201);
	ck_assert_uint_eq(get(&counters.failed_too_large), large[_i].nb_failed);
	ck_assert_uint_eq(get(&counters.returned) + get(&counters.refused), 0);
	ck_assert_uint_eq(get(&counters.delivered), 201 - large[_i].nb_failed);
	if (large[_i].nb_failed == 0)
		return; // what a consumer finds is not one of our frames
	ck_at_rest(&ring_delivery, 201);
	read_back();
	ck_assert_uint_eq(found.times[100], 0);
	ck_assert_uint_eq(found.nb_messages, 200);
	ck_assert_uint_eq(found.nb_backwards, 0);
}
END_TEST

START_TEST(full_queue_keeps_order) {
	bool strict = _i == 0;

	start_sink(
		strict ? "order: strict\n" : "order: relaxed\n",
		"    queue.buffering.max.messages: 50\n"
	);
	begin(&ring_delivery);
	put_packets(0, 2000, 5);
	serve_until(&ring_delivery, 2000);
	ck_at_rest(&ring_delivery, 2000);
	if (strict) // it waits in the outbox
		ck_assert_uint_eq(get(&counters.refused), 0);
	else
		ck_assert_uint_gt(get(&counters.refused), 0);
	ck_assert_uint_eq(get(&counters.returned), 0);
	read_back();
	ck_each_once(0, 2000);
	ck_assert_uint_eq(found.nb_backwards, 0);
}
END_TEST

// What the client refused is a part of what waits, whatever comes between.
START_TEST(gauges_add_up) {
	uint64_t most_refused = 0;

	start_sink("order: relaxed\nack-window: 1024\n", "    queue.buffering.max.messages: 50\n");
	begin(&ring_delivery);
	rd_kafka_mock_broker_set_down(cluster, 1);
	put_packets(0, 1000, 0);
	for (int i = 0; i < 50; i++) {
		struct delivery_totals totals = {0};

		one_round(&ring_delivery);
		delivery_add_totals(&ring_delivery, &totals);
		ck_assert_uint_eq(
			totals.in_flight + totals.outbox + totals.tx_queued + totals.tx_refused,
			ring_delivery.source.consumer.in_window
		);
		ck_assert_uint_le(totals.in_flight, 50);
		ck_assert_uint_le(totals.tx_refused, 1000);
		ck_assert_uint_le(totals.tx_queued, 1000);
		most_refused = totals.tx_refused > most_refused ? totals.tx_refused : most_refused;
		if (i > 2)
			ck_assert_uint_eq(totals.in_flight, 50);
	}
	ck_assert_uint_gt(most_refused, 100);
	rd_kafka_mock_broker_set_up(cluster, 1);
	serve_until(&ring_delivery, 1000);
	ck_at_rest(&ring_delivery, 1000);
}
END_TEST

START_TEST(given_back_with_an_empty_window) {
	uint32_t read;

	start_sink("", "");
	begin(&ring_delivery);
	put_packets(0, NB_PACKETS, 5);
	one_round(&ring_delivery);
	one_round(&ring_delivery);
	read = ring_delivery.window.head;
	ck_assert_uint_gt(read, 0);
	ring_delivery.giving_back = true;
	serve_until(&ring_delivery, read);
	one_round(&ring_delivery);
	ck_assert(delivery_is_empty(&ring_delivery));
	ck_assert_uint_eq(ring_delivery.window.head, read);
	delivery_end(&ring_delivery);
	begin(&ring_delivery); // the next owner begins there
	serve_until(&ring_delivery, NB_PACKETS);
	ck_at_rest(&ring_delivery, NB_PACKETS);
	ck_assert_uint_eq(get(&ring_counters.sent_again), 0);
	read_back();
	ck_each_once(0, NB_PACKETS);
}
END_TEST

// A transmit worker dies with its window: the next one starts at the tail and counts what it sends
// again.
START_TEST(taken_over) {
	static struct delivery second, third; // what the dead leave is not freed

	start_sink("ack-window: 512\n", "");
	begin(&ring_delivery);
	put_packets(0, 1000, 5);
	serve_until(&ring_delivery, 1000);
	rd_kafka_mock_broker_set_down(cluster, 1);
	put_packets(1000, 1000, 5);
	for (int i = 0; i < 10; i++)
		one_round(&ring_delivery);
	ck_assert_uint_eq(ring_delivery.source.consumer.in_window, 512);
	rte_ring_dequeue_zc_burst_start(ring, 700, &(struct rte_ring_zc_data){0}, NULL);
	rd_kafka_mock_broker_set_up(cluster, 1);
	rtap_config_fini(&cfg);
	start_sink("", ""); // the dead one's client is heard no more
	begin(&second); // dies before it reads anything
	ck_assert_uint_eq(get(&ring_counters.sent_again), 512);
	begin(&third);
	ck_assert_uint_eq(get(&ring_counters.sent_again), 512);
	serve_until(&third, 2000);
	ck_assert(delivery_is_empty(&third));
	ck_assert_uint_eq(get(&ring_counters.taken), 2512);
	ck_assert_uint_eq(get(&counters.delivered), 2000);
	read_back();
	for (uint32_t i = 0; i < 2000; i++)
		ck_assert_uint_ge(found.times[i], 1);
}
END_TEST

// Counters that were overwritten cost the balance, not a packet.
START_TEST(counters_disagree) {
	start_sink("", "");
	put_packets(0, 100, 0);
	rtap_counter_set(&ring_counters.taken, UINT64_C(123456789012));
	begin(&ring_delivery);
	serve_until(&ring_delivery, 100);
	ck_assert_uint_eq(get(&counters.delivered), 100);
	ck_assert_uint_eq(
		(uint32_t)(get(&ring_counters.taken) - get(&ring_counters.sent_again)), 100
	);
	read_back();
	ck_each_once(0, 100);
}
END_TEST

START_TEST(strange_reports) {
	start_sink("", "");
	begin(&ring_delivery);
	put_packets(0, 10, 0);
	serve_until(&ring_delivery, 10);
	report(9, false, SINK_DELIVERED);
	report(10, false, SINK_RETURNED);
	report(UINT32_MAX, true, SINK_TOO_LARGE);
	ck_assert_int_eq(ring_delivery.state, DELIVERY_READING);
	ck_at_rest(&ring_delivery, 10);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("rdkafka_sink");
	TCase *tc = tcase_create("rdkafka_sink");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, each_once_in_order, 0, NB_WAYS);
	tcase_add_test(tc, nothing_released_without_reports);
	tcase_add_test(tc, no_spinning_with_a_slow_broker);
	tcase_add_loop_test(tc, order_survives_refusals, 0, 5);
	tcase_add_test(tc, reports_without_an_offset);
	tcase_add_test(tc, returned_packets_are_sent_again);
	tcase_add_test(tc, paused);
	tcase_add_test(tc, paused_until_all_reported);
	tcase_add_loop_test(tc, suspects_are_sent_alone, 0, 4);
	tcase_add_loop_test(tc, failed_for_good_alone, 0, 4);
	tcase_add_loop_test(tc, several_fail_for_good, 0, 2);
	tcase_add_loop_test(tc, too_large_for_the_client, 0, NB_LARGE);
	tcase_add_loop_test(tc, full_queue_keeps_order, 0, 2);
	tcase_add_test(tc, gauges_add_up);
	tcase_add_test(tc, given_back_with_an_empty_window);
	tcase_add_test(tc, taken_over);
	tcase_add_test(tc, counters_disagree);
	tcase_add_test(tc, strange_reports);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
