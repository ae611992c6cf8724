// SPDX-License-Identifier: BSD-3-Clause
// The EAL arguments: which ones a configuration and a machine give, and what does not fit together.

#include "check_main.h"
#include "config.h"
#include "cpu_list.h"
#include "eal_args.h"

#include <check.h>

#include <errno.h>
#include <string.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof((array)[0]))

enum side {
	PRIMARY,
	SECONDARY,
};

static int
build(enum side side, struct rtap_eal_args *args, const char *yaml, struct rtap_eal_host *host,
      const char *cpus, struct rtap_config_error *error) {
	struct rtap_cpu_list allowed;
	struct rtap_config cfg;
	int rc;

	ck_assert_int_eq(rtap_cpu_list_parse(&allowed, cpus, 1023), 0);
	host->program = "prog";
	host->allowed = host->usable = &allowed;
	rc = rtap_config_load_buffer(&cfg, "t.yaml", yaml, strlen(yaml), error);
	ck_assert_msg(rc == 0, "%s", error->text);
	rc = (side == PRIMARY ? rtap_eal_args_primary : rtap_eal_args_secondary
	)(args, &cfg, host, error);
	// The arguments must not lean on what they were made from.
	rtap_config_fini(&cfg);
	rtap_cpu_list_fini(&allowed);
	host->allowed = host->usable = NULL;
	return rc;
}

static void assert_args(
	enum side side, const char *yaml, struct rtap_eal_host *host, const char *cpus,
	const char *expected, const char *lcores
) {
	struct rtap_config_error error = {""};
	struct rtap_eal_args args;
	char *joined = NULL, *text;
	size_t size;
	FILE *out = open_memstream(&joined, &size);
	int rc = build(side, &args, yaml, host, cpus, &error);

	ck_assert_msg(rc == 0, "%s", error.text);
	for (int i = 0; i < args.argc; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", args.argv[i]);
	fclose(out);
	ck_assert_ptr_null(args.argv[args.argc]);
	ck_assert_str_eq(joined, expected);
	free(joined);
	text = rtap_cpu_list_text(&args.receive_lcores);
	ck_assert_str_eq(text, lcores);
	free(text);
	rtap_eal_args_fini(&args);
	rtap_eal_args_fini(&args);
}

#define HEAD "prog --file-prefix=ringtap --proc-type=primary "
#define TAIL " --single-file-segments"
#define QUIET " --log-level=warning"

static const struct {
	const char *yaml, *cpus, *args, *lcores;
} primaries[] = {
	{"", "0-1", HEAD "--lcores=0@0,1@1 --main-lcore=0" TAIL QUIET, "1"},
	{"", "0", HEAD "--lcores=0@0,1@0 --main-lcore=0" TAIL QUIET, "1"},
	{"main-lcore: 126", "126", HEAD "--lcores=126@126,127@126 --main-lcore=126" TAIL QUIET,
	 "127"},
	{"", "0-3", HEAD "--lcores=0@0,1@1,2@2,3@3 --main-lcore=0" TAIL QUIET, "1-3"},
	{"main-lcore: 2", "0-3", HEAD "--lcores=2@2,0@0,1@1,3@3 --main-lcore=2" TAIL QUIET,
	 "0-1,3"},
	{"receive-lcores: 3,1", "0-3", HEAD "--lcores=0@0,3@3,1@1 --main-lcore=0" TAIL QUIET,
	 "3,1"},
	{"main-lcore: 127\nreceive-lcores: 0", "0,127",
	 HEAD "--lcores=127@127,0@0 --main-lcore=127" TAIL QUIET, "0"},
	{"receive-lcores: 1", "0-1,128-200", HEAD "--lcores=0@0,1@1 --main-lcore=0" TAIL QUIET,
	 "1"},
	{"devices: 03:00.0", "0-1",
	 HEAD "--lcores=0@0,1@1 --main-lcore=0" TAIL " --allow=03:00.0" QUIET, "1"},
	{"devices: [\"net_tap0,iface=a\", net_null0]", "0-1",
	 HEAD "--lcores=0@0,1@1 --main-lcore=0" TAIL
	      " --vdev=net_tap0,iface=a --vdev=net_null0 --no-pci" QUIET,
	 "1"},
	{"devices: [net_null0, \"0000:03:00.0,a=b\"]", "0-1",
	 HEAD "--lcores=0@0,1@1 --main-lcore=0" TAIL
	      " --vdev=net_null0 --allow=0000:03:00.0,a=b" QUIET,
	 "1"},
	{"instance: lab\nhugepage-directory: /mnt/a b\nlog-level: debug", "0-1",
	 "prog --file-prefix=lab --proc-type=primary --lcores=0@0,1@1 --main-lcore=0" TAIL
	 " --huge-dir=/mnt/a b --log-level=debug",
	 "1"},
	{"log-level: notice", "0-1",
	 HEAD "--lcores=0@0,1@1 --main-lcore=0" TAIL " --log-level=warning", "1"},
	{"log-level: error", "0-1",
	 HEAD "--lcores=0@0,1@1 --main-lcore=0" TAIL " --log-level=error", "1"},
};

START_TEST(test_primary) {
	struct rtap_eal_host host = {0};

	assert_args(
		PRIMARY, primaries[_i].yaml, &host, primaries[_i].cpus, primaries[_i].args,
		primaries[_i].lcores
	);
}
END_TEST

START_TEST(test_primary_host) {
	static char level[] = "--log-level=lib.eal:debug", percent[] = "%s%n";
	static char *const user[] = {level, percent};
	static const unsigned int memory[] = {512, 0, 4294967295};
	struct rtap_eal_host host = {
		.socket_mem_mib = memory,
		.nb_sockets = 1,
		.user_args = user,
		.nb_user_args = 2,
	};

	assert_args(
		PRIMARY, "", &host, "0-1",
		HEAD "--lcores=0@0,1@1 --main-lcore=0 --socket-mem=512" TAIL QUIET
		     " --log-level=lib.eal:debug %s%n",
		"1"
	);
	host.nb_sockets = 3;
	host.nb_user_args = 0;
	assert_args(
		PRIMARY, "", &host, "0-1",
		HEAD "--lcores=0@0,1@1 --main-lcore=0 --socket-mem=512,0,4294967295" TAIL QUIET, "1"
	);
}
END_TEST

#define SECONDARY_HEAD "prog --file-prefix=ringtap --proc-type=secondary --no-pci "

static const struct {
	const char *yaml, *cpus, *args;
} secondaries[] = {
	{"", "0-1", SECONDARY_HEAD "--lcores=127@(0-1)" QUIET},
	{"", "3", SECONDARY_HEAD "--lcores=127@(3)" QUIET},
	{"", "0,2-5,7", SECONDARY_HEAD "--lcores=127@(0,2-5,7)" QUIET},
	{"", "100-200", SECONDARY_HEAD "--lcores=127@(100-127)" QUIET},
	{"main-lcore: 9\nreceive-lcores: 8\ndevices: 03:00.0", "0-1",
	 SECONDARY_HEAD "--lcores=127@(0-1)" QUIET},
	{"instance: lab\nhugepage-directory: /mnt/huge\nlog-level: notice", "0",
	 "prog --file-prefix=lab --proc-type=secondary --no-pci --lcores=127@(0) "
	 "--huge-dir=/mnt/huge --log-level=warning"},
};

START_TEST(test_secondary) {
	static const unsigned int memory[] = {512};
	static char option[] = "--option";
	static char *const user[] = {option};
	struct rtap_eal_host host = {
		.socket_mem_mib = memory,
		.nb_sockets = 1,
		.user_args = user,
		.nb_user_args = 1,
	};

	assert_args(
		SECONDARY, secondaries[_i].yaml, &host, secondaries[_i].cpus, secondaries[_i].args,
		""
	);
}
END_TEST

static const struct {
	enum side side;
	const char *yaml, *cpus, *line;
} refused[] = {
	{PRIMARY, "", "2-3,5",
	 "t.yaml: main-lcore: CPU 0 is not one that this process may use; allowed: 2-3,5"},
	{PRIMARY, "main-lcore: 2", "0-1",
	 "t.yaml:1:13: main-lcore: CPU 2 is not one that this process may use; allowed: 0-1"},
	{PRIMARY, "receive-lcores: 1-2", "0-1",
	 "t.yaml:1:17: receive-lcores: CPU 2 is not one that this process may use; allowed: 0-1"},
	{PRIMARY, "receive-lcores: 0-1", "0-1",
	 "t.yaml:1:17: receive-lcores: CPU 0 is the main lcore's; allowed: any other CPU"},
	{PRIMARY, "", "0,126-129",
	 "t.yaml: receive-lcores: lcore 128 is more than DPDK takes; allowed: up to 127, name them"},
	{PRIMARY, "main-lcore: 127", "127",
	 "t.yaml: receive-lcores: lcore 128 is more than DPDK takes; allowed: up to 127, name them"},
	{PRIMARY, "", "",
	 "t.yaml: main-lcore: CPU 0 is not one that this process may use; allowed: "},
	{SECONDARY, "", "128-130",
	 "t.yaml: CPUs of this process: DPDK takes none of them; allowed: at least one from 0 to 127"},
};

START_TEST(test_refused) {
	static const struct rtap_eal_args zero;
	struct rtap_config_error error = {""};
	struct rtap_eal_host host = {0};
	struct rtap_eal_args args;

	ck_assert_int_eq(
		build(refused[_i].side, &args, refused[_i].yaml, &host, refused[_i].cpus, &error),
		-EINVAL
	);
	ck_assert_str_eq(error.text, refused[_i].line);
	ck_assert_mem_eq(&args, &zero, sizeof(args));
}
END_TEST

// EAL moves the strings around and overwrites some: what is freed is ours all the same.
START_TEST(test_eal_may_reorder) {
	struct rtap_config_error error;
	struct rtap_eal_host host = {0};
	struct rtap_eal_args args;

	ck_assert_int_eq(build(PRIMARY, &args, "", &host, "0-1", &error), 0);
	args.argv[1] = args.argv[0];
	args.argv[args.argc - 1] = NULL;
	ck_assert_str_eq(args.strings[1], "--file-prefix=ringtap");
	rtap_eal_args_fini(&args);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("eal_args");
	TCase *tc = tcase_create("eal_args");

	tcase_add_loop_test(tc, test_primary, 0, LENGTH(primaries));
	tcase_add_test(tc, test_primary_host);
	tcase_add_loop_test(tc, test_secondary, 0, LENGTH(secondaries));
	tcase_add_loop_test(tc, test_refused, 0, LENGTH(refused));
	tcase_add_test(tc, test_eal_may_reorder);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
