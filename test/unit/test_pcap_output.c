// SPDX-License-Identifier: BSD-3-Clause
// Files of packets, read back by libpcap and, pcapng, block by block; and the filter before them.

#include "check_main.h"
#include "pcap_output.h"
#include "read_filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TIME_NS UINT64_C(1795575600123456789)

static char path[40];
static int file;
static uint8_t frame[300000];

static void setup(void) {
	file = memfd_create("packets", 0);
	ck_assert_int_ge(file, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
}

static void teardown(void) {
	close(file);
}

static struct pcap_output *open_output(enum pcap_output_format format) {
	char error[PCAP_OUTPUT_ERROR_BYTES];
	struct pcap_output *out = pcap_output_open(path, format, error);

	ck_assert_msg(out != NULL, "%s", error);
	return out;
}

static void write_packets(struct pcap_output *out) {
	ck_assert_int_eq(pcap_output_interface(out, "probe:a"), 0);
	ck_assert_int_eq(pcap_output_interface(out, "probe:b"), 0);
	ck_assert_uint_eq(pcap_output_nb_interfaces(out), 2);
	// Each length modulo 4, an empty frame, a cut one, one that the format does not hold.
	for (size_t len = 60; len < 64; len++)
		ck_assert_int_eq(pcap_output_write(out, len % 2, TIME_NS, frame, len, len), 0);
	ck_assert_int_eq(pcap_output_write(out, 0, 0, NULL, 0, 0), 0);
	ck_assert_int_eq(
		pcap_output_write(out, 1, UINT64_C(4294967295999999999), frame, 64, 1514), 0
	);
	ck_assert_int_eq(
		pcap_output_write(out, 1, TIME_NS, frame, sizeof(frame), sizeof(frame)), 0
	);
	ck_assert_int_eq(pcap_output_statistics(out, 1, TIME_NS, 1000, 7), 0);
	ck_assert_int_eq(pcap_output_flush(out), 0);
	pcap_output_close(out);
}

// `unit` ns have to be left of a time.
static void ck_next(pcap_t *pcap, uint64_t unit, uint64_t time_ns, size_t len, size_t wire_len) {
	struct pcap_pkthdr *header;
	const u_char *bytes;

	ck_assert_int_eq(pcap_next_ex(pcap, &header, &bytes), 1);
	ck_assert_uint_eq((uint32_t)header->ts.tv_sec, time_ns / 1000000000);
	ck_assert_uint_eq((uint64_t)header->ts.tv_usec, time_ns % 1000000000 / unit * unit);
	ck_assert_uint_eq(header->caplen, len);
	ck_assert_uint_eq(header->len, wire_len);
	ck_assert_mem_eq(bytes, frame, len);
}

static void ck_packets(uint64_t unit) {
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline_with_tstamp_precision(
		path, PCAP_TSTAMP_PRECISION_NANO, error
	);
	struct pcap_pkthdr *header;
	const u_char *bytes;

	ck_assert_msg(pcap != NULL, "%s", error);
	ck_assert_int_eq(pcap_datalink(pcap), DLT_EN10MB);
	for (size_t len = 60; len < 64; len++)
		ck_next(pcap, unit, TIME_NS, len, len);
	ck_next(pcap, unit, 0, 0, 0);
	ck_next(pcap, unit, UINT64_C(4294967295999999999), 64, 1514);
	ck_next(pcap, unit, TIME_NS, PCAP_OUTPUT_SNAPLEN, sizeof(frame));
	ck_assert_int_eq(pcap_next_ex(pcap, &header, &bytes), PCAP_ERROR_BREAK);
	pcap_close(pcap);
}

START_TEST(pcap_in_us) {
	write_packets(open_output(PCAP_OUTPUT_PCAP));
	ck_packets(1000);
}
END_TEST

START_TEST(pcap_in_ns) {
	write_packets(open_output(PCAP_OUTPUT_PCAP_NS));
	ck_packets(1);
}
END_TEST

START_TEST(pcapng) {
	write_packets(open_output(PCAP_OUTPUT_PCAPNG));
	ck_packets(1);
}
END_TEST

static uint32_t u32_at(const uint8_t *bytes, size_t at) {
	uint32_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

START_TEST(pcapng_blocks) {
	static const uint32_t kinds[] = {0x0a0d0d0a, 1, 1, 6, 6, 6, 6, 6, 6, 6, 5};
	static uint8_t bytes[400000];
	size_t nb = 0, at = 0, size;

	write_packets(open_output(PCAP_OUTPUT_PCAPNG));
	size = (size_t)pread(file, bytes, sizeof(bytes), 0);
	for (; at < size; nb++) {
		size_t len = u32_at(bytes, at + 4);

		ck_assert_uint_lt(nb, sizeof(kinds) / sizeof(kinds[0]));
		ck_assert_uint_eq(u32_at(bytes, at), kinds[nb]);
		ck_assert_uint_eq(len % 4, 0);
		ck_assert_uint_le(at + len, size);
		ck_assert_uint_eq(u32_at(bytes, at + len - 4), len);
		if (nb == 2)
			ck_assert_mem_eq(bytes + at + 16, "\x02\x00\x07\x00probe:b\x00", 12);
		if (nb == 3)
			ck_assert_uint_eq(u32_at(bytes, at + 8), 0);
		if (nb == 4)
			ck_assert_uint_eq(u32_at(bytes, at + 8), 1);
		if (nb == 10) {
			ck_assert_uint_eq(u32_at(bytes, at + 8), 1);
			ck_assert_mem_eq(
				bytes + at + 20, "\x04\x00\x08\x00\xe8\x03\0\0\0\0\0\0", 12
			);
			ck_assert_mem_eq(bytes + at + 32, "\x05\x00\x08\x00\x07\0\0\0\0\0\0\0", 12);
		}
		at += len;
	}
	ck_assert_uint_eq(nb, sizeof(kinds) / sizeof(kinds[0]));
}
END_TEST

START_TEST(no_place) {
	char error[PCAP_OUTPUT_ERROR_BYTES];

	ck_assert_ptr_null(pcap_output_open("/nowhere/x", PCAP_OUTPUT_PCAPNG, error));
	ck_assert_str_eq(error, "/nowhere/x: No such file or directory");
	ck_assert_ptr_null(pcap_output_open("/nowhere/x", PCAP_OUTPUT_PCAP, error));
	ck_assert_str_eq(error, "/nowhere/x: No such file or directory");
}
END_TEST

START_TEST(full_disk) {
	char error[PCAP_OUTPUT_ERROR_BYTES];
	enum pcap_output_format format = _i;
	struct pcap_output *out = pcap_output_open("/dev/full", format, error);

	ck_assert_ptr_nonnull(out);
	pcap_output_interface(out, "x");
	pcap_output_write(out, 0, 1, frame, 60, 60);
	ck_assert_int_lt(pcap_output_flush(out), 0);
	pcap_output_close(out);
}
END_TEST

// ---- filter ----

static const uint8_t udp[] = "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0"
			     "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2"
			     "\x03\xe8\0\x35\0\x08\0\0";

static bool matches(const char *expression, size_t len, size_t wire_len) {
	char error[READ_FILTER_ERROR_BYTES];
	struct read_filter *filter = read_filter_create(expression, error);
	bool yes;

	ck_assert_msg(filter != NULL, "%s: %s", expression, error);
	yes = read_filter_matches(filter, udp, len, wire_len);
	read_filter_destroy(filter);
	return yes;
}

START_TEST(filter) {
	size_t len = sizeof(udp) - 1;

	ck_assert(matches("host 10.0.0.1 and host 10.0.0.2 and port 53", len, len));
	ck_assert(!matches("host 10.0.0.1 and host 10.0.0.3 and port 53", len, len));
	ck_assert(!matches("port 53", 30, len)); // cut before the ports
	ck_assert(matches("greater 1000", len, 1514));
	ck_assert(!matches("greater 1000", len, len));
	ck_assert(!matches("ip", 0, 0));
}
END_TEST

START_TEST(wrong_filter) {
	char error[READ_FILTER_ERROR_BYTES];

	ck_assert_ptr_null(read_filter_create("hst x", error));
	ck_assert_ptr_nonnull(strstr(error, "syntax error"));
	ck_assert_ptr_null(strchr(error, '\n'));
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("pcap_output");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, pcap_in_us);
	tcase_add_test(tcase, pcap_in_ns);
	tcase_add_test(tcase, pcapng);
	tcase_add_test(tcase, pcapng_blocks);
	tcase_add_test(tcase, no_place);
	tcase_add_loop_test(tcase, full_disk, PCAP_OUTPUT_PCAP, PCAP_OUTPUT_PCAPNG + 1);
	tcase_add_test(tcase, filter);
	tcase_add_test(tcase, wrong_filter);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
