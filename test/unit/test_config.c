// SPDX-License-Identifier: BSD-3-Clause
// The configuration: what is refused and how, what is accepted, and what is printed.

#include "check_main.h"
#include "config.h"
#include "config_overrides.h"
#include "config_properties.h"
#include "config_schema.h"
#include "cpu_list.h"

#include <check.h>

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef CONFIG_DIR
#define CONFIG_DIR "config" // for a run from the top of the source tree
#endif

#define MIB (1u << 20)
#define LENGTH(array) (int)(sizeof(array) / sizeof((array)[0]))

// What the messages end with.
#define DEVICES                                                                                    \
	"; allowed: at most 32 of a PCI address (0000:03:00.0) or a vdev (net_tap0,iface=tap0)"
#define INI "this looks like an ini file, not YAML" LINES "; fastcapa-import converts Fastcapa's"
#define INSTANCE "; allowed: 1 to 24 of A-Z a-z 0-9 _ -, the first one not -"
#define LCORES "; allowed: numbers from 0 to 127, each once, such as 1,3-5"
#define LIBRDKAFKA "; properties of librdkafka belong under kafka: global: or kafka: topic:"
#define LINES "; allowed: lines of \"key: value\""
#define MEMORY "; allowed: 1MiB to 1024GiB, in bytes or with KiB, MiB, GiB"
#define NO_ANCHOR "; allowed: the value alone, in quotes if it starts with &"
#define NO_TAG "; allowed: the value alone, in quotes if it starts with !"
#define PLACES "; allowed: {file: PATH} or {env: NAME}"
#define PROPERTIES "; allowed: lines of \"name: value\", names of a-z 0-9 . _, at most 256"
#define TOPIC "; allowed: 1 to 249 of a-z A-Z 0-9 . _ -, but not . or .."
#define UTF8 "; allowed: printable text in UTF-8"
#define WINDOW "; allowed: a power of two, 64 to 1048576 packets"
#define WORKERS "; allowed: 1 to 64 processes"

#define T50 "tttttttttttttttttttttttttttttttttttttttttttttttttt"
#define BYTES(literal) literal, sizeof(literal) - 1

// What is refused, and the line for the user after "t.yaml:".
static const struct {
	const char *text;
	size_t size;
	const char *line;
} bad[] = {
	{BYTES("worker: 2\n"), "1:1: unknown key \"worker\"; the nearest is \"workers\""},
	{BYTES("stats_interval_s: 1\n"),
	 "1:1: unknown key \"stats_interval_s\"; the nearest is \"stats-interval-s\""},
	{BYTES("\"\": 1\n"), "1:1: unknown key \"\"; capture-primary --keys prints all keys"},
	{BYTES("<<: 1\n"), "1:1: unknown key \"<<\"; capture-primary --keys prints all keys"},
	{BYTES("kafka.global: {}\n"), "1:1: unknown key \"kafka.global\"" LIBRDKAFKA},
	{BYTES("bootstrap.servers: a\n"), "1:1: unknown key \"bootstrap.servers\"" LIBRDKAFKA},
	{BYTES("\"a\\e[2Jb\\n\": 1\n"),
	 "1:1: unknown key \"a?[2Jb?\"; capture-primary --keys prints all keys"},
	{BYTES("kafka: {globl: {}}\n"),
	 "1:9: unknown key \"globl\" in kafka; the nearest is \"global\""},
	{BYTES("kafka:\n  linger.ms: 5\n"),
	 "2:3: unknown key \"linger.ms\"; properties of librdkafka belong under kafka: global: or "
	 "kafka: topic:"},
	{BYTES("# one\nworkers: 1\nmtu: 1500\nworkers: 2\n"),
	 "4:1: duplicate key \"workers\"; it is set at line 2"},
	{BYTES("kafka: {}\nkafka: {}\n"), "2:1: duplicate key \"kafka\"; it is set at line 1"},
	{BYTES("kafka: {global: {}, global: {}}\n"),
	 "1:21: duplicate key \"global\"; it is set at line 1"},
	{BYTES("kafka:\n  global:\n    linger.ms: 5\n    acks: -1\n    linger.ms: 6\n"),
	 "5:5: kafka.global: \"linger.ms\" is set twice; allowed: once"},
	{BYTES("workers: many\n"), "1:10: workers: \"many\" is not a number" WORKERS},
	{BYTES("workers:\n"), "1:9: workers: no value" WORKERS},
	{BYTES("workers: ~\n"), "1:10: workers: no value" WORKERS},
	{BYTES("workers: 0\n"), "1:10: workers: \"0\" is out of range" WORKERS},
	{BYTES("workers: 65\n"), "1:10: workers: \"65\" is out of range" WORKERS},
	{BYTES("workers: -1\n"), "1:10: workers: \"-1\" is not a number" WORKERS},
	{BYTES("workers: +1\n"), "1:10: workers: \"+1\" is not a number" WORKERS},
	{BYTES("workers: 1.0\n"), "1:10: workers: \"1.0\" is not a number" WORKERS},
	{BYTES("workers: 1e1\n"), "1:10: workers: \"1e1\" is not a number" WORKERS},
	{BYTES("workers: 1_0\n"), "1:10: workers: \"1_0\" is not a number" WORKERS},
	{BYTES("workers: 010\n"), "1:10: workers: \"010\" is not a number" WORKERS},
	{BYTES("workers: 0x1\n"), "1:10: workers: \"0x1\" is not a number" WORKERS},
	{BYTES("workers: 1 2\n"), "1:10: workers: \"1 2\" is not a number" WORKERS},
	{BYTES("workers: \"1\"\n"),
	 "1:10: workers: text in quotes, not a number or boolean" WORKERS},
	{BYTES("workers: [1]\n"), "1:10: workers: a list where it does not belong" WORKERS},
	{BYTES("workers: {a: 1}\n"), "1:10: workers: a mapping where it does not belong" WORKERS},
	{BYTES("mtu: 67\n"), "1:6: mtu: \"67\" is out of range; allowed: 68 to 65535 bytes"},
	{BYTES("mtu: 65536\n"), "1:6: mtu: \"65536\" is out of range; allowed: 68 to 65535 bytes"},
	{BYTES("mtu: 18446744073709551616\n"),
	 "1:6: mtu: \"18446744073709551616\" is out of range; allowed: 68 to 65535 bytes"},
	{BYTES("receive-descriptors: 63\n"),
	 "1:22: receive-descriptors: \"63\" is out of range; allowed: 64 to 32768 descriptors"},
	{BYTES("burst-size: 513\n"),
	 "1:13: burst-size: \"513\" is out of range; allowed: 1 to 512 packets"},
	{BYTES("idle-max-us: 0\n"),
	 "1:14: idle-max-us: \"0\" is out of range; allowed: 1 to 10000 us"},
	{BYTES("main-lcore: 128\n"),
	 "1:13: main-lcore: \"128\" is out of range; allowed: 0 to 127"},
	{BYTES("orphan-timeout-s: 0\n"),
	 "1:19: orphan-timeout-s: \"0\" is out of range; allowed: 1 to 3600 s"},
	{BYTES("port-mask: 0x10000000000000000\n"),
	 "1:12: port-mask: \"0x10000000000000000\" is out of range; allowed: 0 to 0xffffffffffffffff"},
	{BYTES("port-mask: 0x\n"),
	 "1:12: port-mask: \"0x\" is not a number; allowed: 0 to 0xffffffffffffffff"},
	{BYTES("port-mask: -1\n"),
	 "1:12: port-mask: \"-1\" is not a number; allowed: 0 to 0xffffffffffffffff"},
	{BYTES("ack-window: 1000\n"),
	 "1:13: ack-window: 1000 is not a power of two, the nearest are 512 and 1024" WINDOW},
	{BYTES("ack-window: 63\n"), "1:13: ack-window: \"63\" is out of range" WINDOW},
	{BYTES("ack-window: 1048577\n"), "1:13: ack-window: \"1048577\" is out of range" WINDOW},
	{BYTES("ack-window: 1048575\n"),
	 "1:13: ack-window: 1048575 is not a power of two, the nearest are 524288 and 1048576" WINDOW},
	{BYTES("buffer-memory: 1023KiB\n"),
	 "1:16: buffer-memory: \"1023KiB\" is out of range" MEMORY},
	{BYTES("buffer-memory: 1025GiB\n"),
	 "1:16: buffer-memory: \"1025GiB\" is out of range" MEMORY},
	{BYTES("buffer-memory: 256MB\n"), "1:16: buffer-memory: \"256MB\" is not a size" MEMORY},
	{BYTES("buffer-memory: 18014398509481984KiB\n"),
	 "1:16: buffer-memory: \"18014398509481984KiB\" is out of range" MEMORY},
	{BYTES("buffer-memory: 18014398509744128KiB\n"), // 2^64 B + 256 MiB
	 "1:16: buffer-memory: \"18014398509744128KiB\" is out of range" MEMORY},
	{BYTES("buffer-memory: 99999999999999999999GiB\n"),
	 "1:16: buffer-memory: \"99999999999999999999GiB\" is out of range" MEMORY},
	{BYTES("buffer-memory: GiB\n"), "1:16: buffer-memory: \"GiB\" is not a size" MEMORY},
	{BYTES("buffer-memory: \"1GiB \"\n"),
	 "1:16: buffer-memory: \"1GiB \" is not a size" MEMORY},
	{BYTES("mbuf-data-room: 1151\n"),
	 "1:17: mbuf-data-room: \"1151\" is out of range; allowed: 1152 to 65535, in bytes or with KiB, MiB, GiB"},
	{BYTES("promiscuous: yes\n"),
	 "1:14: promiscuous: \"yes\" is not a boolean; allowed: true, false"},
	{BYTES("promiscuous: True\n"),
	 "1:14: promiscuous: \"True\" is not a boolean; allowed: true, false"},
	{BYTES("promiscuous: 'true'\n"),
	 "1:14: promiscuous: text in quotes, not a number or boolean; allowed: true, false"},
	{BYTES("promiscuous:\n"), "1:13: promiscuous: no value; allowed: true, false"},
	{BYTES("idle: never\n"), "1:7: idle: \"never\" is unknown; allowed: spin|pause|sleep"},
	{BYTES("idle: spin|pause\n"),
	 "1:7: idle: \"spin|pause\" is unknown; allowed: spin|pause|sleep"},
	{BYTES("idle: spi\n"), "1:7: idle: \"spi\" is unknown; allowed: spin|pause|sleep"},
	{BYTES("order: \"\"\n"), "1:8: order: \"\" is unknown; allowed: strict|relaxed"},
	{BYTES("log-level: warn\n"),
	 "1:12: log-level: \"warn\" is unknown; allowed: error|warning|notice|info|debug"},
	{BYTES("instance: a b\n"), "1:11: instance: \"a b\" is refused" INSTANCE},
	{BYTES("instance: -a\n"), "1:11: instance: \"-a\" is refused" INSTANCE},
	{BYTES("instance: \"\"\n"), "1:11: instance: \"\" is refused" INSTANCE},
	{BYTES("instance: aaaaaaaaaaaaaaaaaaaaaaaaa\n"),
	 "1:11: instance: \"aaaaaaaaaaaaaaaaaaaaaaaaa\" is refused" INSTANCE},
	{BYTES("instance: ../a\n"), "1:11: instance: \"../a\" is refused" INSTANCE},
	{BYTES("instance: null\n"), "1:11: instance: no value" INSTANCE},
	{BYTES("instance: [a]\n"), "1:11: instance: a list where it does not belong" INSTANCE},
	{BYTES("group: a b\n"),
	 "1:8: group: \"a b\" is refused; allowed: a group's name, or \"\" for root only"},
	{BYTES("group: \"a\\tb\"\n"),
	 "1:8: group: \"a?b\" is refused; allowed: a group's name, or \"\" for root only"},
	{BYTES("hugepage-directory: dev/hugepages\n"),
	 "1:21: hugepage-directory: \"dev/hugepages\" is refused; allowed: an absolute path, or \"\" for EAL's choice"},
	{BYTES("topic: .\n"), "1:8: topic: \".\" is refused" TOPIC},
	{BYTES("topic: ..\n"), "1:8: topic: \"..\" is refused" TOPIC},
	{BYTES("topic: a/b\n"), "1:8: topic: \"a/b\" is refused" TOPIC},
	{BYTES("topic: \"\"\n"), "1:8: topic: \"\" is refused" TOPIC},
	{BYTES("topic: " T50 T50 T50 T50 T50 "\n"), "1:8: topic: \"" T50 "...\" is refused" TOPIC},
	{BYTES("devices: 0000:03:00\n"), "1:10: devices: \"0000:03:00\" is refused" DEVICES},
	{BYTES("devices: 03:20.0\n"), "1:10: devices: \"03:20.0\" is refused" DEVICES},
	{BYTES("devices: 03:00.8\n"), "1:10: devices: \"03:00.8\" is refused" DEVICES},
	{BYTES("devices: [\"\"]\n"), "1:11: devices: \"\" is refused" DEVICES},
	{BYTES("devices: [net_tap0, [a]]\n"),
	 "1:21: devices: a list where it does not belong" DEVICES},
	{BYTES("devices: {net_tap0: a}\n"),
	 "1:10: devices: a mapping where it does not belong" DEVICES},
	{BYTES("devices: \"net_tap0,iface=a\\nb\"\n"),
	 "1:10: devices: \"net_tap0,iface=a?b\" is refused" DEVICES},
	{BYTES("devices: [a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,]\n"),
	 "1:75: devices: too many" DEVICES},
	{BYTES("receive-lcores: 1,\n"),
	 "1:17: receive-lcores: \"1,\" is not a list of CPUs" LCORES},
	{BYTES("receive-lcores: 3-1\n"),
	 "1:17: receive-lcores: \"3-1\" is not a list of CPUs" LCORES},
	{BYTES("receive-lcores: 1,1\n"),
	 "1:17: receive-lcores: \"1,1\" is not a list of CPUs" LCORES},
	{BYTES("receive-lcores: 0-128\n"),
	 "1:17: receive-lcores: \"0-128\" is not a list of CPUs" LCORES},
	{BYTES("receive-lcores: 1;2\n"),
	 "1:17: receive-lcores: \"1;2\" is not a list of CPUs" LCORES},
	{BYTES("receive-lcores: [1, 2]\n"),
	 "1:17: receive-lcores: a list where it does not belong" LCORES},
	{BYTES("worker-cpus: 1024\n"),
	 "1:14: worker-cpus: \"1024\" is not a list of CPUs; allowed: numbers from 0 to 1023, each once, such as 1,3-5"},
	{BYTES("worker-cpus: 1-\n"),
	 "1:14: worker-cpus: \"1-\" is not a list of CPUs; allowed: numbers from 0 to 1023, each once, such as 1,3-5"},
	{BYTES("kafka: 1\n"), "1:8: kafka: not a mapping; allowed: a mapping of kafka properties"},
	{BYTES("kafka: []\n"), "1:8: kafka: not a mapping; allowed: a mapping of kafka properties"},
	{BYTES("kafka: {global: []}\n"),
	 "1:17: kafka.global: a list where it does not belong" PROPERTIES},
	{BYTES("kafka: {global: a}\n"),
	 "1:17: kafka.global: one value where a mapping belongs" PROPERTIES},
	{BYTES("kafka: {global: {linger: {ms: 5}}}\n"),
	 "1:27: kafka.global: \"linger\": not a source of a value" PLACES},
	{BYTES("kafka: {global: {a: {}}}\n"),
	 "1:22: kafka.global: \"a\": not a source of a value" PLACES},
	{BYTES("kafka: {global: {a: {file: \"\"}}}\n"),
	 "1:28: kafka.global: \"a\": not a source of a value" PLACES},
	{BYTES("kafka: {global: {a: {file: \"a\\nb\"}}}\n"),
	 "1:28: kafka.global: \"a\": not a source of a value" PLACES},
	{BYTES("kafka: {global: {a: {env: }}}\n"),
	 "1:27: kafka.global: \"a\": not a source of a value" PLACES},
	{BYTES("kafka: {global: {a: {env: [b]}}}\n"),
	 "1:27: kafka.global: \"a\": not a source of a value" PLACES},
	{BYTES("kafka: {global: {a: {env: b, file: c}}}\n"),
	 "1:30: kafka.global: \"a\": not a source of a value" PLACES},
	{BYTES("kafka: {global: {a: {[b]: c}}}\n"),
	 "1:22: kafka.global: \"a\": not a source of a value" PLACES},
	{BYTES("kafka: {global: {Linger.ms: 5}}\n"),
	 "1:18: kafka.global: \"Linger.ms\" is refused" PROPERTIES},
	{BYTES("kafka: {topic: {acks: [1]}}\n"),
	 "1:23: kafka.topic: \"acks\" has more than one value; allowed: one text or number, "
	 "{file: PATH} or {env: NAME}"},
	{BYTES("kafka: {topic: {acks: }}\n"),
	 "1:23: kafka.topic: \"acks\" has no value; allowed: one text or number, \"\" for an empty one"},
	{BYTES("kafka: {topic: {[a]: 1}}\n"),
	 "1:17: kafka.topic: a list where it does not belong" PROPERTIES},
	{BYTES("kafka: {topic: {\"\": 1}}\n"), "1:17: kafka.topic: \"\" is refused" PROPERTIES},
	{BYTES("workers: &a 1\n"), "1:10: an anchor" NO_ANCHOR},
	{BYTES("workers: *a\n"),
	 "1:10: an alias; allowed: the value itself, in quotes if it starts with *"},
	{BYTES("&a workers: 1\n"), "1:1: an anchor" NO_ANCHOR},
	{BYTES("&a {workers: 1}\n"), "1:1: an anchor" NO_ANCHOR},
	{BYTES("devices: &a [a]\n"), "1:10: an anchor" NO_ANCHOR},
	{BYTES("workers: !!int 1\n"), "1:10: a tag" NO_TAG},
	{BYTES("!!map {workers: 1}\n"), "1:1: a tag" NO_TAG},
	{BYTES("topic: !x a\n"), "1:8: a tag" NO_TAG},
	{BYTES("devices: !!seq [a]\n"), "1:10: a tag" NO_TAG},
	{BYTES("workers: 1\n---\nworkers: 1\n"), "2:1: a second document; allowed: one"},
	{BYTES("---\n...\n---\n"), "3:1: a second document; allowed: one"},
	{BYTES("workers\n"), "1:1: not a mapping" LINES},
	{BYTES("- workers\n"), "1:1: not a mapping" LINES},
	{BYTES("'workers: 1'\n"), "1:1: not a mapping" LINES},
	{BYTES("? [a]\n: 1\n"), "1:3: a list or mapping as a key; allowed: a word"},
	{BYTES("? {a: b}\n: 1\n"), "1:3: a list or mapping as a key; allowed: a word"},
	{BYTES("[kafka]\ntopic = pcap\n"), "1:1: " INI},
	{BYTES("# comment\n; more\n\n  [a]\n"), "4:3: " INI},
	{BYTES("\xef\xbb\xbf# comment\r\n\r\n[kafka]\r\ntopic = pcap\r\n"), "3:1: " INI},
	{BYTES("topic = pcap\n"), "1:1: not a mapping" LINES},
	{BYTES("workers: 1\n\tmtu: 1500\n"),
	 "2:1: not valid YAML: found a tab character that violates indentation while scanning a plain scalar" LINES},
	{BYTES("workers: [1\n"), "1:10: workers: a list where it does not belong" WORKERS},
	{BYTES("topic: \"a\n"),
	 "2:1: not valid YAML: found unexpected end of stream while scanning a quoted scalar" LINES},
	{BYTES("workers: 1\n  mtu: 5\n"), "1:10: workers: \"1 mtu\" is not a number" WORKERS},
	{BYTES("workers: @1\n"),
	 "1:10: not valid YAML: found character that cannot start any token while scanning for the next token" LINES},
	{BYTES("topic: \"\\q\"\n"),
	 "1:9: not valid YAML: found unknown escape character while parsing a quoted scalar" LINES},
	{BYTES("%YAML 3.0\n---\n"), "1:1: not valid YAML: found incompatible YAML document" LINES},
	{BYTES("topic: \377\n"), "1:8: invalid leading UTF-8 octet" UTF8},
	{BYTES("workers: 1\ntopic: \303\251\300\257\n"),
	 "2:9: invalid length of a UTF-8 sequence" UTF8},
	{BYTES("topic: a\000b\n"), "1:9: control characters are not allowed" UTF8},
	{BYTES("\000"), "1:1: control characters are not allowed" UTF8},
	{BYTES("\377\376t\000"), "1:1: invalid leading UTF-8 octet" UTF8},
	{BYTES("topic: \033[2J\n"), "1:8: control characters are not allowed" UTF8},
	{BYTES("topic: \355\240\200\n"), "1:8: invalid Unicode character" UTF8},
	{BYTES("topic: \"a\\0b\"\n"), "1:8: a NUL character" UTF8},
	{BYTES("\xef\xbb\xbftopic: \377\n"), "1:8: invalid leading UTF-8 octet" UTF8},
	{BYTES("\xef\xbb\xbf# x\nworkers: \"a\n"),
	 "3:1: not valid YAML: found unexpected end of stream while scanning a quoted scalar" LINES},
	{BYTES("topic: pcap\n# \365\n"), "2:3: incomplete UTF-8 octet sequence" UTF8},
};

static int load(struct rtap_config *cfg, const char *text, struct rtap_config_error *error) {
	return rtap_config_load_buffer(cfg, "t.yaml", text, strlen(text), error);
}

static void load_ok(struct rtap_config *cfg, const char *text) {
	struct rtap_config_error error = {""};

	ck_assert_msg(load(cfg, text, &error) == 0, "%s", error.text);
}

// What rtap_config_print() prints; the caller frees it.
static char *printed(const struct rtap_config *cfg) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	rtap_config_print(cfg, out);
	fclose(out);
	return text;
}

static void assert_same_config(const struct rtap_config *a, const struct rtap_config *b) {
	char *text_a = printed(a), *text_b = printed(b);

	ck_assert_str_eq(text_a, text_b);
	free(text_a);
	free(text_b);
}

START_TEST(test_refused) {
	struct rtap_config_error error = {""};
	static const struct rtap_config zero;
	struct rtap_config cfg;
	char line[600];

	snprintf(line, sizeof(line), "t.yaml:%s", bad[_i].line);
	ck_assert_int_eq(
		rtap_config_load_buffer(&cfg, "t.yaml", bad[_i].text, bad[_i].size, &error), -EINVAL
	);
	ck_assert_str_eq(error.text, line);
	ck_assert_mem_eq(&cfg, &zero, sizeof(cfg));
}
END_TEST

static const char *const empty[] = {
	"",
	"\n",
	"# nothing\n",
	"---\n",
	"--- {}\n...\n",
	"{}",
	"~",
	"\xef\xbb\xbf",
	"kafka:\n",
	"kafka:\n  global:\n  topic:\n",
	"devices:\nreceive-lcores:\nworker-cpus:\n",
	"devices: []\nkafka: {}",
	"devices: \"\"\n",
};

START_TEST(test_empty_is_default) {
	struct rtap_config cfg, defaults;

	load_ok(&cfg, empty[_i]);
	load_ok(&defaults, "");
	assert_same_config(&cfg, &defaults);
	rtap_config_fini(&cfg);
	rtap_config_fini(&defaults);
}
END_TEST

START_TEST(test_defaults) {
	struct rtap_config cfg;

	load_ok(&cfg, "");
	ck_assert_str_eq(cfg.file, "t.yaml");
	ck_assert_str_eq(cfg.instance, "ringtap");
	ck_assert_str_eq(cfg.group, "");
	ck_assert_int_eq(cfg.log_level, RTAP_LOG_INFO);
	ck_assert_uint_eq(cfg.stats_interval_s, 5);
	ck_assert_uint_eq(cfg.drain_timeout_s, 10);
	ck_assert_uint_eq(cfg.orphan_timeout_s, 10);
	ck_assert_uint_eq(cfg.stuck_timeout_s, 10);
	ck_assert_uint_eq(cfg.devices.nb_items, 0);
	ck_assert_uint_eq(cfg.port_mask, 0);
	ck_assert_uint_eq(cfg.receive_queues, 1);
	ck_assert_uint_eq(cfg.receive_descriptors, 1024);
	ck_assert_uint_eq(cfg.mtu, 9000);
	ck_assert(cfg.promiscuous);
	ck_assert_uint_eq(cfg.main_lcore, 0);
	ck_assert_uint_eq(cfg.receive_lcores.nb_cpus, 0);
	ck_assert_uint_eq(cfg.burst_size, 32);
	ck_assert_uint_eq(cfg.max_bursts, 4);
	ck_assert_int_eq(cfg.idle, RTAP_IDLE_PAUSE);
	ck_assert_uint_eq(cfg.idle_max_us, 100);
	ck_assert_uint_eq(cfg.transmit_rings_per_queue, 4);
	ck_assert_uint_eq(cfg.buffer_memory_bytes, 256 * MIB);
	ck_assert_uint_eq(cfg.mbuf_data_room_bytes, 2176);
	ck_assert_str_eq(cfg.hugepage_directory, "");
	ck_assert_str_eq(cfg.topic, "pcap");
	ck_assert_uint_eq(cfg.workers, 1);
	ck_assert_uint_eq(cfg.worker_cpus.nb_cpus, 0);
	ck_assert_uint_eq(cfg.worker_burst, 256);
	ck_assert_uint_eq(cfg.ack_window, 32768);
	ck_assert_int_eq(cfg.partitioner, RTAP_PARTITIONER_RING);
	ck_assert_int_eq(cfg.order, RTAP_ORDER_STRICT);
	ck_assert_uint_eq(cfg.kafka_global.nb_items, 1);
	ck_assert_str_eq(cfg.kafka_global.items[0].name, "bootstrap.servers");
	ck_assert_str_eq(cfg.kafka_global.items[0].value, "localhost:9092");
	ck_assert_uint_eq(cfg.kafka_global.items[0].line, 0);
	ck_assert_uint_eq(cfg.kafka_topic.nb_items, 0);
	rtap_config_fini(&cfg);
}
END_TEST

static const char full[] = "instance: A_z-9\n"
			   "group: wheel\n"
			   "log-level: debug\n"
			   "stats-interval-s: 0\n"
			   "drain-timeout-s: 3600\n"
			   "orphan-timeout-s: 1\n"
			   "stuck-timeout-s: 2\n"
			   "devices: [0000:03:00.0, \"af:1f.7,a=b\", 'net_tap0,iface=tap0']\n"
			   "port-mask: 0xFfffffffffffffff\n"
			   "receive-queues: 1024\n"
			   "receive-descriptors: 64\n"
			   "mtu: 68\n"
			   "promiscuous: false\n"
			   "main-lcore: 127\n"
			   "receive-lcores: 1,3-5, 0\n"
			   "burst-size: 512\n"
			   "max-bursts: 64\n"
			   "idle: sleep\n"
			   "idle-max-us: 10000\n"
			   "transmit-rings-per-queue: 16\n"
			   "buffer-memory: 1024 GiB\n"
			   "mbuf-data-room: 10KiB\n"
			   "hugepage-directory: /mnt/huge pages\n"
			   "topic: ...\n"
			   "workers: 64\n"
			   "worker-cpus: 1023\n"
			   "worker-burst: 1024\n"
			   "ack-window: 64\n"
			   "partitioner: burst\n"
			   "order: relaxed\n"
			   "kafka:\n"
			   "  topic:\n"
			   "    acks: -1\n"
			   "  global:\n"
			   "    bootstrap.servers: a:1,b:2\n"
			   "    log_level: 7\n";

START_TEST(test_every_key) {
	static const uint16_t lcores[] = {1, 3, 4, 5, 0};
	struct rtap_config cfg;

	load_ok(&cfg, full);
	ck_assert_str_eq(cfg.instance, "A_z-9");
	ck_assert_str_eq(cfg.group, "wheel");
	ck_assert_int_eq(cfg.log_level, RTAP_LOG_DEBUG);
	ck_assert_uint_eq(cfg.stats_interval_s, 0);
	ck_assert_uint_eq(cfg.drain_timeout_s, 3600);
	ck_assert_uint_eq(cfg.orphan_timeout_s, 1);
	ck_assert_uint_eq(cfg.stuck_timeout_s, 2);
	ck_assert_uint_eq(cfg.devices.nb_items, 3);
	ck_assert_str_eq(cfg.devices.items[0], "0000:03:00.0");
	ck_assert_str_eq(cfg.devices.items[1], "af:1f.7,a=b");
	ck_assert_str_eq(cfg.devices.items[2], "net_tap0,iface=tap0");
	ck_assert_uint_eq(cfg.port_mask, UINT64_MAX);
	ck_assert_uint_eq(cfg.receive_queues, 1024);
	ck_assert_uint_eq(cfg.receive_descriptors, 64);
	ck_assert_uint_eq(cfg.mtu, 68);
	ck_assert(!cfg.promiscuous);
	ck_assert_uint_eq(cfg.main_lcore, 127);
	ck_assert_uint_eq(cfg.receive_lcores.nb_cpus, 5);
	ck_assert_mem_eq(cfg.receive_lcores.cpus, lcores, sizeof(lcores));
	ck_assert_uint_eq(cfg.burst_size, 512);
	ck_assert_uint_eq(cfg.max_bursts, 64);
	ck_assert_int_eq(cfg.idle, RTAP_IDLE_SLEEP);
	ck_assert_uint_eq(cfg.idle_max_us, 10000);
	ck_assert_uint_eq(cfg.transmit_rings_per_queue, 16);
	ck_assert_uint_eq(cfg.buffer_memory_bytes, UINT64_C(1) << 40);
	ck_assert_uint_eq(cfg.mbuf_data_room_bytes, 10240);
	ck_assert_str_eq(cfg.hugepage_directory, "/mnt/huge pages");
	ck_assert_str_eq(cfg.topic, "...");
	ck_assert_uint_eq(cfg.workers, 64);
	ck_assert_uint_eq(cfg.worker_cpus.nb_cpus, 1);
	ck_assert_uint_eq(cfg.worker_cpus.cpus[0], 1023);
	ck_assert_uint_eq(cfg.worker_burst, 1024);
	ck_assert_uint_eq(cfg.ack_window, 64);
	ck_assert_int_eq(cfg.partitioner, RTAP_PARTITIONER_BURST);
	ck_assert_int_eq(cfg.order, RTAP_ORDER_RELAXED);
	ck_assert_uint_eq(cfg.kafka_global.nb_items, 2);
	ck_assert_str_eq(cfg.kafka_global.items[0].value, "a:1,b:2");
	ck_assert_str_eq(cfg.kafka_global.items[1].name, "log_level");
	ck_assert_str_eq(cfg.kafka_global.items[1].value, "7");
	ck_assert_uint_eq(cfg.kafka_global.items[1].line, 36);
	ck_assert_uint_eq(cfg.kafka_global.items[1].column, 5);
	ck_assert_uint_eq(cfg.kafka_topic.nb_items, 1);
	ck_assert_str_eq(cfg.kafka_topic.items[0].value, "-1");
	rtap_config_fini(&cfg);
}
END_TEST

// Every row of the table: its limits are accepted, and nothing beyond them.
START_TEST(test_limits) {
	const struct rtap_config_key *key = &rtap_config_keys[_i];
	struct rtap_config_error error;
	struct rtap_config cfg;
	char text[32];

	load_ok(&cfg, "");
	switch (key->type) {
	case RTAP_CONFIG_NUMBER:
	case RTAP_CONFIG_POWER_OF_TWO:
	case RTAP_CONFIG_RING_SIZE:
	case RTAP_CONFIG_SIZE:
		snprintf(text, sizeof(text), "%" PRIu64, key->min);
		ck_assert_int_eq(rtap_config_key_set(&cfg, key, text, &error), 0);
		ck_assert_uint_eq(*(uint64_t *)rtap_config_field(&cfg, key), key->min);
		snprintf(text, sizeof(text), "%" PRIu64, key->max);
		ck_assert_int_eq(rtap_config_key_set(&cfg, key, text, &error), 0);
		ck_assert_uint_eq(*(uint64_t *)rtap_config_field(&cfg, key), key->max);
		snprintf(text, sizeof(text), "%" PRIu64, key->max + 1);
		ck_assert_int_eq(rtap_config_key_set(&cfg, key, text, &error), -EINVAL);
		snprintf(text, sizeof(text), "%" PRId64, (int64_t)key->min - 1);
		ck_assert_int_eq(rtap_config_key_set(&cfg, key, text, &error), -EINVAL);
		ck_assert_uint_eq(*(uint64_t *)rtap_config_field(&cfg, key), key->max);
		break;
	case RTAP_CONFIG_STRING:
	case RTAP_CONFIG_WORD:
	case RTAP_CONFIG_BOOLEAN:
	case RTAP_CONFIG_CPU_LIST:
		ck_assert_int_eq(rtap_config_key_set(&cfg, key, key->initial, &error), 0);
		ck_assert_int_eq(rtap_config_key_set(&cfg, key, "\n", &error), -EINVAL);
		break;
	default:
		break;
	}
	rtap_config_fini(&cfg);
}
END_TEST

static const char *const good[] = {
	"\xef\xbb\xbfworkers: 1\ntopic: a\n",
	"\xef\xbb\xbf# comment\r\nworkers: 1\r\ntopic: a\r\n",
	"\"workers\": 2\n",
	"{\"workers\": 2, \"kafka\": {\"global\": {\"linger.ms\": 5}}}\n",
	"buffer-memory: 1048576\n",
	"buffer-memory: \"1MiB\"\n",
	"port-mask: 0x0\n",
	"port-mask: 3\n",
	"devices: 03:00.0\n",
	"devices: 00000001:03:00.0\n",
	"devices:\n- net_null0\n- net_pcap0,rx_pcap=/tmp/a b.pcap\n",
	"devices: [a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a]\n",
	"topic: " T50 T50 T50 T50 "ttttttttttttttttttttttttttttttttttttttttttttttttt\n", // 249
	"topic: .a\n",
	"topic: ..a\n",
	"topic: a..\n",
	"instance: aaaaaaaaaaaaaaaaaaaaaaaa\n", // 24
	"receive-lcores: 0-127\n",
	"worker-cpus: 0-1023\n",
	"log-level: \"error\"\n",
	"%YAML 1.2\n---\nworkers: 2\n",
	"workers: 2 # comment\r\n",
};

START_TEST(test_accepted) {
	struct rtap_config cfg;

	load_ok(&cfg, good[_i]);
	rtap_config_fini(&cfg);
}
END_TEST

START_TEST(test_properties_are_text) {
	struct rtap_config cfg;

	load_ok(&cfg,
		"kafka:\n"
		"  global:\n"
		"    a: true\n"
		"    b: 0x10\n"
		"    c: \"\"\n"
		"    d: \"~\"\n"
		"    e: |\n"
		"      one\n"
		"      two\n"
		"    metadata.broker.list: x\n");
	ck_assert_uint_eq(cfg.kafka_global.nb_items, 6); // no default: the brokers are named
	ck_assert_str_eq(cfg.kafka_global.items[0].value, "true");
	ck_assert_str_eq(cfg.kafka_global.items[1].value, "0x10");
	ck_assert_str_eq(cfg.kafka_global.items[2].value, "");
	ck_assert_str_eq(cfg.kafka_global.items[3].value, "~");
	ck_assert_str_eq(cfg.kafka_global.items[4].value, "one\ntwo\n");
	ck_assert_str_eq(rtap_config_property_find(&cfg.kafka_global, "b")->value, "0x10");
	ck_assert_ptr_null(rtap_config_property_find(&cfg.kafka_global, "bootstrap.servers"));
	rtap_config_fini(&cfg);
}
END_TEST

START_TEST(test_too_many_properties) {
	struct rtap_config_error error;
	struct rtap_config cfg;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("kafka:\n  topic:\n", out);
	for (int i = 0; i < 256; i++)
		fprintf(out, "    p%d: 1\n", i);
	fflush(out);
	load_ok(&cfg, text);
	ck_assert_uint_eq(cfg.kafka_topic.nb_items, 256);
	rtap_config_fini(&cfg);
	fputs("    p: 1\n", out);
	fclose(out);
	ck_assert_int_eq(load(&cfg, text, &error), -EINVAL);
	ck_assert_str_eq(error.text, "t.yaml:259:5: kafka.topic: too many" PROPERTIES);
	free(text);
}
END_TEST

START_TEST(test_set) {
	struct rtap_config_error error = {""};
	struct rtap_config cfg;

	load_ok(&cfg, "workers: 2\ndevices: [net_null0, net_null1]\nreceive-lcores: 1-3\n");
	ck_assert_int_eq(rtap_config_set(&cfg, "workers", "7", &error), 0);
	ck_assert_uint_eq(cfg.workers, 7);
	ck_assert_int_eq(rtap_config_set(&cfg, "workers", "0", &error), -EINVAL);
	ck_assert_str_eq(error.text, "workers: \"0\" is out of range" WORKERS);
	ck_assert_uint_eq(cfg.workers, 7);
	ck_assert_int_eq(rtap_config_set(&cfg, "workers", "", &error), -EINVAL);
	ck_assert_int_eq(rtap_config_set(&cfg, "worker", "1", &error), -EINVAL);
	ck_assert_str_eq(error.text, "unknown key \"worker\"");
	ck_assert_int_eq(rtap_config_set(&cfg, "devices", "03:00", &error), -EINVAL);
	ck_assert_uint_eq(cfg.devices.nb_items, 2);
	ck_assert_int_eq(rtap_config_set(&cfg, "devices", "03:00.0", &error), 0);
	ck_assert_uint_eq(cfg.devices.nb_items, 1);
	ck_assert_str_eq(cfg.devices.items[0], "03:00.0");
	ck_assert_int_eq(rtap_config_set(&cfg, "receive-lcores", "4-", &error), -EINVAL);
	ck_assert_uint_eq(cfg.receive_lcores.nb_cpus, 3);
	ck_assert_int_eq(rtap_config_set(&cfg, "receive-lcores", "", &error), 0);
	ck_assert_uint_eq(cfg.receive_lcores.nb_cpus, 0);
	ck_assert_int_eq(rtap_config_set(&cfg, "topic", "other", &error), 0);
	ck_assert_str_eq(cfg.topic, "other");
	ck_assert_int_eq(rtap_config_set(&cfg, "kafka.global", "a", &error), -EINVAL);
	ck_assert_int_eq(rtap_config_set(&cfg, "kafka", "a", &error), -EINVAL);
	rtap_config_fini(&cfg);
}
END_TEST

static const char *const texts[] = {
	"",
	full,
	"kafka: {global: {a: \"q\\\"\\\\ # : ' \\n\\t\\x01 \\u0085\\u2028\\uFEFF\xc3\xa9\"}}\n",
	"kafka: {topic: {\"null\": \" x \", \"...\": \"---\", \"1\": '- a'}}\n",
	"kafka: {global: {a: {file: \"/x: 'y\"}, b: {env: PATH}}}\n",
	"hugepage-directory: \"/\xc3\xa9/\xe2\x82\xac: '\"\n",
};

START_TEST(test_round_trip) {
	struct rtap_config cfg, again;
	char *text;

	load_ok(&cfg, texts[_i]);
	text = printed(&cfg);
	load_ok(&again, text);
	assert_same_config(&cfg, &again);
	for (unsigned int i = 0; i < cfg.kafka_global.nb_items; i++)
		ck_assert_str_eq(
			cfg.kafka_global.items[i].value, again.kafka_global.items[i].value
		);
	for (unsigned int i = 0; i < cfg.kafka_topic.nb_items; i++)
		ck_assert_str_eq(cfg.kafka_topic.items[i].value, again.kafka_topic.items[i].value);
	ck_assert_str_eq(cfg.hugepage_directory, again.hugepage_directory);
	ck_assert_uint_eq(cfg.port_mask, again.port_mask);
	ck_assert_uint_eq(cfg.buffer_memory_bytes, again.buffer_memory_bytes);
	free(text);
	rtap_config_fini(&cfg);
	rtap_config_fini(&again);
}
END_TEST

START_TEST(test_secrets_are_hidden) {
	struct rtap_config cfg;
	char *text;

	load_ok(&cfg,
		"kafka: {global: {sasl.password: hunter2, ssl.key.pem: hunter2,\n"
		"  sasl.pasword: hunter2, sasl.jaas.config: hunter2, ssl.keypassword: hunter2,\n"
		"  ssl.ca.location: /ca, sasl.mechanism: PLAIN,\n"
		"  sasl.oauthbearer.client.secret: hunter2, sasl.username: alice}}\n");
	text = printed(&cfg);
	ck_assert_ptr_null(strstr(text, "hunter2"));
	ck_assert_ptr_nonnull(strstr(text, "sasl.password: \"(hidden)\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "ssl.ca.location: \"/ca\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "sasl.mechanism: \"PLAIN\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "sasl.username: \"alice\"\n"));
	free(text);
	rtap_config_fini(&cfg);
}
END_TEST

// ---- values that stand elsewhere ----

static char secret_path[32];

static void write_secret(const char *text, size_t size, mode_t mode) {
	FILE *out;
	int fd;

	snprintf(secret_path, sizeof(secret_path), "/tmp/rtap-secret-XXXXXX");
	fd = mkstemp(secret_path);
	out = fdopen(fd, "w");
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(text, 1, size, out), size);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	fclose(out);
}

static void load_from(struct rtap_config *cfg, const char *kind, const char *where) {
	char text[256];

	snprintf(
		text, sizeof(text), "kafka:\n  global:\n    sasl.password: {%s: %s}\n", kind, where
	);
	load_ok(cfg, text);
}

static const struct {
	const char *text;
	size_t size;
	const char *value; // NULL = refused, with
	const char *line; // after the path
} secrets[] = {
	{BYTES("hunter2"), "hunter2", NULL},
	{BYTES("hunter2\n"), "hunter2", NULL},
	{BYTES("hunter2\r\n"), "hunter2", NULL},
	{BYTES(" hunter 2 \n\n"), " hunter 2 \n", NULL},
	{BYTES(""), NULL, " is empty; allowed: text; a final newline is ignored"},
	{BYTES("\n"), NULL, " is empty; allowed: text; a final newline is ignored"},
	{BYTES("a\0b"), NULL, " contains a NUL character; allowed: text"},
};

START_TEST(test_value_in_a_file) {
	struct rtap_config_error error = {""};
	struct rtap_config cfg;
	char line[128], *text;

	write_secret(secrets[_i].text, secrets[_i].size, 0600);
	load_from(&cfg, "file", secret_path);
	ck_assert_str_eq(cfg.kafka_global.items[0].value, "");
	if (secrets[_i].value != NULL) {
		ck_assert_int_eq(rtap_config_read_secrets(&cfg, &error), 0);
		ck_assert_str_eq(cfg.kafka_global.items[0].value, secrets[_i].value);
	} else {
		ck_assert_int_eq(rtap_config_read_secrets(&cfg, &error), -EINVAL);
		snprintf(
			line, sizeof(line), "t.yaml:3:5: kafka.global.sasl.password: %s%s",
			secret_path, secrets[_i].line
		);
		ck_assert_str_eq(error.text, line);
	}
	text = printed(&cfg);
	snprintf(line, sizeof(line), "    sasl.password:\n      file: \"%s\"\n", secret_path);
	ck_assert_ptr_nonnull(strstr(text, line));
	ck_assert_ptr_null(strstr(text, "hunter"));
	free(text);
	unlink(secret_path);
	rtap_config_fini(&cfg);
}
END_TEST

START_TEST(test_value_in_no_file) {
	struct rtap_config_error error;
	struct rtap_config cfg;

	load_from(&cfg, "file", "/nonexistent/x");
	ck_assert_int_eq(rtap_config_read_secrets(&cfg, &error), -EINVAL);
	ck_assert_str_eq(
		error.text,
		"t.yaml:3:5: kafka.global.sasl.password: /nonexistent/x: No such file or directory"
	);
	rtap_config_fini(&cfg);
	load_from(&cfg, "file", "/tmp");
	ck_assert_int_eq(rtap_config_read_secrets(&cfg, &error), -EINVAL);
	ck_assert_str_eq(
		error.text,
		"t.yaml:3:5: kafka.global.sasl.password: /tmp is not a regular file of at most 65536 "
		"bytes"
	);
	rtap_config_fini(&cfg);
}
END_TEST

// Every test is a process of its own, so its stderr may go.
START_TEST(test_file_that_all_may_read) {
	struct rtap_config_error error;
	struct rtap_config cfg;
	char said[512] = "";
	FILE *log = tmpfile();

	ck_assert_int_ge(dup2(fileno(log), STDERR_FILENO), 0);
	write_secret(BYTES("hunter2\n"), 0604);
	load_from(&cfg, "file", secret_path);
	ck_assert_int_eq(rtap_config_read_secrets(&cfg, &error), 0);
	ck_assert_int_gt(pread(fileno(log), said, sizeof(said) - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(said, "warning config: t.yaml:3:5: /tmp/"));
	ck_assert_ptr_null(strstr(said, "hunter2"));
	unlink(secret_path);
	rtap_config_fini(&cfg);
}
END_TEST

START_TEST(test_value_in_a_variable) {
	struct rtap_config_error error;
	struct rtap_config cfg;

	ck_assert_int_eq(setenv("RTAP_TEST_SECRET", "hunter2", 1), 0);
	load_ok(&cfg,
		"kafka:\n  global: {a: {env: RTAP_TEST_SECRET}}\n"
		"  topic: {b: {env: RTAP_TEST_SECRET}}\n");
	ck_assert_int_eq(rtap_config_read_secrets(&cfg, &error), 0);
	ck_assert_str_eq(cfg.kafka_global.items[0].value, "hunter2");
	ck_assert_str_eq(cfg.kafka_topic.items[0].value, "hunter2");
	ck_assert_str_eq(getenv("RTAP_TEST_SECRET"), ""); // nor has a child of ours
	ck_assert_int_eq(rtap_config_read_secrets(&cfg, &error), -EINVAL);
	rtap_config_fini(&cfg);
	load_from(&cfg, "env", "RTAP_TEST_NOTHING");
	ck_assert_int_eq(rtap_config_read_secrets(&cfg, &error), -EINVAL);
	ck_assert_str_eq(
		error.text,
		"t.yaml:3:5: kafka.global.sasl.password: environment variable "
		"RTAP_TEST_NOTHING is not set"
	);
	rtap_config_fini(&cfg);
}
END_TEST

START_TEST(test_print_survives_bad_text) {
	struct rtap_config_error error;
	struct rtap_config cfg;
	char *text;

	load_ok(&cfg, "");
	ck_assert_int_eq(rtap_config_set(&cfg, "group", "\xff", &error), 0);
	text = printed(&cfg);
	ck_assert_ptr_nonnull(strstr(text, "group: \"(not UTF-8)\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "bootstrap.servers: \"localhost:9092\"\n"));
	free(text);
	rtap_config_fini(&cfg);
}
END_TEST

START_TEST(test_reference) {
	char *text = NULL, *at, line[128];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	rtap_config_print_reference(out);
	fclose(out);
	at = text;
	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		const struct rtap_config_key *key = &rtap_config_keys[i];

		snprintf(line, sizeof(line), "%s (", key->path);
		at = strstr(at, line);
		ck_assert_msg(at != NULL, "%s", key->path);
		ck_assert_ptr_nonnull(strstr(at, key->help));
		ck_assert_ptr_eq(rtap_config_key_lookup(key->path), key);
	}
	free(text);
	ck_assert_ptr_null(rtap_config_key_lookup("kafka"));
	ck_assert_ptr_null(rtap_config_key_lookup(""));
}
END_TEST

static char *read_whole(const char *path) {
	char *text = NULL;
	size_t size = 0;
	FILE *in = fopen(path, "r");

	ck_assert_msg(in != NULL, "%s", path);
	ck_assert_int_gt(getdelim(&text, &size, '\0', in), 0);
	fclose(in);
	return text;
}

START_TEST(test_full_file_has_every_key) {
	char *text = read_whole(CONFIG_DIR "/ringtap.yaml");
	struct rtap_config cfg, defaults;
	struct rtap_config_error error = {""};

	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		const char *dot = strchr(rtap_config_keys[i].path, '.');
		char line[64];

		snprintf(
			line, sizeof(line), "\n%s%s:", dot != NULL ? "  " : "",
			dot != NULL ? dot + 1 : rtap_config_keys[i].path
		);
		ck_assert_msg(strstr(text, line) != NULL, "no %s", rtap_config_keys[i].path);
	}
	ck_assert_msg(
		rtap_config_load(&cfg, CONFIG_DIR "/ringtap.yaml", &error) == 0, "%s", error.text
	);
	ck_assert_str_eq(cfg.file, CONFIG_DIR "/ringtap.yaml");
	load_ok(&defaults, "");
	assert_same_config(&cfg, &defaults);
	rtap_config_fini(&cfg);
	rtap_config_fini(&defaults);
	free(text);
}
END_TEST

START_TEST(test_lab_file_loads) {
	struct rtap_config_error error = {""};
	struct rtap_config cfg;

	ck_assert_msg(
		rtap_config_load(&cfg, CONFIG_DIR "/lab.yaml", &error) == 0, "%s", error.text
	);
	ck_assert_str_eq(cfg.instance, "lab");
	ck_assert_uint_eq(cfg.devices.nb_items, 1);
	ck_assert_str_eq(cfg.devices.items[0], "net_tap0,iface=rtap0");
	rtap_config_fini(&cfg);
}
END_TEST

START_TEST(test_unreadable_files) {
	struct rtap_config_error error;
	struct rtap_config cfg = {.workers = 1};

	ck_assert_int_eq(rtap_config_load(&cfg, "/nonexistent/a.yaml", &error), -ENOENT);
	ck_assert_str_eq(
		error.text, "/nonexistent/a.yaml: cannot be read: No such file or directory"
	);
	ck_assert_uint_eq(cfg.workers, 0);
	ck_assert_int_eq(rtap_config_load(&cfg, "/", &error), -EISDIR);
	ck_assert_str_eq(error.text, "/: cannot be read: Is a directory");
	ck_assert_int_eq(rtap_config_load(&cfg, "/dev/zero", &error), -EINVAL);
	ck_assert_str_eq(error.text, "/dev/zero:1:1: the file is too large; allowed: up to 1 MiB");
	rtap_config_fini(&cfg);
}
END_TEST

START_TEST(test_large_files) {
	struct rtap_config_error error;
	struct rtap_config cfg;
	char *text = malloc(MIB + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, '#', MIB + 1);
	ck_assert_int_eq(rtap_config_load_buffer(&cfg, "t.yaml", text, MIB, &error), 0);
	rtap_config_fini(&cfg);
	ck_assert_int_eq(rtap_config_load_buffer(&cfg, "t.yaml", text, MIB + 1, &error), -EINVAL);
	ck_assert_str_eq(error.text, "t.yaml:1:1: the file is too large; allowed: up to 1 MiB");
	free(text);
}
END_TEST

static const struct {
	const char *start, *repeat, *line;
} bombs[] = {
	{"workers: ", "[", "1:10: workers: a list where it does not belong" WORKERS},
	{"workers: ", "{a: ", "1:10: workers: a mapping where it does not belong" WORKERS},
	{"devices: ", "[", "1:11: devices: a list where it does not belong" DEVICES},
	{"", "{", "1:2: a list or mapping as a key; allowed: a word"},
	{"", "- ", "1:1: not a mapping" LINES},
	{"", "? ", "1:3: a list or mapping as a key; allowed: a word"},
	{"kafka: {global: {", "a: {", "1:22: kafka.global: \"a\": not a source of a value" PLACES},
	{"kafka: {global: {a: ", "&a ", "1:21: an anchor" NO_ANCHOR},
};

// A whole file of one thing that nests or repeats: refused at the first one, in no time.
START_TEST(test_bombs) {
	struct rtap_config_error error;
	struct rtap_config cfg;
	char *text = malloc(MIB), line[256];
	size_t size = strlen(bombs[_i].start), len = strlen(bombs[_i].repeat);

	ck_assert_ptr_nonnull(text);
	memcpy(text, bombs[_i].start, size);
	for (; size + len <= MIB; size += len)
		memcpy(text + size, bombs[_i].repeat, len);
	snprintf(line, sizeof(line), "t.yaml:%s", bombs[_i].line);
	ck_assert_int_eq(rtap_config_load_buffer(&cfg, "t.yaml", text, size, &error), -EINVAL);
	ck_assert_str_eq(error.text, line);
	free(text);
}
END_TEST

// The line stays one line within its room, whatever the names are.
START_TEST(test_long_names) {
	char name[5000], text[5000];
	struct rtap_config_error error;
	struct rtap_config cfg;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text), "? \"%.4000s\"\n: 1\n", name);
	ck_assert_int_eq(rtap_config_load_buffer(&cfg, name, text, strlen(text), &error), -EINVAL);
	ck_assert_uint_lt(strlen(error.text), sizeof(error.text));
	ck_assert_ptr_nonnull(strstr(error.text, "n:1:3: unknown key \"nnn"));
	ck_assert_ptr_nonnull(strstr(error.text, "...\"; capture-primary --keys "));
}
END_TEST

START_TEST(test_quote) {
	char text[64];

	memset(text, 'x', sizeof(text));
	text[50] = '\0';
	ck_assert_uint_eq(strlen(rtap_config_quote(text).text), 52);
	text[50] = 'x';
	text[51] = '\0';
	ck_assert_uint_eq(strlen(rtap_config_quote(text).text), 55);
	ck_assert_str_eq(rtap_config_quote("a\x7f\n\x1b\xc2\x9b").text, "\"a?????\"");
}
END_TEST

START_TEST(test_cpu_list) {
	static const struct {
		const char *text, *again; // NULL = refused
	} lists[] = {
		{"", ""},
		{"0", "0"},
		{"127", "127"},
		{"128", NULL},
		{"1,3-5", "1,3-5"},
		{"5,4,3", "5,4,3"},
		{"1,2,3,7", "1-3,7"},
		{"1, 2", "1-2"},
		{"0-127", "0-127"},
		{"0-128", NULL},
		{"3-3", "3"},
		{"3-2", NULL},
		{"1,1", NULL},
		{"1-3,2", NULL},
		{",1", NULL},
		{"1,", NULL},
		{"1,,2", NULL},
		{"1-", NULL},
		{"-1", NULL},
		{"1-2-3", NULL},
		{" 1", NULL},
		{"1 ", NULL},
		{"1 ,2", NULL},
		{"0x1", NULL},
		{"a", NULL},
		{"4294967296", NULL},
		{"18446744073709551617", NULL},
		{"0-18446744073709551617", NULL},
	};

	for (int i = 0; i < LENGTH(lists); i++) {
		struct rtap_cpu_list list = {0};
		int rc = rtap_cpu_list_parse(&list, lists[i].text, 127);
		char *text = rtap_cpu_list_text(&list);

		ck_assert_msg(rc == (lists[i].again != NULL ? 0 : -EINVAL), "%s", lists[i].text);
		ck_assert_str_eq(text, lists[i].again != NULL ? lists[i].again : "");
		free(text);
		rtap_cpu_list_fini(&list);
	}
}
END_TEST

START_TEST(test_allowed_cpus) {
	struct rtap_cpu_list list;
	cpu_set_t set;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	ck_assert_int_eq(rtap_cpu_list_allowed(&list), 0);
	ck_assert_uint_eq(list.nb_cpus, (unsigned int)CPU_COUNT(&set));
	for (unsigned int i = 0; i < list.nb_cpus; i++)
		ck_assert(CPU_ISSET(list.cpus[i], &set));
	ck_assert(rtap_cpu_list_contains(&list, list.cpus[list.nb_cpus - 1]));
	ck_assert(!rtap_cpu_list_contains(&list, CPU_SETSIZE));
	rtap_cpu_list_fini(&list);
	ck_assert_uint_eq(list.nb_cpus, 0);
}
END_TEST

// A CPU that the process was not given, as an isolated one, can be named all the same.
START_TEST(test_usable_cpus) {
	struct rtap_cpu_list before, usable, after;
	cpu_set_t one;

	ck_assert_int_eq(rtap_cpu_list_usable(&before), 0);
	CPU_ZERO(&one);
	CPU_SET(before.cpus[before.nb_cpus - 1], &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	ck_assert_int_eq(rtap_cpu_list_usable(&usable), 0);
	ck_assert_uint_eq(usable.nb_cpus, before.nb_cpus);
	ck_assert_mem_eq(usable.cpus, before.cpus, before.nb_cpus * sizeof(*before.cpus));
	ck_assert_int_eq(rtap_cpu_list_allowed(&after), 0); // as it was
	ck_assert_uint_eq(after.nb_cpus, 1);
	rtap_cpu_list_fini(&before);
	rtap_cpu_list_fini(&usable);
	rtap_cpu_list_fini(&after);
}
END_TEST

START_TEST(test_device_kinds) {
	static const char *const pci[] = {
		"0000:03:00.0", "03:00.0", "3:0.0", "00010000:af:1f.7", "03:00.0,a=b",
	};
	static const char *const other[] = {
		"net_tap0", "03:00", "03:00.8",  "03:20.0",           "net_tap0,iface=03:00.0",
		"100:00.0", "",      "03:00.0 ", "000000000:03:00.0",
	};

	for (int i = 0; i < LENGTH(pci); i++)
		ck_assert_msg(rtap_config_device_is_pci(pci[i]), "%s", pci[i]);
	for (int i = 0; i < LENGTH(other); i++)
		ck_assert_msg(!rtap_config_device_is_pci(other[i]), "%s", other[i]);
}
END_TEST

static const struct rtap_override overrides[] = {
	{'q', "-q", "receive-queues"},
	{'x', "-x", "transmit-ring-size"},
	{0, NULL, NULL},
};

// Options of a command line: the last one wins over an earlier one and over the file.
START_TEST(test_overrides) {
	static const char text[] = "receive-queues: 2\ntransmit-ring-size: 64\n";
	struct rtap_overrides given = {0};
	struct rtap_config_error error;
	struct rtap_config cfg;
	char place[64];

	ck_assert_int_eq(rtap_config_load_buffer(&cfg, "t.yaml", text, strlen(text), &error), 0);
	ck_assert_str_eq(
		rtap_config_place(&cfg, "receive-queues", place, sizeof(place)),
		"t.yaml:1:17: receive-queues"
	);
	ck_assert_str_eq(rtap_config_place(&cfg, "mtu", place, sizeof(place)), "t.yaml: mtu");
	ck_assert(!rtap_overrides_note(&given, overrides, 'z', "1"));
	ck_assert(rtap_overrides_note(&given, overrides, 'q', "x"));
	ck_assert(rtap_overrides_note(&given, overrides, 'q', "7"));
	ck_assert_int_eq(rtap_overrides_apply(&given, &cfg, &error), 0);
	ck_assert_uint_eq(cfg.receive_queues, 7);
	ck_assert_uint_eq(cfg.transmit_ring_size, 64);
	ck_assert_str_eq(
		rtap_config_place(&cfg, "receive-queues", place, sizeof(place)),
		"t.yaml: receive-queues"
	);
	ck_assert(rtap_overrides_note(&given, overrides, 'x', "1000"));
	ck_assert_int_eq(rtap_overrides_apply(&given, &cfg, &error), -EINVAL);
	ck_assert_str_eq(
		error.text,
		"-x: transmit-ring-size: 1000 is not a power of two, the nearest are 512 and 1024, "
		"which hold 511 and 1023 packets; allowed: a power of two, 0 to 67108864 slots"
	);
	ck_assert(rtap_overrides_note(&given, overrides, 'x', "1"));
	ck_assert_int_eq(rtap_overrides_apply(&given, &cfg, &error), -EINVAL);
	ck_assert_str_eq(
		error.text,
		"-x: transmit-ring-size: 1 slot holds no packet; the minimum is 2; allowed: a power of "
		"two, 0 to 67108864 slots"
	);
	ck_assert_uint_eq(cfg.transmit_ring_size, 64);
	rtap_config_fini(&cfg);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("config");

	tcase_add_loop_test(tc, test_refused, 0, LENGTH(bad));
	tcase_add_loop_test(tc, test_empty_is_default, 0, LENGTH(empty));
	tcase_add_test(tc, test_defaults);
	tcase_add_test(tc, test_every_key);
	tcase_add_loop_test(tc, test_limits, 0, (int)rtap_config_nb_keys);
	tcase_add_loop_test(tc, test_accepted, 0, LENGTH(good));
	tcase_add_test(tc, test_properties_are_text);
	tcase_add_test(tc, test_too_many_properties);
	tcase_add_test(tc, test_set);
	tcase_add_loop_test(tc, test_round_trip, 0, LENGTH(texts));
	tcase_add_test(tc, test_secrets_are_hidden);
	tcase_add_loop_test(tc, test_value_in_a_file, 0, LENGTH(secrets));
	tcase_add_test(tc, test_value_in_no_file);
	tcase_add_test(tc, test_file_that_all_may_read);
	tcase_add_test(tc, test_value_in_a_variable);
	tcase_add_test(tc, test_print_survives_bad_text);
	tcase_add_test(tc, test_reference);
	tcase_add_test(tc, test_full_file_has_every_key);
	tcase_add_test(tc, test_lab_file_loads);
	tcase_add_test(tc, test_unreadable_files);
	tcase_add_test(tc, test_large_files);
	tcase_add_loop_test(tc, test_bombs, 0, LENGTH(bombs));
	tcase_add_test(tc, test_long_names);
	tcase_add_test(tc, test_quote);
	tcase_add_test(tc, test_cpu_list);
	tcase_add_test(tc, test_allowed_cpus);
	tcase_add_test(tc, test_usable_cpus);
	tcase_add_test(tc, test_device_kinds);
	tcase_add_test(tc, test_overrides);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
