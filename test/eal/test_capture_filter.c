// SPDX-License-Identifier: BSD-3-Clause
// Tests of the capture filter: on frames of every kind it says what libpcap's own interpreter says,
// for packets in one buffer and in several.

#include "capture_filter.h"
#include "check_main.h"
#include "filter_program.h"
#include "packets.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct capture_filter *filter;
static struct bpf_program program;
static struct rte_mbuf *pkts[NB_FRAMES];

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
	"ip broadcast or ip multicast",
	"ip6 protochain 17 or ip protochain 6",
	"geneve and ip",
	"not (vlan and tcp) or (udp and vlan)",
	"ether[0x7ffffff0] = 0 or ether[5] << 31 = 0",
};
#define NB_EXPRESSIONS (sizeof(expressions) / sizeof(expressions[0]))

static void set_up(void) {
	packets_make_frames(3);
}

static void tear_down(void) {
	capture_filter_destroy(filter);
	pcap_freecode(&program);
}

static void compile(const char *expression) {
	pcap_t *nowhere = pcap_open_dead(DLT_EN10MB, 262144);
	char why[256];

	ck_assert_msg(
		capture_filter_create(&filter, expression, why, sizeof(why)) == 0, "%s: %s",
		expression, why
	);
	ck_assert_int_eq(pcap_compile(nowhere, &program, expression, 1, 0), 0);
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
		pkts[i] = packets_get(i, nb_segs);
	nb_wanted = capture_filter_run(filter, pkts, NB_FRAMES);
	for (unsigned int i = 0; i < NB_FRAMES; i++) {
		if (!is_wanted(i))
			continue;
		ck_assert_msg(k < nb_wanted && pkts[k] == &mbufs[i][0], "frame %u", i);
		k++;
	}
	ck_assert_uint_eq(k, nb_wanted);
	for (unsigned int i = 0; i < NB_FRAMES; i++)
		there[(struct rte_mbuf(*)[MAX_SEGMENTS])pkts[i] - mbufs] = true;
	for (unsigned int i = 0; i < NB_FRAMES; i++)
		ck_assert(there[i]);
}

START_TEST(as_libpcap) {
	compile(expressions[_i]);
	ck_agrees(1);
	ck_agrees(2);
	ck_agrees(MAX_SEGMENTS);
}
END_TEST

START_TEST(everything) {
	char why[256];

	ck_assert_int_eq(capture_filter_create(&filter, "", why, sizeof(why)), 0);
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
	{"inbound", "inbound/outbound not supported"},
	{"outbound and tcp", "inbound/outbound not supported"},
	{"ifindex 1", "ifindex"},
	{"geneve or icmp", "by chance"},
};

START_TEST(refused_with_a_reason) {
	char why[256] = "";

	ck_assert_int_eq(
		capture_filter_create(&filter, refused[_i].expression, why, sizeof(why)), -EINVAL
	);
	ck_assert_msg(strstr(why, refused[_i].why) != NULL, "%s", why);
	ck_assert_ptr_nonnull(strstr(why, "allowed: "));
	ck_assert_ptr_null(filter);
}
END_TEST

// "port 1 or 2 or 3": minutes of libpcap's optimiser in 4,000 characters.
START_TEST(compiling_has_an_end) {
	char expression[4096] = "port 1", why[256] = "";
	size_t len = strlen(expression);
	time_t began = time(NULL);

	for (unsigned int port = 2; len < sizeof(expression) - 16; port++)
		len += (size_t)snprintf(expression + len, sizeof(expression) - len, " or %u", port);
	ck_assert_int_eq(capture_filter_create(&filter, expression, why, sizeof(why)), -ETIME);
	ck_assert_ptr_null(filter);
	ck_assert_int_le(time(NULL) - began, RTAP_FILTER_COMPILE_S + 2);
	ck_assert_msg(strstr(why, "takes more than 10 s; use a shorter one") != NULL, "%s", why);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("capture_filter");
	TCase *tc = tcase_create("capture_filter");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, as_libpcap, 0, NB_EXPRESSIONS);
	tcase_add_test(tc, everything);
	tcase_add_loop_test(tc, refused_with_a_reason, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, compiling_has_an_end);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
