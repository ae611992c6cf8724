// SPDX-License-Identifier: BSD-3-Clause
// Tests of the warning about CPUs that two instances receive on.

#include "check_main.h"
#include "counters_file.h"
#include "cpu_list.h"
#include "cpu_neighbours.h"
#include "lock_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct rtap_counters_shape shape = {
	.nb_ports = 1, .nb_queues = 2, .nb_rings = 2, .nb_slots = 1};
static char base[64];
static unsigned int cpu; // that this process may use

static void set_up(void) {
	struct rtap_cpu_list usable = {0};

	snprintf(base, sizeof(base), "/tmp/rtap-neighbours-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	setenv("RINGTAP_DIR", base, 1);
	ck_assert_int_eq(rtap_cpu_list_usable(&usable), 0);
	cpu = usable.cpus[0];
	rtap_cpu_list_fini(&usable);
}

static void tear_down(void) {
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", base);
	ck_assert_int_eq(system(command), 0);
}

// An instance whose second queue is received on `lcore`, its first one on an lcore without a CPU.
static int
make(const char *name, unsigned int lcore, struct rtap_instance *inst,
     struct rtap_counters *counters) {
	char path[512];
	int fd;

	ck_assert_int_eq(rtap_instance_init(inst, name), 0);
	ck_assert_int_eq(rtap_instance_create_dir(inst, (gid_t)-1), 0);
	rtap_instance_path(inst, RTAP_FILE_COUNTERS, path, sizeof(path));
	ck_assert_int_eq(rtap_counters_create(counters, path, &shape, (gid_t)-1), 0);
	counters->queues[0].lcore_id = 100000;
	counters->queues[1].lcore_id = lcore;
	rtap_counters_publish(counters);
	fd = rtap_lock_open(inst, RTAP_FILE_PRIMARY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(rtap_lock_write(fd, 0, 1), 0);
	return fd;
}

START_TEST(running_instances_alone) {
	struct rtap_instance a, b, c;
	struct rtap_counters own, same, other;
	int fd;

	make("a", cpu, &a, &own);
	ck_assert_uint_eq(cpu_neighbours_warn(&a, &own), 0); // not of itself
	make("b", cpu + 1, &b, &other);
	ck_assert_uint_eq(cpu_neighbours_warn(&a, &own), 0);
	fd = make("c", cpu, &c, &same);
	ck_assert_uint_eq(cpu_neighbours_warn(&a, &own), 1);
	close(fd); // its primary ended
	ck_assert_uint_eq(cpu_neighbours_warn(&a, &own), 0);
	rtap_counters_unmap(&own);
	rtap_counters_unmap(&same);
	rtap_counters_unmap(&other);
}
END_TEST

START_TEST(what_is_no_instance) {
	struct rtap_instance a, b;
	struct rtap_counters own, broken;
	char path[512];

	make("a", cpu, &a, &own);
	make("b", cpu, &b, &broken);
	rtap_instance_path(&b, RTAP_FILE_COUNTERS, path, sizeof(path));
	ck_assert_int_eq(truncate(path, 100), 0);
	snprintf(path, sizeof(path), "%s/a file", base);
	fclose(fopen(path, "w"));
	ck_assert_uint_eq(cpu_neighbours_warn(&a, &own), 0);
	rtap_counters_unmap(&own);
	rtap_counters_unmap(&broken);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("cpu_neighbours");
	TCase *tc = tcase_create("warn");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, running_instances_alone);
	tcase_add_test(tc, what_is_no_instance);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
