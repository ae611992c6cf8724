// SPDX-License-Identifier: BSD-3-Clause
// Tests of the write protection of packet memory, on files that are named and mapped as EAL does
// it.

#include "check_main.h"
#include "packet_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NB_PAGES 8
#define MANY_MAPPINGS 4100

static char base[] = "/tmp/rtap-guard-XXXXXX";
static struct rtap_instance inst;
static struct shm_zones zones;
static size_t page;
static int zeros;

// A file is mapped and its name forgotten: the list of mappings goes on naming it.
static char *map_file(const char *path, size_t nb_pages, int flags, void *address) {
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char *m;

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(ftruncate(fd, (off_t)(nb_pages * page)), 0);
	m = mmap(address, nb_pages * page, PROT_READ | PROT_WRITE, flags, fd, 0);
	ck_assert(m != MAP_FAILED);
	close(fd);
	unlink(path);
	return m;
}

static char *map_in(const char *dir, const char *name, size_t nb_pages) {
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return map_file(path, nb_pages, MAP_SHARED, NULL);
}

static void make_dirs(void) {
	char path[600];

	ck_assert_int_eq(mkdir(inst.dir, 0700), 0);
	snprintf(path, sizeof(path), "%s/dpdk", inst.dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/dpdk/guard", inst.dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void set_up(void) {
	page = (size_t)sysconf(_SC_PAGESIZE);
	ck_assert_ptr_nonnull(mkdtemp(base));
	ck_assert_int_eq(setenv("RINGTAP_DIR", base, 1), 0);
	ck_assert_int_eq(rtap_instance_init(&inst, "guard"), 0);
	make_dirs();
	zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(zeros, 0);
}

static void tear_down(void) {
	char path[600];

	snprintf(path, sizeof(path), "%s/dpdk/guard", inst.dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/dpdk", inst.dir);
	rmdir(path);
	rmdir(inst.dir);
	rmdir(base);
}

static void add_zone(const char *start, size_t nb_pages) {
	ck_assert_uint_lt(zones.nb, RTAP_MAX_ZONES);
	zones.zones[zones.nb].start = (uint64_t)(uintptr_t)start;
	zones.zones[zones.nb++].bytes = nb_pages * page;
}

// The kernel says EFAULT where a store would be a SIGSEGV.
static bool is_writable(char *address) {
	ssize_t n = read(zeros, address, 1);

	ck_assert(n == 1 || errno == EFAULT);
	return n == 1;
}

static void ck_pages(char *m, size_t nb_pages, bool writable) {
	for (size_t i = 0; i < nb_pages; i++) {
		ck_assert_int_eq(is_writable(m + i * page), writable);
		ck_assert_int_eq(is_writable(m + (i + 1) * page - 1), writable);
		ck_assert_int_eq(m[i * page], 0); // still readable
	}
}

// A child stores a byte; returns its wait status.
static int store_in_child(volatile char *address) {
	const struct rlimit no_core = {0};
	pid_t pid = fork();
	int status;

	if (pid == 0) { // no assertion: Check listens to the parent alone
		setrlimit(RLIMIT_CORE, &no_core);
		if (packet_guard_protect(&zones, &inst) < 1)
			_exit(1);
		*address = 1;
		_exit(0);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(a_stray_store_is_a_crash) {
	char *m = map_in(base, "guardmap_0", NB_PAGES);
	int status;

	add_zone(m + 2 * page, 1);
	status = store_in_child(m + page);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	status = store_in_child(m + 3 * page);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	status = store_in_child(m + 2 * page);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(m[2 * page], 1);
	m[page] = 1; // the parent never gave its own right up
	ck_assert_int_eq(m[page], 1);
}
END_TEST

START_TEST(all_that_is_eals) {
	char *m[3];

	m[0] = map_in(inst.dir, "dpdk/guard/config", 3);
	m[1] = map_in(inst.dir, "dpdk/guard/fbarray_memseg-2048k-0-0", 5);
	m[2] = map_in(base, "guardmap_12", NB_PAGES);
	ck_assert_int_eq(packet_guard_protect(&zones, &inst), 3);
	ck_pages(m[0], 3, false);
	ck_pages(m[1], 5, false);
	ck_pages(m[2], NB_PAGES, false);
}
END_TEST

START_TEST(nothing_else) {
	char path[600];
	char *guarded = map_in(base, "guardmap_0", 1);
	char *counters = map_in(inst.dir, "counters", 2);
	char *other = map_in(base, "other_guardmap_0", 2);
	char *longer = map_in(base, "guard2map_0", 2);
	char *copy, *read_only;

	snprintf(path, sizeof(path), "%s/guardmap_1", base);
	copy = map_file(path, 2, MAP_PRIVATE, NULL);
	read_only = map_in(base, "guardmap_2", 1);
	ck_assert_int_eq(mprotect(read_only, page, PROT_READ), 0);
	ck_assert_int_eq(packet_guard_protect(&zones, &inst), 1);
	ck_pages(guarded, 1, false);
	ck_pages(counters, 2, true);
	ck_pages(other, 2, true);
	ck_pages(longer, 2, true);
	ck_pages(copy, 2, true);
}
END_TEST

// No protection must not look like protection.
START_TEST(nothing_found) {
	ck_assert_int_eq(packet_guard_protect(&zones, &inst), -ENOENT);
	map_in(inst.dir, "counters", 1);
	ck_assert_int_eq(packet_guard_protect(&zones, &inst), -ENOENT);
}
END_TEST

// Zones from the set bits of `mask`, runs as one zone or page by page, in either order.
static void make_zones(char *m, unsigned int mask, bool by_page, bool backwards) {
	zones.nb = 0;
	for (unsigned int k = 0; k < NB_PAGES; k++) {
		unsigned int i = backwards ? NB_PAGES - 1 - k : k;

		if ((mask >> i & 1) == 0)
			continue;
		if (!by_page && zones.nb > 0 && k > 0
		    && (mask >> (backwards ? i + 1 : i - 1) & 1) != 0) {
			zones.zones[zones.nb - 1].bytes += page;
			if (backwards)
				zones.zones[zones.nb - 1].start -= page;
			continue;
		}
		add_zone(m + i * page, 1);
	}
}

START_TEST(zones_of_every_shape) {
	char path[600], *m = map_in(base, "guardmap_0", NB_PAGES);

	snprintf(path, sizeof(path), "%s/guardmap_0", base);
	for (unsigned int mask = 0; mask < 1u << NB_PAGES; mask++) {
		m = map_file(path, NB_PAGES, MAP_SHARED | MAP_FIXED, m);
		make_zones(m, mask, (_i & 1) != 0, (_i & 2) != 0);
		ck_assert_int_eq(packet_guard_protect(&zones, &inst), 1);
		for (unsigned int i = 0; i < NB_PAGES; i++)
			ck_assert_msg(
				is_writable(m + i * page) == (mask >> i & 1), "zones %02x, page %u",
				mask, i
			);
	}
}
END_TEST

// EAL maps a segment of many pages file by file: a zone may lie over several mappings.
START_TEST(a_zone_over_several_mappings) {
	char path[600], *m = map_in(base, "guardmap_0", NB_PAGES);

	for (unsigned int i = 0; i < NB_PAGES; i++) {
		snprintf(path, sizeof(path), "%s/guardmap_%u", base, i);
		map_file(path, 1, MAP_SHARED | MAP_FIXED, m + i * page);
	}
	add_zone(m + 2 * page, 4);
	ck_assert_int_eq(packet_guard_protect(&zones, &inst), NB_PAGES);
	ck_pages(m, 2, false);
	ck_pages(m + 2 * page, 4, true);
	ck_pages(m + 6 * page, 2, false);
}
END_TEST

START_TEST(too_many_mappings) {
	char *m = map_in(base, "guardmap_0", 2 * MANY_MAPPINGS);

	for (size_t i = 0; i < MANY_MAPPINGS; i++)
		ck_assert_int_eq(mprotect(m + 2 * i * page, page, PROT_NONE), 0);
	ck_assert_int_eq(packet_guard_protect(&zones, &inst), -E2BIG);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("packet_guard");
	TCase *tc = tcase_create("packet_guard");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_stray_store_is_a_crash);
	tcase_add_test(tc, all_that_is_eals);
	tcase_add_test(tc, nothing_else);
	tcase_add_test(tc, nothing_found);
	tcase_add_loop_test(tc, zones_of_every_shape, 0, 4);
	tcase_add_test(tc, a_zone_over_several_mappings);
	tcase_add_test(tc, too_many_mappings);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
