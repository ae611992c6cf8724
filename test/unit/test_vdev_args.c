// SPDX-License-Identifier: BSD-3-Clause
// The devices of a configuration: which driver they belong to, and what their arguments say.

#include "check_main.h"
#include "vdev_args.h"

#include <check.h>

#include <errno.h>
#include <string.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *device, *driver;
	bool is;
} drivers[] = {
	{"net_pcap0,rx_pcap=a.pcap", "net_pcap", true},
	{"net_pcap", "net_pcap", true},
	{"net_pcap_tap", "net_pcap", true}, // EAL looks no further either
	{"eth_pcap1", "net_pcap", true},
	{"eth_bond0,member=x", "net_bonding", true},
	{"eth_bonding0", "net_bonding", true},
	{"eth_vhost0", "net_vhost", true},
	{"eth_null0", "net_null", true},
	{"eth_af_packet0", "net_af_packet", true},
	{"eth_memif0", "net_memif", false}, // has no older name
	{"net_tap0", "net_pcap", false},
	{"eth_tap0", "net_pcap", false},
	{"net_af_packet0", "net_af_xdp", false},
	{"net_pca", "net_pcap", false},
	{"0000:03:00.0,net_pcap", "net_pcap", false},
	{"", "net_pcap", false},
};

START_TEST(driver) {
	ck_assert_msg(
		vdev_args_driver_is(drivers[_i].device, drivers[_i].driver) == drivers[_i].is,
		"%s of %s", drivers[_i].device, drivers[_i].driver
	);
}
END_TEST

static const struct {
	const char *device, *key;
	unsigned int n;
	int rc;
	const char *value;
} values[] = {
	{"net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap", "rx_pcap", 0, 0, "a.pcap"},
	{"net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap", "rx_pcap", 1, 0, "b.pcap"},
	{"net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap", "rx_pcap", 2, -ENOENT, ""},
	{"net_pcap0,rx_pcap=a.pcap", "pcap", 0, -ENOENT, ""},
	{"net_pcap0,rx_pcap=a.pcap", "rx", 0, -ENOENT, ""},
	{"net_pcap0", "rx_pcap", 0, -ENOENT, ""},
	{"net_pcap0,", "rx_pcap", 0, -ENOENT, ""},
	{"net_pcap0,rx_pcap=", "rx_pcap", 0, 0, ""},
	{"net_memif0,zero-copy,bsize=1", "zero-copy", 0, 0, ""},
	{"net_x,a=1[2,3]4,b=5", "a", 0, 0, "1[2,3]4"},
	{"net_x,a=0123456789", "a", 0, 0, "0123456789"},
	{"net_x,a=0123456789a", "a", 0, -ENOSPC, ""},
	{"net_x,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", "b", 0, -EINVAL,
	 ""}, // more than EAL takes
};

START_TEST(value) {
	char text[11] = "?";

	ck_assert_int_eq(
		vdev_args_get(values[_i].device, values[_i].key, values[_i].n, text, sizeof(text)),
		values[_i].rc
	);
	ck_assert_str_eq(text, values[_i].value);
}
END_TEST

static const struct {
	const char *device;
	int rc;
	unsigned int number;
} numbers[] = {
	{"net_x,n=0", 0, 0},
	{"net_x,n=4294967295", 0, 4294967295},
	{"net_x,n=4294967296", -EINVAL, 7},
	{"net_x,n=18446744073709551617", -EINVAL, 7},
	{"net_x,n=-1", -EINVAL, 7},
	{"net_x,n= 1", -EINVAL, 7},
	{"net_x,n=1k", -EINVAL, 7},
	{"net_x,n=", -EINVAL, 7},
	{"net_x,n", -EINVAL, 7},
	{"net_x,m=1", -ENOENT, 7},
};

START_TEST(number) {
	unsigned int n = 7;

	ck_assert_int_eq(vdev_args_number(numbers[_i].device, "n", &n), numbers[_i].rc);
	ck_assert_uint_eq(n, numbers[_i].number);
}
END_TEST

static const struct {
	const char *device, *name;
} interfaces[] = {
	{"net_af_packet0,qpairs=2,iface=veth0", "veth0"},
	{"eth_af_packet0,iface=veth0", "veth0"},
	{"net_af_xdp0,iface=veth0", "veth0"},
	{"net_tap0,iface=rtap0", "rtap0"},
	{"net_tap0", ""},
	{"net_tap0,iface", ""},
	{"net_pcap0,iface=veth0", "veth0"},
	{"net_pcap0,rx_iface=veth0,rx_iface=veth1", "veth0"},
	{"net_pcap0,rx_iface_in=veth0,tx_iface=veth1", "veth0"},
	{"net_pcap0,rx_iface=veth0,rx_iface_in=veth1,iface=veth2", "veth2"},
	{"net_pcap0,rx_pcap=a.pcap", ""},
	{"net_memif0,iface=veth0", ""},
	{"0000:03:00.0", ""},
};

START_TEST(interface) {
	char name[VDEV_INTERFACE_SIZE] = "?";

	ck_assert_int_eq(vdev_args_interface(interfaces[_i].device, name, sizeof(name)), 0);
	ck_assert_str_eq(name, interfaces[_i].name);
}
END_TEST

START_TEST(interface_too_long) {
	char name[4];

	ck_assert_int_eq(
		vdev_args_interface("net_af_packet0,iface=veth", name, sizeof(name)), -ENOSPC
	);
	ck_assert_str_eq(name, "");
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("vdev_args");
	TCase *tcase = tcase_create("vdev_args");

	tcase_add_loop_test(tcase, driver, 0, LENGTH(drivers));
	tcase_add_loop_test(tcase, value, 0, LENGTH(values));
	tcase_add_loop_test(tcase, number, 0, LENGTH(numbers));
	tcase_add_loop_test(tcase, interface, 0, LENGTH(interfaces));
	tcase_add_test(tcase, interface_too_long);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
