// SPDX-License-Identifier: BSD-3-Clause
// The configuration of an instance: one YAML file, read by the primary and by its secondaries.
//
// Every key is one row of the table in config_keys.c; that table drives parsing, defaults, ranges,
// `--check`, the help and the reference. After rtap_config_load() two steps may change it, before
// any thread or worker is started: overrides of the command line, and rtap_config_read_secrets().

#pragma once

#include "log.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum rtap_idle {
	RTAP_IDLE_SPIN, // poll again at once
	RTAP_IDLE_PAUSE, // run pause instructions between empty polls
	RTAP_IDLE_SLEEP, // sleep, longer while no packet arrives, up to idle-max-us
};

enum rtap_partitioner {
	RTAP_PARTITIONER_RING, // by flow within the ring's own set of partitions
	RTAP_PARTITIONER_FLOW, // by flow over all partitions
	RTAP_PARTITIONER_BURST, // one partition a burst, rotating
};

enum rtap_order {
	RTAP_ORDER_STRICT, // idempotent producer
	RTAP_ORDER_RELAXED, // librdkafka's own
};

enum rtap_key_unit {
	RTAP_KEY_US, // what Metron's and pycapa's consumers expect
	RTAP_KEY_NS,
};

enum rtap_headers {
	RTAP_HEADERS_NONE,
	RTAP_HEADERS_BASIC, // wire length, interface, queue and ring, sequence, time in ns
};

// An ordered list of CPU or lcore numbers ("1,3-5" -> 1 3 4 5). Empty when not set.
struct rtap_cpu_list {
	uint16_t *cpus;
	unsigned int nb_cpus;
};

struct rtap_string_list {
	char **items;
	unsigned int nb_items;
};

enum rtap_property_source {
	RTAP_PROPERTY_TEXT, // the value stands in the configuration
	RTAP_PROPERTY_FILE, // {file: PATH}
	RTAP_PROPERTY_ENV, // {env: NAME}
};

// A librdkafka property as written by the user, kept as text; line and column of its key, 0 when it
// is our default.
struct rtap_property {
	char *name;
	char *value; // "" until rtap_config_read_secrets() when it stands elsewhere
	enum rtap_property_source source;
	char *from; // path or variable; NULL for a text
	unsigned int line, column;
};

struct rtap_property_list {
	struct rtap_property *items;
	unsigned int nb_items;
};

// The most keys that the table may have, for arrays with an element per key.
#define RTAP_CONFIG_MAX_KEYS 64

// Strings are never NULL: an unset one is "".
struct rtap_config {
	char *file; // path that was loaded, for messages
	// Where the value of a key of one value stands in it, by row of the table; 0 = nowhere.
	struct {
		unsigned int line, column;
	} places[RTAP_CONFIG_MAX_KEYS];

	// instance
	char *instance;
	char *group; // group that may read the counters; "" = root only
	enum rtap_log_level log_level;
	uint64_t stats_interval_s; // 0 = never
	uint64_t drain_timeout_s;
	uint64_t orphan_timeout_s;
	uint64_t stuck_timeout_s;

	// device
	struct rtap_string_list devices; // PCI addresses or vdevs with their arguments
	uint64_t port_mask; // bit n = port n; 0 = every port found
	uint64_t receive_queues; // per port
	uint64_t receive_descriptors; // per queue
	uint64_t mtu;
	bool promiscuous;
	char *filter; // libpcap syntax; "" = every packet
	uint64_t snaplen; // bytes of a packet that are kept

	// lcores
	uint64_t main_lcore;
	struct rtap_cpu_list receive_lcores; // empty = every CPU allowed but the main lcore's
	uint64_t burst_size;
	uint64_t max_bursts;
	enum rtap_idle idle;
	uint64_t idle_max_us;

	// memory
	uint64_t transmit_rings_per_queue;
	uint64_t transmit_ring_size; // slots; 0 = as many as a queue's share of the memory can fill
	uint64_t buffer_memory_bytes; // per primary
	uint64_t mbuf_data_room_bytes; // headroom included
	char *hugepage_directory; // "" = EAL's choice

	// Kafka
	char *topic;
	uint64_t workers; // per secondary
	struct rtap_cpu_list worker_cpus; // empty = all that the process may use
	char *run_as; // user that the workers become; "" = as started
	uint64_t worker_burst; // packets handed to the Kafka client at once
	uint64_t ack_window; // packets per ring that the Kafka client may hold
	enum rtap_partitioner partitioner;
	enum rtap_order order;
	enum rtap_key_unit key_unit;
	enum rtap_headers headers;
	char *sensor; // in the header `if`; "" = the instance's name
	char *statistics_file; // of librdkafka's statistics; "" = none
	struct rtap_property_list kafka_global;
	struct rtap_property_list kafka_topic;
};

// Where and why a configuration was refused. `text` is the whole line for the user:
// "file:line:column: what, and what is allowed".
struct rtap_config_error {
	char text[512];
};

// Load and check `path` into *cfg, all of it or nothing. On success the caller owns *cfg and ends
// it with rtap_config_fini(). Returns 0; -EINVAL when the content is refused, another negative
// errno when the file cannot be read; both with error->text set. Never prints, never exits.
int rtap_config_load(struct rtap_config *cfg, const char *path, struct rtap_config_error *error);

// The same from memory; `name` stands for the file in messages.
int rtap_config_load_buffer(
	struct rtap_config *cfg, const char *name, const void *data, size_t size,
	struct rtap_config_error *error
);

// "FILE:LINE:COLUMN: KEY", or "FILE: KEY" for a value that the file does not have: for errors in a
// value that are found after loading. Returns `buf`.
const char *
rtap_config_place(const struct rtap_config *cfg, const char *path, char *buf, size_t size);

// Fetch the values of properties that are kept in a file or in the environment; a final newline is
// not part of a value. Only processes that connect to Kafka call it. A world-readable file is
// logged as a warning. Variables that were used are blank afterwards, in /proc/PID/environ and for
// children. Returns 0, or -EINVAL with error->text set, which names the place and never the value.
int rtap_config_read_secrets(struct rtap_config *cfg, struct rtap_config_error *error);

// Free what a load allocated. Safe on a zeroed struct.
void rtap_config_fini(struct rtap_config *cfg);

// Whether the value of a property may be a secret, by its name alone: the name contains the word
// for one, or it begins with sasl. or ssl. and is not librdkafka's, so it may be a misspelt one.
bool rtap_config_is_secret(const char *name);

// Print the effective configuration as YAML that would load to the same. Values of properties that
// may be secrets are printed as "(hidden)"; of those that stand elsewhere only the place is.
void rtap_config_print(const struct rtap_config *cfg, FILE *out);

// Print every key with type, unit, range, default and one line of help, made from the table.
void rtap_config_print_reference(FILE *out);
