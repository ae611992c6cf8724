// SPDX-License-Identifier: BSD-3-Clause
// The check of devices, as far as it needs neither files nor interfaces.

#include "check_main.h"
#include "config.h"
#include "device_check.h"

#include <check.h>

#include <errno.h>
#include <string.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *yaml;
	int rc;
	const char *device; // the first one afterwards
} configurations[] = {
	{"topic: t", 0, NULL},
	{"devices: net_null0", 0, "net_null0"},
	{"devices: \"net_null0,size=1024,copy=1\"\nmbuf-data-room: 1152", 0, NULL},
	{"devices: \"net_null0,size=1025,copy=1\"\nmbuf-data-room: 1152", -EINVAL, NULL},
	{"devices: \"net_null0,size=2049\"", 0, NULL},
	{"devices: \"net_null0,size=0x40,copy=1\"", -EINVAL, NULL},
	{"devices: \"net_pcap0,rx_pcap=-,rx_pcap=-\"", -EINVAL, NULL},
	{"devices: \"net_pcap0,rx_pcap=-,rx_pcap=-\"\nreceive-queues: 2", 0, NULL},
	{"devices: \"net_vhost0,iface=x,queues=2\"", -EINVAL, NULL},
	{"devices: 0000:03:00.0", 0, "0000:03:00.0"},
	{"devices: net_memif0", 0, "net_memif0,bsize=9216"},
	{"devices: [\"net_memif0,role=client,id=1\", net_null0]", 0,
	 "net_memif0,role=client,id=1,bsize=9216"},
	{"devices: net_memif0\nmtu: 2026", 0, "net_memif0"},
	{"devices: net_memif0\nmtu: 2027", 0, "net_memif0,bsize=3072"},
	{"devices: \"net_memif0,role=server\"", 0, "net_memif0,role=server"},
	{"devices: \"net_memif0,zero-copy=yes\"", 0, "net_memif0,zero-copy=yes"},
	{"devices: \"net_memif0,bsize=9728\"", 0, "net_memif0,bsize=9728"},
	{"devices: \"net_memif0,bsize=0\"", -EINVAL, "net_memif0,bsize=0"},
	{"devices: net_tun0", -EINVAL, "net_tun0"},
	{"devices: [net_null0, net_tun0]", -EINVAL, "net_null0"},
	{"devices: eth_pcap0", -EINVAL, "eth_pcap0"},
	{"devices: \"net_pcap0,tx_pcap=x\"", -EINVAL, "net_pcap0,tx_pcap=x"},
	{"devices: \"net_pcap0,rx_pcap=-\"", 0, "net_pcap0,rx_pcap=-"},
	{"devices: \"net_af_packet0,iface=a-name-of-more-than-15\"", -ENODEV,
	 "net_af_packet0,iface=a-name-of-more-than-15"},
};

START_TEST(check) {
	struct rtap_config_error error;
	struct rtap_config cfg;
	const char *yaml = configurations[_i].yaml;

	ck_assert_int_eq(rtap_config_load_buffer(&cfg, "t.yaml", yaml, strlen(yaml), &error), 0);
	ck_assert_int_eq(device_check(&cfg), configurations[_i].rc);
	if (configurations[_i].device != NULL)
		ck_assert_str_eq(cfg.devices.items[0], configurations[_i].device);
	rtap_config_fini(&cfg);
}
END_TEST

static const struct {
	const char *device;
	uint32_t bytes;
} cuts[] = {
	{"net_af_packet0,iface=x", 1982},
	{"eth_af_packet0,iface=x,framesz=9216,blocksz=36864", 9150},
	{"net_pcap0,iface=x", 16128},
	{"net_pcap0,rx_iface_in=x", 16128},
	{"net_pcap0,rx_pcap=x", 0},
	{"net_tap0,iface=x", 0},
	{"net_memif0", 0},
	{"0000:03:00.0", 0},
};

START_TEST(cut_bytes) {
	ck_assert_uint_eq(device_check_cut_bytes(cuts[_i].device), cuts[_i].bytes);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("device_check");
	TCase *tcase = tcase_create("device_check");

	tcase_add_loop_test(tcase, check, 0, LENGTH(configurations));
	tcase_add_loop_test(tcase, cut_bytes, 0, LENGTH(cuts));
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
