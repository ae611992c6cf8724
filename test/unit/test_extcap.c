// SPDX-License-Identifier: BSD-3-Clause
// What Wireshark is told: topics of configuration files as interfaces, and nothing that breaks its
// lines.

#include "check_main.h"
#include "extcap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char *complaints;
static struct extcap_topics topics;

static void make_folder(const char *name) {
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void write_file(const char *name, const char *text) {
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

static void setup(void) {
	snprintf(folder, sizeof(folder), "/tmp/test_extcap.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	make_folder(".config");
	make_folder(".config/ringtap");
	setenv("HOME", folder, 1);
	unsetenv(EXTCAP_FILES_VARIABLE);
}

static void teardown(void) {
	char command[128];

	extcap_topics_free(&topics);
	free(complaints);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

static void find(void) {
	size_t size;
	FILE *out = open_memstream(&complaints, &size);

	ck_assert_int_eq(extcap_topics_find(&topics, out), 0);
	fclose(out);
}

static char *interfaces(void) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	extcap_print_interfaces(out, &topics);
	fclose(out);
	return text;
}

START_TEST(files_of_the_user) {
	const struct extcap_topic *topic;
	char *text;

	write_file(".config/ringtap/edge 1.yaml", "topic: packets\n");
	write_file(".config/ringtap/broken.yaml", "topic: [\n");
	write_file(".config/ringtap/notes.txt", "topic: other\n");
	find();
	ck_assert_ptr_nonnull(strstr(complaints, "broken.yaml:"));
	ck_assert_ptr_null(strstr(complaints, "notes"));
	topic = extcap_topics_lookup(&topics, "kafka-edge%201");
	ck_assert_ptr_nonnull(topic);
	ck_assert_str_eq(topic->topic, "packets");
	ck_assert_ptr_null(extcap_topics_lookup(&topics, "kafka-broken"));
	ck_assert_ptr_null(extcap_topics_lookup(&topics, EXTCAP_ANY_TOPIC));
	text = interfaces();
	ck_assert_ptr_nonnull(strstr(text, "extcap {version="));
	ck_assert_ptr_nonnull(
		strstr(text, "\ninterface {value=kafka-edge%201}{display=Kafka topic packets, /")
	);
	ck_assert_ptr_nonnull(
		strstr(text, "\ninterface {value=kafka}{display=Kafka topic of your choice}\n")
	);
	free(text);
}
END_TEST

START_TEST(files_that_are_named) {
	char list[256];

	write_file(".config/ringtap/home.yaml", "topic: home\n");
	write_file("a.yaml", "topic: first\n");
	write_file("b", "topic: second\n");
	make_folder("c");
	write_file("c/a.yaml", "topic: third\n");
	snprintf(
		list, sizeof(list), "%s/a.yaml::%s/b:%s/c/a.yaml:/nowhere/x.yaml", folder, folder,
		folder
	);
	setenv(EXTCAP_FILES_VARIABLE, list, 1);
	find();
	ck_assert_uint_eq(topics.nb, 2);
	ck_assert_str_eq(topics.topics[0].interface, "kafka-a");
	ck_assert_str_eq(topics.topics[0].topic, "first"); // goes before the other a.yaml
	ck_assert_str_eq(topics.topics[1].interface, "kafka-b");
	ck_assert_ptr_nonnull(strstr(complaints, "/nowhere/x.yaml"));
}
END_TEST

START_TEST(no_file_hides_another) {
	static const char *const names[][2] = {
		{"a b", "kafka-a%20b"},
		{"a_b", "kafka-a_b"},
		{"a%20b", "kafka-a%2520b"},
		{"\xc3\xa9", "kafka-%C3%A9"},
	};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), ".config/ringtap/%s.yaml", names[i][0]);
		write_file(path, "topic: x\n");
	}
	find();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_ptr_nonnull(extcap_topics_lookup(&topics, names[i][1]));
}
END_TEST

// One would wait for ever, the other has no end.
START_TEST(what_is_no_file_is_left_out) {
	char path[128];

	snprintf(path, sizeof(path), "%s/.config/ringtap/fifo.yaml", folder);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/.config/ringtap/zero.yaml", folder);
	ck_assert_int_eq(symlink("/dev/zero", path), 0);
	make_folder(".config/ringtap/folder.yaml");
	write_file(".config/ringtap/other.yaml", "topic: x\n");
	find();
	ck_assert_ptr_nonnull(
		strstr(complaints, "fifo.yaml: left out of the list: not a regular file\n")
	);
	ck_assert_ptr_nonnull(
		strstr(complaints, "zero.yaml: left out of the list: not a regular file\n")
	);
	ck_assert_ptr_nonnull(
		strstr(complaints, "folder.yaml: left out of the list: not a regular file\n")
	);
	ck_assert_uint_eq(topics.nb, 1);
	ck_assert_str_eq(topics.topics[0].interface, "kafka-other");
}
END_TEST

START_TEST(no_file_breaks_a_line) {
	char list[256], *text;

	write_file("a}{value=b}\n.yaml", "topic: x\n");
	snprintf(list, sizeof(list), "%s/a}{value=b}\n.yaml", folder);
	setenv(EXTCAP_FILES_VARIABLE, list, 1);
	find();
	ck_assert_uint_eq(topics.nb, 1);
	text = interfaces();
	ck_assert_ptr_nonnull(
		strstr(text, "interface {value=kafka-a%7D%7Bvalue%3Db%7D%0A}{display=")
	);
	ck_assert_ptr_nonnull(strstr(text, "/avalue=b.yaml}\n"));
	free(text);
}
END_TEST

// Each line is a word and fields; each argument is called by an option.
static void ck_lines(const char *text) {
	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		ck_assert(
			strncmp(line, "arg {number=", 12) == 0
			|| strncmp(line, "value {arg=", 11) == 0
			|| strncmp(line, "dlt {number=1}", 14) == 0
		);
		ck_assert_ptr_nonnull(strchr(line, '\n'));
		ck_assert_int_eq(strchr(line, '\n')[-1], '}');
	}
}

START_TEST(arguments) {
	static const char *const which[] = {EXTCAP_ANY_TOPIC, "kafka-x"};

	for (int i = 0; i < 2; i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		extcap_print_config(out, which[i]);
		extcap_print_dlts(out);
		fclose(out);
		ck_lines(text);
		ck_assert((strstr(text, "{call=--brokers}") != NULL) == (i == 0));
		ck_assert_ptr_nonnull(strstr(text, "{call=--from}"));
		free(text);
	}
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("extcap");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, files_of_the_user);
	tcase_add_test(tcase, files_that_are_named);
	tcase_add_test(tcase, no_file_hides_another);
	tcase_add_test(tcase, what_is_no_file_is_left_out);
	tcase_add_test(tcase, no_file_breaks_a_line);
	tcase_add_test(tcase, arguments);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
