// SPDX-License-Identifier: BSD-3-Clause
// Tests of the check of a packet's buffers.

#include "check_main.h"
#include "packet_check.h"

#include <check.h>

#include <string.h>

#define NB_SEGS 3
#define ROOM 200
#define HEADROOM 40
#define LEN 100

static uint8_t room[NB_SEGS][ROOM];
static struct rte_mbuf m[NB_SEGS];

static void set_up(void) {
	memset(m, 0, sizeof(m));
	for (unsigned int i = 0; i < NB_SEGS; i++) {
		m[i].buf_addr = room[i];
		m[i].buf_len = ROOM;
		m[i].data_off = HEADROOM;
		m[i].data_len = LEN;
		m[i].nb_segs = 1;
	}
}

static void chain(void) {
	m[0].next = &m[1];
	m[1].next = &m[2];
	m[0].nb_segs = NB_SEGS;
	m[0].pkt_len = NB_SEGS * LEN;
}

START_TEST(one_buffer) {
	m[0].pkt_len = LEN;
	ck_assert(packet_check(&m[0]));
	m[0].pkt_len = LEN + 65536; // a record of net_pcap's
	ck_assert(!packet_check(&m[0]));
	m[0].pkt_len = LEN - 1;
	ck_assert(!packet_check(&m[0]));
	m[0].pkt_len = m[0].data_len = ROOM - HEADROOM;
	ck_assert(packet_check(&m[0]));
	m[0].pkt_len = ++m[0].data_len; // a size of net_null's
	ck_assert(!packet_check(&m[0]));
	m[0].pkt_len = m[0].data_len = 0;
	ck_assert(packet_check(&m[0]));
}
END_TEST

START_TEST(several_buffers) {
	chain();
	ck_assert(packet_check(&m[0]));
	m[0].pkt_len += 65536;
	ck_assert(!packet_check(&m[0]));
	m[0].pkt_len -= 65536;
	m[2].data_len = ROOM - HEADROOM + 1;
	m[0].pkt_len = 2 * LEN + m[2].data_len;
	ck_assert(!packet_check(&m[0]));
}
END_TEST

START_TEST(number_of_buffers) {
	chain();
	m[0].nb_segs = NB_SEGS + 1;
	ck_assert(!packet_check(&m[0]));
	m[0].nb_segs = NB_SEGS - 1;
	ck_assert(!packet_check(&m[0]));
	m[0].nb_segs = 0;
	ck_assert(!packet_check(&m[0]));
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("packet_check");
	TCase *tc = tcase_create("packet_check");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, one_buffer);
	tcase_add_test(tc, several_buffers);
	tcase_add_test(tc, number_of_buffers);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
