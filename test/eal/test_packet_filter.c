// SPDX-License-Identifier: BSD-3-Clause
// Tests of the packet filter: on frames of every kind it says what libpcap's own interpreter says, for
// packets in one buffer and in several.

#include "check_main.h"
#include "eal_test.h"
#include "frame_make.h"
#include "log.h"
#include "packet_filter.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NB_FRAMES 512
#define MAX_FRAME 1600
#define SEGMENTS 3

static struct packet_filter *filter;
static struct bpf_program program;
static struct rte_mbuf mbufs[NB_FRAMES][SEGMENTS];
static struct rte_mbuf *pkts[NB_FRAMES];
static uint8_t frames[NB_FRAMES][MAX_FRAME];
static size_t lengths[NB_FRAMES];

static const char *const expressions[] = {
	"ip",
	"ip6",
	"arp",
	"tcp",
	"udp port 53 or tcp",
	"not tcp",
	"vlan",
	"vlan and ip",
	"vlan and vlan and udp",
	"vlan 7 or (vlan and tcp)",
	"mpls",
	"ether[0] & 1 = 1",
	"ether host 02:00:00:00:00:01 or ip6",
	"net 10.0.0.0/8",
	"ip6 net 2000::/3",
	"len > 200",
	"greater 1000",
	"less 128",
	"tcp[tcpflags] & (tcp-syn|tcp-ack) != 0",
	"ip[6:2] & 0x1fff != 0",
	"icmp or icmp6",
	"sctp and not ip6",
	"ether[1200] = 0x41 or udp[1000:4] > 0x70000000",
	"(ip or ip6) and portrange 1-30000",
	"ip[0] + tcp[13] > 80",
	"tcp[13] = 2 or tcp[13] = 0x12",
	"udp[8:4] & 0x80000000 != 0",
	"udp[8:2] & 0x7f = 3",
	"ip[8] - udp[9] < 20 and udp[10:2] / 3 > 1000",
	"ip[(ip[0] & 0xf) * 4 + 8] > 128",
	"(ether[40] << 3) & 0xff > ether[41] or ether[42] * 3 = ether[43]",
};
#define NB_EXPRESSIONS (sizeof(expressions) / sizeof(expressions[0]))

static void put(struct rte_mbuf *m, uint8_t *data, size_t len) {
	memset(m, 0, sizeof(*m));
	m->buf_addr = data;
	m->buf_len = (uint16_t)len;
	m->data_len = (uint16_t)len;
	m->nb_segs = 1;
}

// The frame in `nb` buffers, the first one of 20 bytes: headers lie across them.
static struct rte_mbuf *make_packet(unsigned int i, unsigned int nb) {
	size_t at = 0;

	for (unsigned int s = 0; s < nb; s++) {
		size_t len = s + 1 == nb ? lengths[i] - at : 20;

		put(&mbufs[i][s], frames[i] + at, len);
		if (s > 0)
			mbufs[i][s - 1].next = &mbufs[i][s];
		at += len;
	}
	mbufs[i][0].nb_segs = (uint16_t)nb;
	mbufs[i][0].pkt_len = (uint32_t)lengths[i];
	return &mbufs[i][0];
}

static void set_up(void) {
	struct frame_make_config cfg = {.seed = 3, .nb_flows = 64, .max_bytes = MAX_FRAME};
	struct frame_make *fm = frame_make_create(&cfg);

	rtap_log_init("test", RTAP_LOG_ERR);
	eal_test_start();
	ck_assert_ptr_nonnull(fm);
	for (unsigned int i = 0; i < NB_FRAMES; i++)
		lengths[i] = frame_make_next(fm, frames[i]);
	frame_make_destroy(fm);
}

static void tear_down(void) {
	packet_filter_destroy(filter);
	pcap_freecode(&program);
	eal_test_end();
}

static void compile(const char *expression) {
	pcap_t *nowhere = pcap_open_dead(DLT_EN10MB, 262144);
	char why[256];

	ck_assert_msg(
		packet_filter_create(&filter, expression, why, sizeof(why)) == 0, "%s: %s",
		expression, why
	);
	ck_assert_int_eq(pcap_compile(nowhere, &program, expression, 1, PCAP_NETMASK_UNKNOWN), 0);
	pcap_close(nowhere);
}

static bool is_wanted(unsigned int i) {
	struct pcap_pkthdr h = {.caplen = (uint32_t)lengths[i], .len = (uint32_t)lengths[i]};

	return pcap_offline_filter(&program, &h, frames[i]) != 0;
}

// Wanted packets come first and in order, none is lost.
static void ck_agrees(unsigned int nb_segs) {
	unsigned int nb_wanted = 0, k = 0;
	bool there[NB_FRAMES] = {false};

	for (unsigned int i = 0; i < NB_FRAMES; i++)
		pkts[i] = make_packet(i, nb_segs);
	nb_wanted = packet_filter_run(filter, pkts, NB_FRAMES);
	for (unsigned int i = 0; i < NB_FRAMES; i++) {
		if (!is_wanted(i))
			continue;
		ck_assert_msg(k < nb_wanted && pkts[k] == &mbufs[i][0], "frame %u", i);
		k++;
	}
	ck_assert_uint_eq(k, nb_wanted);
	for (unsigned int i = 0; i < NB_FRAMES; i++)
		there[(struct rte_mbuf(*)[SEGMENTS])pkts[i] - mbufs] = true;
	for (unsigned int i = 0; i < NB_FRAMES; i++)
		ck_assert(there[i]);
}

START_TEST(as_libpcap) {
	compile(expressions[_i]);
	ck_agrees(1);
	ck_agrees(2);
	ck_agrees(SEGMENTS);
}
END_TEST

START_TEST(everything) {
	char why[256];

	ck_assert_int_eq(packet_filter_create(&filter, "", why, sizeof(why)), 0);
	ck_assert_ptr_null(filter);
}
END_TEST

static const struct {
	const char *expression, *why;
} refused[] = {
	{"tcp prot 80", "syntax error"},
	{"port 99999", "port"},
	{"host 1.2.3.4 and", "syntax error"},
	{"tcp and udp", "rejects all packets"},
	{"vlan 5000", "VLAN"},
	{"ip6 protochain 6", "loop"},
};

START_TEST(refused_with_a_reason) {
	char why[256] = "";

	ck_assert_int_eq(packet_filter_check(refused[_i].expression, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, refused[_i].why));
	ck_assert_ptr_nonnull(strstr(why, "allowed: "));
	ck_assert_int_eq(
		packet_filter_create(&filter, refused[_i].expression, why, sizeof(why)), -EINVAL
	);
	ck_assert_ptr_null(filter);
	ck_assert_int_eq(packet_filter_check("tcp port 80", why, sizeof(why)), 0);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("packet_filter");
	TCase *tc = tcase_create("packet_filter");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, as_libpcap, 0, NB_EXPRESSIONS);
	tcase_add_test(tc, everything);
	tcase_add_loop_test(tc, refused_with_a_reason, 0, sizeof(refused) / sizeof(refused[0]));
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
