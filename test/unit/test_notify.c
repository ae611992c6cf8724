// SPDX-License-Identifier: BSD-3-Clause
// Words to the service manager: the test is the manager, with a socket of its own.

#include "check_main.h"
#include "notify.h"
#include "now.h"

#include <check.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[] = "/tmp/test_notify.XXXXXX";
static char name[64]; // as in $NOTIFY_SOCKET
static int manager = -1;

// `first`: '/' for a socket in the file system, '@' for an abstract one.
static void listen_at(char first) {
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	snprintf(name, sizeof(name), "%s/socket", dir);
	if (first == '@')
		snprintf(name, sizeof(name), "@test_notify.%d", getpid());
	memcpy(addr.sun_path, name, strlen(name));
	if (first == '@')
		addr.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(manager, 0);
	ck_assert_int_eq(
		bind(manager, (struct sockaddr *)&addr,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		0
	);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void setup(void) {
	ck_assert_ptr_nonnull(mkdtemp(dir));
	unsetenv("NOTIFY_SOCKET");
}

static void teardown(void) {
	close(manager);
	if (name[0] == '/')
		unlink(name);
	rmdir(dir);
}

// The next word, "" when there is none.
static const char *heard(void) {
	static char text[128];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

START_TEST(is_heard) {
	listen_at("/@"[_i]);
	ck_assert_int_eq(rtap_notify("READY=1"), 1);
	ck_assert_str_eq(heard(), "READY=1");
	ck_assert_str_eq(heard(), "");
}
END_TEST

START_TEST(nobody_asked) {
	ck_assert_int_eq(rtap_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	ck_assert_int_eq(rtap_notify("READY=1"), 0);
}
END_TEST

START_TEST(name_that_is_none) {
	char too_long[200] = "/";

	setenv("NOTIFY_SOCKET", "relative", 1);
	ck_assert_int_eq(rtap_notify("READY=1"), -EINVAL);
	memset(too_long + 1, 'x', sizeof(too_long) - 2);
	setenv("NOTIFY_SOCKET", too_long, 1);
	ck_assert_int_eq(rtap_notify("READY=1"), -EINVAL);
}
END_TEST

START_TEST(manager_is_gone) {
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	ck_assert_int_eq(rtap_notify("READY=1"), -ENOENT);
	rtap_notify_alive();
	rtap_notify_patience(1);
}
END_TEST

// A manager that does not read: its socket is full at some time.
START_TEST(never_waits) {
	uint64_t before_ns = rtap_monotonic_ns();
	int rc = 1;

	listen_at('/');
	for (int i = 0; i < 100000 && rc == 1; i++)
		rc = rtap_notify("WATCHDOG=1");
	ck_assert_int_eq(rc, -EAGAIN);
	ck_assert_uint_lt(rtap_monotonic_ns() - before_ns, UINT64_C(10000000000));
}
END_TEST

START_TEST(alive_once_a_second) {
	uint64_t since_ns;

	listen_at('/');
	rtap_notify_alive();
	since_ns = rtap_monotonic_ns();
	ck_assert_str_eq(heard(), "WATCHDOG=1");
	rtap_notify_alive();
	ck_assert_str_eq(heard(), "");
	do {
		usleep(10000);
		rtap_notify_alive();
	} while (heard()[0] == '\0' && rtap_monotonic_ns() - since_ns < UINT64_C(5000000000));
	ck_assert_uint_ge(rtap_monotonic_ns() - since_ns, UINT64_C(990000000));
	ck_assert_uint_lt(rtap_monotonic_ns() - since_ns, UINT64_C(5000000000));
}
END_TEST

START_TEST(patience_in_microseconds) {
	listen_at('/');
	rtap_notify_patience(10);
	ck_assert_str_eq(heard(), "EXTEND_TIMEOUT_USEC=20000000");
	rtap_notify_patience(3600);
	ck_assert_str_eq(heard(), "EXTEND_TIMEOUT_USEC=3610000000");
}
END_TEST

static Suite *make_suite(void) {
	Suite *s = suite_create("notify");
	TCase *tc = tcase_create("notify");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, is_heard, 0, 2);
	tcase_add_test(tc, nobody_asked);
	tcase_add_test(tc, name_that_is_none);
	tcase_add_test(tc, manager_is_gone);
	tcase_add_test(tc, never_waits);
	tcase_add_test(tc, alive_once_a_second);
	tcase_add_test(tc, patience_in_microseconds);
	suite_add_tcase(s, tc);
	return s;
}

CHECK_MAIN(make_suite)
