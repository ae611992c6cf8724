// SPDX-License-Identifier: BSD-3-Clause
// Tests of the directory of an instance: names, modes, locks, who is there.

#include "check_main.h"
#include "file_users.h"
#include "instance.h"
#include "lock_file.h"
#include "primary_info.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[64];
static struct rtap_instance inst;

static void set_up(void) {
	snprintf(base, sizeof(base), "/tmp/rtap-instance-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	setenv("RINGTAP_DIR", base, 1);
	ck_assert_int_eq(rtap_instance_init(&inst, "eth0"), 0);
	umask(077); // modes must not depend on it
}

static void tear_down(void) {
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", base);
	ck_assert_int_eq(system(command), 0);
}

static struct stat stat_of(const char *path) {
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st;
}

START_TEST(names) {
	const char *good[] = {"a", "eth0", "A-b_9", "_", "0", "123456789012345678901234"};
	const char *bad[] = {
		"",    "-a",  ".",        "..",  "a/b",
		"a b", "a.b", "\xc3\xa4", "a\n", "1234567890123456789012345",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(rtap_instance_name_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(!rtap_instance_name_valid(bad[i]), "%s", bad[i]);
		ck_assert_int_eq(rtap_instance_init(&inst, bad[i]), -EINVAL);
	}
}
END_TEST

START_TEST(base_rule) {
	struct statfs fs;
	char path[300], too_long[300];

	ck_assert_str_eq(
		rtap_instance_path(&inst, RTAP_FILE_COUNTERS, path, sizeof(path)) + strlen(base),
		"/eth0/counters"
	);
	unsetenv("RINGTAP_DIR");
	ck_assert_int_eq(rtap_instance_init(&inst, "eth0"), 0);
	ck_assert_int_eq(statfs("/run", &fs), 0);
	ck_assert_str_eq(
		inst.dir, fs.f_type == 0x01021994 ? "/run/ringtap/eth0" : "/dev/shm/ringtap/eth0"
	);
	setenv("RINGTAP_DIR", "", 1);
	ck_assert_int_eq(rtap_instance_init(&inst, "eth0"), 0);
	ck_assert_ptr_nonnull(strstr(inst.dir, "/ringtap/eth0"));
	setenv("RINGTAP_DIR", "relative", 1);
	ck_assert_int_eq(rtap_instance_init(&inst, "eth0"), -EINVAL);
	memset(too_long, '/', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	setenv("RINGTAP_DIR", too_long, 1);
	ck_assert_int_eq(rtap_instance_init(&inst, "eth0"), -EINVAL);
}
END_TEST

START_TEST(directory_modes_and_group) {
	char new_base[128];

	snprintf(new_base, sizeof(new_base), "%s/new", base);
	setenv("RINGTAP_DIR", new_base, 1);
	ck_assert_int_eq(rtap_instance_init(&inst, "eth0"), 0);
	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), 0);
	ck_assert_uint_eq(stat_of(new_base).st_mode & 07777, 0755);
	ck_assert_uint_eq(stat_of(inst.dir).st_mode & 07777, 0750);
	ck_assert_uint_eq(stat_of(inst.dir).st_gid, getegid());
	if (geteuid() != 0)
		return;
	// Another start, another group, a mode that somebody changed.
	ck_assert_int_eq(chmod(inst.dir, 0700), 0);
	ck_assert_int_eq(rtap_instance_create_dir(&inst, 12345), 0);
	ck_assert_uint_eq(stat_of(inst.dir).st_mode & 07777, 0750);
	ck_assert_uint_eq(stat_of(inst.dir).st_gid, 12345);
}
END_TEST

START_TEST(foreign_directories_are_refused) {
	ck_assert_int_eq(mkdir(inst.dir, 0700), 0);
	ck_assert_int_eq(chmod(inst.dir, 0770), 0);
	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), -EPERM);
	ck_assert_int_eq(chmod(inst.dir, 0702), 0);
	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), -EPERM);
	ck_assert_int_eq(rmdir(inst.dir), 0);
	ck_assert_int_eq(symlink(base, inst.dir), 0);
	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), -EPERM);
	ck_assert_int_eq(unlink(inst.dir), 0);
	close(open(inst.dir, O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), -EPERM);
	ck_assert_int_eq(unlink(inst.dir), 0);
	ck_assert_int_eq(chmod(base, 0777), 0);
	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), -EPERM);
	ck_assert_int_eq(chmod(base, 0700), 0);
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(inst.dir, 0700), 0);
	ck_assert_int_eq(chown(inst.dir, 65534, 65534), 0);
	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), -EPERM);
}
END_TEST

START_TEST(eal_runtime_dir) {
	ck_assert_int_eq(rtap_instance_set_eal_runtime_dir(&inst), 0);
	ck_assert_str_eq(getenv("RUNTIME_DIRECTORY"), inst.dir);
}
END_TEST

START_TEST(locks_of_two_descriptors) {
	char path[300];
	int a, b, reader;

	ck_assert_int_eq(rtap_lock_open(&inst, RTAP_FILE_SLOTS), -ENOENT);
	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), 0);
	a = rtap_lock_open(&inst, RTAP_FILE_SLOTS);
	b = rtap_lock_open(&inst, RTAP_FILE_SLOTS);
	reader = open(rtap_instance_path(&inst, RTAP_FILE_SLOTS, path, sizeof(path)), O_RDONLY);
	ck_assert(a >= 0 && b >= 0 && reader >= 0);
	ck_assert_uint_eq(stat_of(path).st_mode & 07777, 0600);
	ck_assert_int_eq(fcntl(a, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);

	ck_assert_int_eq(rtap_lock_write(a, 5, 1), 0);
	ck_assert_int_eq(rtap_lock_write(b, 5, 1), -EAGAIN);
	ck_assert_int_eq(rtap_lock_read(b, 5, 1), -EAGAIN);
	ck_assert_int_eq(rtap_lock_write(b, 4, 1), 0);
	ck_assert_int_eq(rtap_lock_is_held(reader, 5, 1), 1);
	ck_assert_int_eq(rtap_lock_is_held(reader, 6, 1), 0);
	ck_assert_int_eq(rtap_lock_is_held(reader, 0, 0), 1);
	ck_assert_int_eq(rtap_lock_is_held(a, 5, 1), 0); // its own does not count

	// Readers do not keep each other out, but a write lock meets them.
	ck_assert_int_eq(rtap_lock_read(a, 9, 1), 0);
	ck_assert_int_eq(rtap_lock_read(b, 9, 1), 0);
	close(a);
	ck_assert_int_eq(rtap_lock_is_held(reader, 9, 1), 1);
	close(b);
	ck_assert_int_eq(rtap_lock_is_held(reader, 9, 1), 0);
	ck_assert_int_eq(rtap_lock_write(reader, 9, 1), -EBADF);
	close(reader);
}
END_TEST

// A lock lives in the descriptor: with a forked child until that one ends, however it does.
START_TEST(lock_ends_with_its_last_process) {
	int fd, query, status;
	pid_t pid;

	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), 0);
	fd = rtap_lock_open(&inst, RTAP_FILE_ATTACHED);
	query = rtap_lock_open(&inst, RTAP_FILE_ATTACHED);
	ck_assert_int_eq(rtap_lock_read(fd, 0, 1), 0);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	close(fd);
	ck_assert_int_eq(rtap_lock_is_held(query, 0, 1), 1);
	kill(pid, SIGSTOP);
	ck_assert_int_eq(rtap_lock_is_held(query, 0, 1), 1);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(rtap_lock_is_held(query, 0, 1), 0);
	close(query);
}
END_TEST

START_TEST(users_of_a_file) {
	char path[300];
	pid_t pids[4], pid[2];
	int fd, ready[2];
	char byte;

	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), 0);
	rtap_instance_path(&inst, RTAP_FILE_ATTACHED, path, sizeof(path));
	ck_assert_uint_eq(rtap_file_users(path, pids, 4), 0); // no such file
	fd = rtap_lock_open(&inst, RTAP_FILE_ATTACHED);
	ck_assert_uint_eq(rtap_file_users(path, pids, 4), 0); // only we
	ck_assert_int_eq(pipe(ready), 0);
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			int again = dup(fd); // twice open is one user

			ck_assert_int_eq(write(ready[1], "x", 1) + (again < 0), 1);
			for (;;)
				pause();
		}
		ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	}
	ck_assert_uint_eq(rtap_file_users(path, pids, 4), 2);
	ck_assert(
		(pids[0] == pid[0] && pids[1] == pid[1]) || (pids[0] == pid[1] && pids[1] == pid[0])
	);
	ck_assert_uint_eq(rtap_file_users(path, pids, 1), 1);
	ck_assert_uint_eq(rtap_file_users(path, pids, 0), 0);
	for (int i = 0; i < 2; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	ck_assert_uint_eq(rtap_file_users(path, pids, 4), 0);
}
END_TEST

static void put_text(const char *text) {
	char path[300];
	FILE *f = fopen(rtap_instance_path(&inst, RTAP_FILE_PRIMARY, path, sizeof(path)), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

START_TEST(primary_info) {
	struct rtap_primary_info in = {
		.pid = 1234567,
		.pid_namespace = rtap_pid_namespace(),
		.nb_hugepage_files = 2,
		.hugepage_files = {
			{.device = 28, .inode = UINT64_MAX, .path = "/dev/hugepages/eth0map_0"},
			{.device = 1, .inode = 2, .path = "/a b/eth0map_1024"},
		},
	}, out;
	char path[300];
	int fd;

	ck_assert_int_eq(rtap_primary_info_read(&inst, &out), -ENOENT);
	ck_assert_int_eq(rtap_instance_create_dir(&inst, geteuid() == 0 ? 12345 : (gid_t)-1), 0);
	snprintf(in.dpdk_version, sizeof(in.dpdk_version), "DPDK 22.11.11");
	memset(in.boot_id, 'a', 32);
	fd = rtap_lock_open(&inst, RTAP_FILE_PRIMARY);
	ck_assert_int_eq(rtap_primary_info_write(fd, &in), 0);
	ck_assert_int_eq(rtap_primary_info_read(&inst, &out), 0);
	ck_assert_mem_eq(&in, &out, sizeof(in));
	rtap_instance_path(&inst, RTAP_FILE_PRIMARY, path, sizeof(path));
	ck_assert_uint_eq(stat_of(path).st_mode & 07777, 0640);
	ck_assert_uint_eq(stat_of(path).st_gid, stat_of(inst.dir).st_gid);

	// A shorter text leaves nothing of the longer one.
	in.pid = 1;
	in.dpdk_version[0] = in.boot_id[0] = '\0';
	in.nb_hugepage_files = 0;
	ck_assert_int_eq(rtap_primary_info_write(fd, &in), 0);
	ck_assert_int_eq(rtap_primary_info_read(&inst, &out), 0);
	ck_assert_int_eq(out.pid, 1);
	ck_assert_str_eq(out.boot_id, "");
	ck_assert_uint_eq(out.nb_hugepage_files, 0);
	close(fd);
}
END_TEST

#define FOUR "hugepages: 1 2 /x\nhugepages: 1 2 /x\nhugepages: 1 2 /x\nhugepages: 1 2 /x\n"

START_TEST(hostile_primary_info) {
	const char *bad[] = {"",          "\n\n",         "pid:\n", "pid: x\n",
			     "pid: -5\n", "dpdk: pid: 5", "pid: 0"};
	struct rtap_primary_info info;
	char text[4096];

	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_text(bad[i]);
		ck_assert_int_eq(rtap_primary_info_read(&inst, &info), -EPROTO);
	}
	memset(text, 'a', sizeof(text));
	memcpy(text, "pid: 7\nboot-id: ", 16);
	text[sizeof(text) - 1] = '\0';
	put_text(text);
	ck_assert_int_eq(rtap_primary_info_read(&inst, &info), 0);
	ck_assert_int_eq(info.pid, 7);
	ck_assert_uint_eq(strlen(info.boot_id), 32);
	memcpy(text, "pid: 7\ndpdk:    ", 16);
	put_text(text);
	ck_assert_int_eq(rtap_primary_info_read(&inst, &info), 0);
	ck_assert_uint_eq(strlen(info.dpdk_version), 39);
	// More files than there is room for, a path that is too long.
	put_text("pid: 7\n" FOUR FOUR FOUR FOUR FOUR);
	ck_assert_int_eq(rtap_primary_info_read(&inst, &info), 0);
	ck_assert_uint_eq(info.nb_hugepage_files, RTAP_MAX_HUGEPAGE_FILES);
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "pid: 7\nhugepages: 1 2 /", 23);
	put_text(text);
	ck_assert_int_eq(rtap_primary_info_read(&inst, &info), 0);
	ck_assert_uint_eq(strlen(info.hugepage_files[0].path), RTAP_HUGEPAGE_PATH - 1);
}
END_TEST

START_TEST(primary_is_alive) {
	struct rtap_primary_info info = {.pid = 1};
	int fd;

	ck_assert_int_eq(rtap_primary_is_alive(&inst), -ENOENT);
	ck_assert_int_eq(rtap_instance_create_dir(&inst, (gid_t)-1), 0);
	ck_assert_int_eq(rtap_primary_is_alive(&inst), -ENOENT);
	fd = rtap_lock_open(&inst, RTAP_FILE_PRIMARY);
	ck_assert_int_eq(rtap_primary_info_write(fd, &info), 0);
	ck_assert_int_eq(rtap_primary_is_alive(&inst), 0);
	ck_assert_int_eq(rtap_lock_write(fd, 0, 1), 0);
	ck_assert_int_eq(rtap_primary_is_alive(&inst), 1);
	close(fd);
	ck_assert_int_eq(rtap_primary_is_alive(&inst), 0);
}
END_TEST

// The group may ask and cannot lock; others may not even ask.
START_TEST(primary_is_alive_without_root) {
	struct rtap_primary_info info = {.pid = 1};
	int fd, status;
	pid_t pid;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chmod(base, 0755), 0);
	ck_assert_int_eq(rtap_instance_create_dir(&inst, 12345), 0);
	fd = rtap_lock_open(&inst, RTAP_FILE_PRIMARY);
	ck_assert_int_eq(rtap_primary_info_write(fd, &info), 0);
	ck_assert_int_eq(rtap_lock_write(fd, 0, 1), 0);
	pid = fork();
	if (pid == 0) {
		int group, others;

		if (setgroups(0, NULL) != 0 || setegid(12345) != 0 || seteuid(65534) != 0)
			_exit(1);
		group = rtap_primary_is_alive(&inst) == 1
			&& rtap_lock_open(&inst, RTAP_FILE_PRIMARY) == -EACCES;
		if (seteuid(0) != 0 || setegid(65534) != 0 || seteuid(65534) != 0)
			_exit(2);
		others = rtap_primary_is_alive(&inst) == -EACCES;
		_exit(group && others ? 0 : 3);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(fd);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("instance");
	TCase *tcase = tcase_create("instance");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, base_rule);
	tcase_add_test(tcase, directory_modes_and_group);
	tcase_add_test(tcase, foreign_directories_are_refused);
	tcase_add_test(tcase, eal_runtime_dir);
	tcase_add_test(tcase, locks_of_two_descriptors);
	tcase_add_test(tcase, lock_ends_with_its_last_process);
	tcase_add_test(tcase, users_of_a_file);
	tcase_add_test(tcase, primary_info);
	tcase_add_test(tcase, hostile_primary_info);
	tcase_add_test(tcase, primary_is_alive);
	tcase_add_test(tcase, primary_is_alive_without_root);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
