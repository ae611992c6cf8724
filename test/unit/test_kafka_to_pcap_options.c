// SPDX-License-Identifier: BSD-3-Clause
// Command lines of kafka-to-pcap: an invalid one is refused with one line that says why.

#include "check_main.h"
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_WORDS 16

static struct reader_options opts;
static char said[512]; // on stderr

static void read_all(FILE *from) {
	rewind(from);
	said[fread(said, 1, sizeof(said) - 1, from)] = '\0';
	fclose(from);
}

// Words with a space between.
static int parse(const char *line) {
	static char words[512];
	char *argv[MAX_WORDS + 1] = {NULL}, *rest;
	int argc = 0, rc, old = dup(STDERR_FILENO);
	FILE *file = tmpfile();

	snprintf(words, sizeof(words), "kafka-to-pcap %s", line);
	for (char *w = strtok_r(words, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
		argv[argc++] = w;
	ck_assert(file != NULL && old >= 0);
	dup2(fileno(file), STDERR_FILENO);
	optind = 0;
	rc = reader_options_parse(&opts, argc, argv);
	free(opts.reader.settings.properties);
	dup2(old, STDERR_FILENO);
	close(old);
	read_all(file);
	return rc;
}

static void ck_refused(const char *line, const char *why) {
	ck_assert_int_eq(parse(line), -EINVAL);
	ck_assert_msg(strstr(said, why) != NULL, "%s: %s", line, said);
	ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
}

static void ck_taken(const char *line) {
	ck_assert_msg(parse(line) == 0, "%s: %s", line, said);
	ck_assert_str_eq(said, "");
}

START_TEST(a_range) {
	ck_taken("-c x.yaml -w f");
	ck_assert_uint_eq(opts.reader.from_ns, 0);
	ck_assert_uint_eq(opts.reader.to_ns, UINT64_MAX);
	ck_taken("-c x.yaml -w f --from 0 --to 1");
	ck_assert_uint_eq(opts.reader.to_ns, 1000000000);
	ck_refused("-c x.yaml -w f --to 0", "--to must be later");
	ck_refused("-c x.yaml -w f --from 5 --to 5", "--to must be later");
	ck_refused("-c x.yaml -w f --from-end", "needs --follow");
	ck_refused("-c x.yaml -w f --follow --from-end --from 0", "not both");
	ck_taken("-c x.yaml -w f --from 5 --margin-s 7");
	ck_assert_uint_eq(opts.reader.margin_s, 7);
	ck_taken("-c x.yaml -w f --to 5 --margin-s 7");
	ck_refused("-c x.yaml -w f --margin-s 7", "--margin-s needs --from or --to");
}
END_TEST

START_TEST(nothing_is_no_name) {
	// strtok() knows no empty words.
	char program[] = "kafka-to-pcap", c[] = "-cx.yaml", w[] = "-w", empty[] = "";
	char *argv[] = {program, c, w, empty, NULL};

	optind = 0;
	ck_assert_int_eq(reader_options_parse(&opts, 4, argv), -EINVAL);
	free(opts.reader.settings.properties);
	ck_taken("-c x.yaml -w f");
}
END_TEST

START_TEST(a_topic_that_cannot_be) {
	ck_taken("-b b -t a.b -w f");
	ck_assert_str_eq(opts.reader.topic, "a.b");
	ck_refused("-b b -t a/b -w f", "--topic: \"a/b\" is refused; allowed: 1 to 249 of");
	ck_refused("-c x.yaml -t .. -w f", "--topic: \"..\" is refused");
}
END_TEST

START_TEST(a_check_writes_nothing) {
	ck_taken("-c x.yaml --check --require-complete --from 1 --window 5");
	ck_refused("-c x.yaml --check --count 5", "and writes none: without --count");
	ck_refused("-c x.yaml --check -c 5", "without --count");
	ck_refused("-c x.yaml --format pcap --check", "without --format");
	ck_refused("-c x.yaml --check -w f", "without -w");
	ck_refused("-c x.yaml --check --unique", "without --unique");
	ck_refused("-c x.yaml --filter ip --check", "without --filter");
}
END_TEST

START_TEST(numbers) {
	ck_taken("-c x.yaml -w f --count 1 --timeout-s 0");
	ck_refused("-c x.yaml -w f --count 0", "not a number from 1 to");
	ck_refused("-c x.yaml -w f --window -1", "not a number from 0 to");
}
END_TEST

START_TEST(wireshark_starts_where_it_is_told) {
	ck_taken("--capture --extcap-interface kafka-x --fifo f");
	ck_assert(opts.reader.from_end);
	ck_taken("--capture --extcap-interface kafka-x --fifo f --from 0");
	ck_assert(!opts.reader.from_end);
	ck_refused("-c x.yaml -w g --fifo f", "--fifo needs --capture");
	ck_refused("--extcap-interfaces --fifo f", "--fifo needs --capture");
}
END_TEST

START_TEST(a_newer_wireshark_may_say_more) {
	ck_taken("--extcap-interfaces --extcap-cleanup-postkill --extcap-version=5.0");
	ck_assert_int_eq(opts.extcap.question, EXTCAP_INTERFACES);
	ck_taken("--log-level debug --capture --log-file=x --extcap-interface kafka-x --fifo f "
		 "--extcap-new value");
	ck_assert_int_eq(opts.extcap.question, EXTCAP_CAPTURE);
	ck_assert_str_eq(opts.extcap.interface, "kafka-x");
	ck_assert_str_eq(opts.extcap.fifo, "f");
	ck_taken("--extcap-dlts --extcap-flag --extcap-interface kafka-x");
	ck_assert_int_eq(opts.extcap.question, EXTCAP_DLTS);
	ck_refused("--capture --extcap-interface kafka-x --fifo f --folow", "--folow");
	ck_refused("--extcap-interfcaes", "--extcap-interfcaes");
	ck_refused("-c x.yaml -w f --log-level debug", "--log-level");
	ck_refused("-c x.yaml -w f --extcap-cleanup-postkill", "--extcap-cleanup-postkill");
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("kafka_to_pcap_options");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, a_range);
	tcase_add_test(tcase, nothing_is_no_name);
	tcase_add_test(tcase, a_topic_that_cannot_be);
	tcase_add_test(tcase, a_check_writes_nothing);
	tcase_add_test(tcase, numbers);
	tcase_add_test(tcase, wireshark_starts_where_it_is_told);
	tcase_add_test(tcase, a_newer_wireshark_may_say_more);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
