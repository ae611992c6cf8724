// SPDX-License-Identifier: BSD-3-Clause
// Tests of the counters file: made, mapped, and refused when anything in it is not as it must be.

#include "check_main.h"
#include "counters_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct rtap_counters_shape shape = {2, 3, 5, 4};
static char path[64];
static char why[128];

static void set_up(void) {
	snprintf(path, sizeof(path), "/tmp/rtap-counters-%d", getpid());
	umask(077); // the mode must not depend on it
	why[0] = '\0';
}

static void tear_down(void) {
	unlink(path);
}

static void make_file(void) {
	struct rtap_counters c;

	ck_assert_int_eq(rtap_counters_create(&c, path, &shape, (gid_t)-1), 0);
	snprintf(c.header->instance, sizeof(c.header->instance), "eth0");
	for (uint32_t i = 0; i < shape.nb_rings; i++)
		snprintf(c.rings[i].name, sizeof(c.rings[i].name), "ring%u", i);
	rtap_counters_publish(&c);
	rtap_counters_unmap(&c);
}

static off_t file_size(void) {
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_size;
}

static unsigned char peek(off_t at) {
	int fd = open(path, O_RDONLY);
	unsigned char byte = 0;

	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	close(fd);
	return byte;
}

static void poke(off_t at, unsigned char byte) {
	int fd = open(path, O_WRONLY);

	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static int map(bool writable) {
	struct rtap_counters c;
	int rc = rtap_counters_map(&c, path, writable, why, sizeof(why));

	if (rc == 0)
		rtap_counters_unmap(&c);
	else
		ck_assert_ptr_null(c.header);
	return rc;
}

START_TEST(create_then_map) {
	struct rtap_counters w, r;
	struct stat st;

	ck_assert_int_eq(
		rtap_counters_create(&w, path, &shape, geteuid() == 0 ? 12345 : (gid_t)-1), 0
	);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	if (geteuid() == 0)
		ck_assert_uint_eq(st.st_gid, 12345);
	ck_assert_uint_eq((uint64_t)st.st_size, w.header->file_bytes);
	ck_assert_uint_ge(
		(uint64_t)st.st_blocks * 512, (uint64_t)st.st_size
	); // nothing can fail later
	ck_assert_int_eq(map(false), -EPROTO); // not yet published
	rtap_counters_publish(&w);

	ck_assert_int_eq(rtap_counters_map(&r, path, false, why, sizeof(why)), 0);
	ck_assert_uint_eq(r.shape.nb_rings, 5);
	rtap_counter_set(&w.slots[3].waiting_for, UINT64_MAX); // the very last words of the file
	rtap_counter_add(&w.ports[0].received, 7);
	ck_assert_uint_eq(rtap_counter_get(&r.slots[3].waiting_for), UINT64_MAX);
	ck_assert_uint_eq(rtap_counter_get(&r.ports[0].received), 7);
	ck_assert_uint_eq(rtap_counter_get(&r.rings[0].enqueued), 0);
	rtap_counters_unmap(&r);
	rtap_counters_unmap(&r); // harmless
	rtap_counters_unmap(&w);
}
END_TEST

START_TEST(writable_map) {
	struct rtap_counters w, r;

	make_file();
	ck_assert_int_eq(rtap_counters_map(&w, path, true, why, sizeof(why)), 0);
	ck_assert_int_eq(rtap_counters_map(&r, path, false, why, sizeof(why)), 0);
	rtap_counter_add(&w.slots[0].delivered, 3);
	ck_assert_uint_eq(rtap_counter_get(&r.slots[0].delivered), 3);
	rtap_counters_unmap(&w);
	rtap_counters_unmap(&r);
}
END_TEST

START_TEST(read_only_map_cannot_be_written) {
	struct rtap_counters r;
	int bytes[2];

	make_file();
	ck_assert_int_eq(rtap_counters_map(&r, path, false, why, sizeof(why)), 0);
	ck_assert_int_eq(pipe(bytes), 0);
	ck_assert_int_eq(write(bytes[1], "x", 1), 1);
	ck_assert_int_eq(read(bytes[0], &r.slots[0].delivered, 1), -1); // the kernel may not either
	ck_assert_int_eq(errno, EFAULT);
	rtap_counters_unmap(&r);
}
END_TEST

// Elements on cache lines of their own, in the arrays as well.
START_TEST(alignment) {
	struct rtap_counters c;

	make_file();
	ck_assert_int_eq(rtap_counters_map(&c, path, false, why, sizeof(why)), 0);
	ck_assert_uint_eq((uintptr_t)c.ports % 64, 0);
	ck_assert_uint_eq((uintptr_t)&c.queues[1].received % 64, 0);
	ck_assert_uint_eq((uintptr_t)&c.rings[1].enqueued % 64, 0);
	ck_assert_uint_eq((uintptr_t)&c.rings[1].taken % 64, 0);
	ck_assert_uint_eq((uintptr_t)&c.slots[1].accepted % 64, 0);
	rtap_counters_unmap(&c);
}
END_TEST

START_TEST(a_new_file_leaves_the_readers_of_the_old_one) {
	struct rtap_counters old, w;

	make_file();
	ck_assert_int_eq(rtap_counters_map(&old, path, false, why, sizeof(why)), 0);
	ck_assert_int_eq(rtap_counters_create(&w, path, &shape, (gid_t)-1), 0);
	ck_assert_str_eq(old.header->instance, "eth0");
	ck_assert_str_eq(w.header->instance, "");
	rtap_counters_unmap(&w);
	rtap_counters_unmap(&old);
}
END_TEST

START_TEST(shapes) {
	const struct rtap_counters_shape none = {0}, slots = {1, 1, 1, RTAP_MAX_SLOTS + 1},
					 huge = {UINT32_MAX, UINT32_MAX, UINT32_MAX, 1},
					 many = {1, 1, 1u << 20, 1}, big = {1, 16, 1024, 64};
	struct rtap_counters c;
	struct stat st;

	ck_assert_int_eq(rtap_counters_create(&c, path, &none, (gid_t)-1), 0);
	rtap_counters_publish(&c);
	rtap_counters_unmap(&c);
	ck_assert_int_eq(map(false), 0);
	ck_assert_int_eq(rtap_counters_create(&c, path, &big, (gid_t)-1), 0);
	rtap_counters_unmap(&c);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_ge(st.st_blocks * 512, st.st_size); // all there: no store can fail later
	ck_assert_int_eq(rtap_counters_create(&c, path, &slots, (gid_t)-1), -EINVAL);
	ck_assert_int_eq(rtap_counters_create(&c, path, &huge, (gid_t)-1), -EFBIG);
	ck_assert_int_eq(rtap_counters_create(&c, path, &many, (gid_t)-1), -EFBIG);
	ck_assert_int_eq(rtap_counters_create(&c, "/nowhere/x", &shape, (gid_t)-1), -ENOENT);
}
END_TEST

// Whatever byte of the header is damaged: refused, or one that leads nowhere.
START_TEST(every_byte_of_the_header) {
	const off_t layout_end = offsetof(struct rtap_counters_header, boot_id);
	const off_t header_end = sizeof(struct rtap_counters_header);
	static const unsigned char damage[] = {0x01, 0x80, 0xff};

	make_file();
	for (off_t at = 0; at < header_end; at++)
		for (size_t i = 0; i < sizeof(damage); i++) {
			unsigned char was = peek(at);

			poke(at, was ^ damage[i]);
			ck_assert_msg(
				map(false) == (at < layout_end ? -EPROTO : 0), "byte %d", (int)at
			);
			poke(at, was);
		}
	ck_assert_int_eq(map(false), 0);
}
END_TEST

START_TEST(every_length) {
	make_file();
	for (off_t size = file_size() - 1; size >= 0; size--) {
		ck_assert_int_eq(truncate(path, size), 0);
		ck_assert_int_eq(map(false), -EPROTO);
		ck_assert_str_ne(why, "");
	}
	make_file();
	ck_assert_int_eq(truncate(path, file_size() + 1), 0);
	ck_assert_int_eq(map(false), -EPROTO);
	ck_assert_int_eq(truncate(path, (off_t)RTAP_COUNTERS_MAX_FILE + 1), 0);
	ck_assert_int_eq(map(false), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "too long"));
}
END_TEST

static void fill(off_t at, size_t len) {
	for (size_t i = 0; i < len; i++)
		poke(at + (off_t)i, 'x');
}

START_TEST(names_without_end) {
	struct rtap_counters_header h;
	int fd;

	make_file();
	fd = open(path, O_RDONLY);
	ck_assert_int_eq(pread(fd, &h, sizeof(h), 0), sizeof(h));
	close(fd);
	fill(offsetof(struct rtap_counters_header, instance), sizeof(h.instance));
	ck_assert_int_eq(map(false), -EPROTO);
	make_file();
	fill(offsetof(struct rtap_counters_header, dpdk_version), sizeof(h.dpdk_version));
	ck_assert_int_eq(map(false), -EPROTO);
	make_file();
	fill((off_t)(h.ports_offset + h.port_bytes) + offsetof(struct rtap_port_counters, name),
	     64);
	ck_assert_int_eq(map(false), -EPROTO);
	make_file();
	fill((off_t)h.ports_offset + offsetof(struct rtap_port_counters, driver), 32);
	ck_assert_int_eq(map(false), -EPROTO);
	make_file();
	fill((off_t)(h.rings_offset + 4 * h.ring_bytes) + offsetof(struct rtap_ring_counters, name),
	     32);
	ck_assert_int_eq(map(false), -EPROTO);
}
END_TEST

START_TEST(another_version_is_named) {
	make_file();
	poke(offsetof(struct rtap_counters_header, version), RTAP_COUNTERS_VERSION + 1);
	ck_assert_int_eq(map(false), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "version"));
}
END_TEST

START_TEST(what_is_no_file) {
	ck_assert_int_eq(map(false), -ENOENT);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(map(false), -EPROTO);
	ck_assert_int_eq(map(true), -EISDIR);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(map(false), -EPROTO); // and does not wait for a writer
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/dev/zero", path), 0);
	ck_assert_int_eq(map(false), -ELOOP);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("counters_file");
	TCase *tcase = tcase_create("counters_file");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, create_then_map);
	tcase_add_test(tcase, writable_map);
	tcase_add_test(tcase, read_only_map_cannot_be_written);
	tcase_add_test(tcase, alignment);
	tcase_add_test(tcase, a_new_file_leaves_the_readers_of_the_old_one);
	tcase_add_test(tcase, shapes);
	tcase_add_test(tcase, every_byte_of_the_header);
	tcase_add_test(tcase, every_length);
	tcase_add_test(tcase, names_without_end);
	tcase_add_test(tcase, another_version_is_named);
	tcase_add_test(tcase, what_is_no_file);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
