// SPDX-License-Identifier: BSD-3-Clause
// EAL arguments of the user: what EAL would take is passed on, what shuts secondaries out is not.

#include "check_main.h"
#include "eal_switches.h"

#include <check.h>
#include <rte_version.h>

#include <errno.h>
#include <string.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof((array)[0]))

static const char *const taken[][4] = {
	{"--no-pci"},
	{"--vdev=net_ring7", "--no-pci"},
	{"--vdev", "net_ring7", "--no-pci"},
	{"-a", "0000:03:00.0", "-n4"},
	{"--log-level=pmd:debug", "--log-level", "*:info"},
	{"--iova-mode=pa", "-d", "a.so", "-v"},
	{"--huge-unlink=existing", "--huge-unlink=never", "--huge-worker-stack"},
	{"--proc-type=primary", "--proc-type", "primary"},
	{"--socket-mem=64", "--lcores=0@0", "--main-lcore=0"},
	{"--vdev", "--in-memory"}, // a value, whatever it looks like
	{"-h", "--help"},
};

static const struct {
	const char *words[2];
	const char *named; // the word that the reason names
	const char *why;
} refused[] = {
	{{"--in-memory"}, "--in-memory", "no secondary could attach; leave it out"},
	{{"--no-shconf"}, "--no-shconf", "no secondary could attach"},
	{{"--no-huge"}, "--no-huge", "no secondary could attach"},
	{{"--huge-unlink"}, "--huge-unlink", "no secondary could attach"},
	{{"--huge-unlink=always"}, "--huge-unlink=always", "no secondary could attach"},
	{{"--file-prefix=x"}, "--file-prefix=x", "`instance`"},
	{{"--file-prefix", "x"}, "--file-prefix", "`instance`"},
	{{"--proc-type=secondary"}, "--proc-type=secondary", "is the primary"},
	{{"--proc-type", "secondary"}, "--proc-type", "is the primary"},
	{{"-m", "64"}, "-m", "buffer-memory"},
	{{"-m64"}, "-m64", "buffer-memory"},
	{{"-l", "0-1"}, "-l", "receive-lcores"},
	{{"-c3"}, "-c3", "receive-lcores"},
	{{"--no-pci", "--in-memory"}, "--in-memory", "leave it out"},
	{{"--nonsense"}, "--nonsense", "has no argument"},
	{{"--no-hug"}, "--no-hug", "has no argument"},
	{{"--no-hugepages"}, "--no-hugepages", "has no argument"},
	{{"--=x"}, "--=x", "has no argument"},
	{{"--"}, "'--'", "has no argument"},
	{{"-"}, "'-'", "has no argument"},
	{{""}, "''", "has no argument"},
	{{"-Z"}, "-Z", "has no argument"},
	{{"net_ring7"}, "net_ring7", "has no argument"},
	{{"--no-pci", "-vn"}, "-vn", "takes no value"},
	{{"--no-pci=1"}, "--no-pci=1", "takes no value"},
	{{"--vdev"}, "--vdev", "needs a value"},
	{{"--no-pci", "-a"}, "-a", "needs a value"},
};

static int check(const char *const *words, int max, char *why, size_t size) {
	char *args[4];
	int nb = 0;

	while (nb < max && words[nb] != NULL) {
		args[nb] = (char *)(uintptr_t)words[nb];
		nb++;
	}
	return eal_switches_check(args, nb, why, size);
}

START_TEST(takes) {
	char why[256] = "";

	ck_assert_msg(check(taken[_i], 4, why, sizeof(why)) == 0, "%s: %s", taken[_i][0], why);
}
END_TEST

START_TEST(refuses) {
	char why[256] = "";

	ck_assert_int_eq(check(refused[_i].words, 2, why, sizeof(why)), -EINVAL);
	ck_assert_msg(
		strstr(why, refused[_i].named) != NULL && strstr(why, refused[_i].why) != NULL,
		"%s, not '%s'", why, refused[_i].why
	);
}
END_TEST

START_TEST(names_of_a_version) {
	static const char *const words[] = {"--memory-channels=4"};
	char why[256];

	ck_assert_int_eq(
		check(words, 1, why, sizeof(why)),
		RTE_VERSION >= RTE_VERSION_NUM(25, 11, 0, 0) ? 0 : -EINVAL
	);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("eal_switches");
	TCase *tcase = tcase_create("eal_switches");

	tcase_add_loop_test(tcase, takes, 0, LENGTH(taken));
	tcase_add_loop_test(tcase, refuses, 0, LENGTH(refused));
	tcase_add_test(tcase, names_of_a_version);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
