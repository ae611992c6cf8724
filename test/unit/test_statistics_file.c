// SPDX-License-Identifier: BSD-3-Clause
// Tests of the statistics file: what is written, and what is left alone.

#include "check_main.h"
#include "log.h"
#include "statistics_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKER 3
#define NOBODY 65534

static const struct run_as other = {.name = "nobody", .uid = NOBODY, .gid = NOBODY};
static const struct run_as myself = {0};

static char directory[] = "/tmp/rtap-statistics-XXXXXX";
static char path[64], moved[64], said_path[64];

static void set_up(void) {
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/statistics", directory);
	snprintf(moved, sizeof(moved), "%s/statistics.1", directory);
	snprintf(said_path, sizeof(said_path), "%s/said", directory);
	rtap_log_init("test", RTAP_LOG_NOTICE);
	ck_assert_ptr_nonnull(freopen(said_path, "w", stderr)); // of this process alone
}

static void tear_down(void) {
	unlink(path);
	unlink(moved);
	unlink(said_path);
	ck_assert_int_eq(rmdir(directory), 0);
}

static void ck_holds(const char *file, const char *wanted) {
	char text[4096] = "";
	FILE *in = fopen(file, "r");

	ck_assert_ptr_nonnull(in);
	text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
	fclose(in);
	ck_assert_msg(strstr(text, wanted) != NULL, "%s: %s", file, text);
}

START_TEST(lines_are_marked) {
	char line[128];

	ck_assert_int_eq(statistics_file_open(path, WORKER, &myself), 0);
	statistics_file_write("{ \"name\": \"x\" }");
	snprintf(
		line, sizeof(line), "{ \"worker\": 3, \"pid\": %d,  \"name\": \"x\" }\n", getpid()
	);
	ck_holds(path, line);
}
END_TEST

// It has no reader yet: must not wait for a reader.
START_TEST(a_pipe_is_refused) {
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(statistics_file_open(path, WORKER, &other), 0);
	statistics_file_write("{}");
	ck_holds(said_path, "statistics: not a regular file; no statistics\n");
}
END_TEST

START_TEST(a_read_pipe_is_left_alone) {
	struct stat st;
	char byte;
	int fd;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(statistics_file_open(path, WORKER, &other), 0);
	statistics_file_write("{}");
	ck_assert_int_eq(read(fd, &byte, 1), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_uid, geteuid());
	ck_holds(said_path, "statistics: not a regular file; no statistics\n");
	close(fd);
}
END_TEST

START_TEST(a_pipe_in_its_place_is_refused) {
	ck_assert_int_eq(statistics_file_open(path, WORKER, &myself), 0);
	ck_assert_int_eq(rename(path, moved), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	raise(SIGHUP);
	statistics_file_reopen_if_asked();
	statistics_file_write("{ \"name\": \"x\" }");
	ck_holds(moved, "\"name\": \"x\"");
	ck_holds(said_path, "the old file stays in use\n");
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("statistics_file");
	TCase *tc = tcase_create("statistics_file");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 10);
	tcase_add_test(tc, lines_are_marked);
	tcase_add_test(tc, a_pipe_is_refused);
	tcase_add_test(tc, a_read_pipe_is_left_alone);
	tcase_add_test(tc, a_pipe_in_its_place_is_refused);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
