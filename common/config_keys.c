// SPDX-License-Identifier: BSD-3-Clause
// List the configuration keys: name, type, unit, range, default and help of each.

#include "byte_units.h"
#include "config_schema.h"
#include "eal_layout.h"
#include "fixed_limits.h"

#include <assert.h>

#define PCI_PATTERN "([0-9a-fA-F]{1,8}:)?[0-9a-fA-F]{1,2}:[01]?[0-9a-fA-F]\\.[0-7](,[^[:cntrl:]]*)?"
#define VDEV_PATTERN "[a-zA-Z][a-zA-Z0-9_.-]*(,[^[:cntrl:]]*)?"

// The offset of a field; does not compile when the field has another type than the row says.
#define FIELD(field, type)                                                                         \
	(offsetof(struct rtap_config, field)                                                       \
	 + 0 * sizeof(&((struct rtap_config *)0)->field == (type *)0))

#define INTEGER(path_, type_, unit_, field_, min_, max_, initial_, help_)                          \
	{                                                                                          \
		.path = (path_), .type = (type_), .unit = (unit_),                                 \
		.offset = FIELD(field_, uint64_t), .min = (min_), .max = (max_),                   \
		.initial = (initial_), .help = (help_)                                             \
	}
#define NUMBER(path, unit, field, min, max, initial, help)                                         \
	INTEGER(path, RTAP_CONFIG_NUMBER, unit, field, min, max, initial, help)
#define SIZE(path, field, min, max, initial, help)                                                 \
	INTEGER(path, RTAP_CONFIG_SIZE, "bytes", field, min, max, initial, help)
#define WORD(path_, field_, type_, words_, initial_, help_)                                        \
	{                                                                                          \
		.path = (path_), .type = RTAP_CONFIG_WORD, .unit = "",                             \
		.offset = FIELD(field_, type_), .words = (words_), .initial = (initial_),          \
		.help = (help_)                                                                    \
	}
#define STRING(path_, field_, max_, pattern_, allowed_, initial_, help_)                           \
	{                                                                                          \
		.path = (path_), .type = RTAP_CONFIG_STRING, .unit = "",                           \
		.offset = FIELD(field_, char *), .max = (max_), .pattern = (pattern_),             \
		.allowed = (allowed_), .initial = (initial_), .help = (help_)                      \
	}
#define CPU_LIST(path_, field_, max_, help_)                                                       \
	{                                                                                          \
		.path = (path_), .type = RTAP_CONFIG_CPU_LIST, .unit = "",                         \
		.offset = FIELD(field_, struct rtap_cpu_list), .max = (max_), .initial = "",       \
		.help = (help_)                                                                    \
	}
#define PROPERTIES(path_, field_, initial_, help_)                                                 \
	{                                                                                          \
		.path = (path_), .type = RTAP_CONFIG_PROPERTIES, .unit = "",                       \
		.offset = FIELD(field_, struct rtap_property_list), .max = 256,                    \
		.pattern = "[a-z0-9._]{1,128}",                                                    \
		.allowed = "lines of \"name: value\", names of a-z 0-9 . _, at most 256",          \
		.initial = (initial_), .help = (help_)                                             \
	}

const struct rtap_config_key rtap_config_keys[] = {
	STRING("instance", instance, 24, "[A-Za-z0-9_][A-Za-z0-9_-]*",
	       "1 to 24 of A-Z a-z 0-9 _ -, the first one not -", "ringtap",
	       "Name that a primary and its secondaries share; one instance per NIC."),
	STRING("group", group, 64, "[^[:cntrl:][:space:]:,]*",
	       "a group's name, or \"\" for root only", "",
	       "Group that may read the counters with stats-tool."),
	WORD("log-level", log_level, enum rtap_log_level, "error|warning|notice|info|debug", "info",
	     "Least important level of lines that are logged."),
	NUMBER("stats-interval-s", "s", stats_interval_s, 0, 3600, "5",
	       "Time between two tables of counters; 0 = only the final one."),
	NUMBER("drain-timeout-s", "s", drain_timeout_s, 0, 3600, "10",
	       "How long a stop waits while Kafka confirms nothing."),
	NUMBER("orphan-timeout-s", "s", orphan_timeout_s, 1, 3600, "10",
	       "How long workers go on after their primary was killed."),
	NUMBER("stuck-timeout-s", "s", stuck_timeout_s, 1, 3600, "10",
	       "A worker without a heartbeat for this long is replaced."),
	{
		.path = "devices",
		.type = RTAP_CONFIG_STRING_LIST,
		.unit = "",
		.offset = FIELD(devices, struct rtap_string_list),
		.max = 32,
		.pattern = PCI_PATTERN "|" VDEV_PATTERN,
		.allowed
		= "at most 32 of a PCI address (0000:03:00.0) or a vdev (net_tap0,iface=tap0)",
		.initial = "",
		.help = "Devices to capture from; none = every PCI device bound to a DPDK driver.",
	},
	INTEGER("port-mask", RTAP_CONFIG_MASK, "", port_mask, 0, UINT64_MAX, "0",
		"Bit n = DPDK port n is captured; 0 = every port found."),
	NUMBER("receive-queues", "queues", receive_queues, 1, 1024, "1",
	       "Receive queues per port."),
	NUMBER("receive-descriptors", "descriptors", receive_descriptors, 64, 32768, "1024",
	       "Descriptors per receive queue; fitted to the device's limits."),
	NUMBER("mtu", "bytes", mtu, 68, 65535, "9000",
	       "Largest payload of a frame; clipped to the device's limit."),
	{
		.path = "promiscuous",
		.type = RTAP_CONFIG_BOOLEAN,
		.unit = "",
		.offset = FIELD(promiscuous, bool),
		.initial = "true",
		.help = "Capture frames that are addressed to other hosts, too.",
	},
	STRING("filter", filter, RTAP_CONFIG_MAX_TEXT, "[^[:cntrl:]]*",
	       "an expression as tcpdump takes it", "",
	       "Packets to capture, in libpcap's syntax; none = every packet."),
	NUMBER("snaplen", "bytes", snaplen, 64, 65535, "65535",
	       "Bytes of a packet that are kept, from its beginning."),
	NUMBER("main-lcore", "", main_lcore, 0, RTAP_EAL_MAX_LCORE, "0",
	       "CPU of the primary's control thread; it receives no packets."),
	CPU_LIST(
		"receive-lcores", receive_lcores, RTAP_EAL_MAX_LCORE,
		"CPUs of the receive workers; none = every allowed CPU but the main lcore's."
	),
	NUMBER("burst-size", "packets", burst_size, 1, RTAP_MAX_BURST, "32",
	       "Packets taken from a queue at once."),
	NUMBER("max-bursts", "bursts", max_bursts, 1, 64, "4",
	       "Bursts taken in a row from one queue while they come full."),
	WORD("idle", idle, enum rtap_idle, "spin|pause|sleep", "pause",
	     "What a receive worker does while no packet arrives."),
	NUMBER("idle-max-us", "us", idle_max_us, 1, 10000, "100",
	       "Longest sleep of a receive worker with \"idle: sleep\"."),
	NUMBER("transmit-rings-per-queue", "rings", transmit_rings_per_queue, 1,
	       RTAP_MAX_RINGS_PER_QUEUE, "4",
	       "Rings per receive queue: the workers that one queue can be spread over."),
	INTEGER("transmit-ring-size", RTAP_CONFIG_RING_SIZE, "slots", transmit_ring_size, 0,
		1 << 26, "0",
		"Slots of a transmit ring, one more than it holds; 0 = what buffer-memory can fill."
	),
	SIZE("buffer-memory", buffer_memory_bytes, RTAP_MIB, 1024 * RTAP_GIB, "256MiB",
	     "Hugepage memory for packets that wait for Kafka, per primary."),
	SIZE("mbuf-data-room", mbuf_data_room_bytes, 1152, 65535, "2176",
	     "Room of one packet buffer, 128 bytes headroom included; longer packets take several."
	),
	STRING("hugepage-directory", hugepage_directory, RTAP_CONFIG_MAX_TEXT, "(/[^[:cntrl:]]*)?",
	       "an absolute path, or \"\" for EAL's choice", "", "Where hugetlbfs is mounted."),
	STRING("topic", topic, 249, "\\.{0,2}[a-zA-Z0-9_-][a-zA-Z0-9._-]*|\\.{3,}",
	       "1 to 249 of a-z A-Z 0-9 . _ -, but not . or ..", "pcap",
	       "Kafka topic of the packets; it must exist."),
	NUMBER("workers", "processes", workers, 1, RTAP_MAX_SLOTS, "1",
	       "Transmit workers per secondary."),
	CPU_LIST(
		"worker-cpus", worker_cpus, 1023,
		"CPUs of the transmit workers; none = all allowed CPUs."
	),
	STRING("run-as", run_as, 64, "[^[:cntrl:][:space:]:,]*",
	       "a user's name, or \"\" for the one that started the secondary", "",
	       "User that the transmit workers become, with its groups, before they connect to Kafka."
	),
	NUMBER("worker-burst", "packets", worker_burst, 1, RTAP_MAX_WORKER_BURST, "256",
	       "Packets handed to the Kafka client at once."),
	INTEGER("ack-window", RTAP_CONFIG_POWER_OF_TWO, "packets", ack_window, 64, 1048576, "32768",
		"Packets of one ring that the Kafka client may hold."),
	WORD("partitioner", partitioner, enum rtap_partitioner, "ring|flow|burst", "ring",
	     "Partition of a packet: by flow within the ring's own, by flow over all, or burst by burst."
	),
	WORD("order", order, enum rtap_order, "strict|relaxed", "strict",
	     "strict = idempotent producer, in order over retries, too; relaxed = librdkafka's own."
	),
	WORD("key-unit", key_unit, enum rtap_key_unit, "us|ns", "us",
	     "Unit of the message's key, the capture time; pycapa's consumer knows us only."),
	WORD("headers", headers, enum rtap_headers, "none|basic", "none",
	     "Record headers: basic = wl, if, q, seq, ts (wire length, interface, queue, number, time)."
	),
	STRING("sensor", sensor, 64, "[A-Za-z0-9_.-]*", "up to 64 of A-Z a-z 0-9 _ . -", "",
	       "Name of this probe in the header `if`; none = the instance's name."),
	STRING("kafka.statistics-file", statistics_file, RTAP_CONFIG_MAX_TEXT, "(/[^[:cntrl:]]*)?",
	       "an absolute path, or \"\" for none", "",
	       "librdkafka's statistics are appended here, a JSON object a line; reopened on SIGHUP."
	),
	PROPERTIES(
		"kafka.global", kafka_global, "bootstrap.servers: localhost:9092",
		"Global properties of librdkafka's producer."
	),
	PROPERTIES("kafka.topic", kafka_topic, "", "Topic properties of librdkafka's producer."),
};

const unsigned int rtap_config_nb_keys = sizeof(rtap_config_keys) / sizeof(rtap_config_keys[0]);

static_assert(
	sizeof(rtap_config_keys) / sizeof(rtap_config_keys[0]) <= RTAP_CONFIG_MAX_KEYS,
	"an array has an element per key"
);
static_assert(
	sizeof(enum rtap_log_level) == sizeof(unsigned int)
		&& sizeof(enum rtap_idle) == sizeof(unsigned int)
		&& sizeof(enum rtap_partitioner) == sizeof(unsigned int)
		&& sizeof(enum rtap_order) == sizeof(unsigned int)
		&& sizeof(enum rtap_key_unit) == sizeof(unsigned int)
		&& sizeof(enum rtap_headers) == sizeof(unsigned int),
	"words are stored as unsigned int"
);

bool rtap_config_device_is_pci(const char *device) {
	return rtap_config_text_matches(device, PCI_PATTERN);
}
