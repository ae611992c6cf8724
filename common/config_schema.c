// SPDX-License-Identifier: BSD-3-Clause
// The table of configuration keys, and how the text of a value becomes a field of struct rtap_config.

#include "config_schema.h"

#include "cpu_list.h"
#include "errno_set.h"
#include "fixed_limits.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <regex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define MAX_TEXT 4095 // characters of any string of ours

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
	       "Name of the primary and of all that attaches to it; one instance per NIC."),
	STRING("group", group, 64, "[^[:cntrl:][:space:]:,]*",
	       "a group's name, or \"\" for root only", "",
	       "Group that may read the counters with stats-tool."),
	WORD("log-level", log_level, enum rtap_log_level, "error|warning|notice|info|debug", "info",
	     "The least important lines that are logged."),
	NUMBER("stats-interval-s", "s", stats_interval_s, 0, 3600, "5",
	       "Time between two tables of counters; 0 = none but the final one."),
	NUMBER("drain-timeout-s", "s", drain_timeout_s, 0, 3600, "10",
	       "At a stop: how long to wait until Kafka has what was captured."),
	NUMBER("orphan-timeout-s", "s", orphan_timeout_s, 1, 3600, "10",
	       "How long workers carry on for a primary that was killed."),
	NUMBER("stuck-timeout-s", "s", stuck_timeout_s, 1, 3600, "10",
	       "A worker without a sign of life for so long is replaced."),
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
	       "Largest payload of a frame; clipped to what the device takes."),
	{
		.path = "promiscuous",
		.type = RTAP_CONFIG_BOOLEAN,
		.unit = "",
		.offset = FIELD(promiscuous, bool),
		.initial = "true",
		.help = "Capture frames that are addressed to others, too.",
	},
	STRING("filter", filter, MAX_TEXT, "[^[:cntrl:]]*", "an expression as tcpdump takes it", "",
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
	     "What a receive worker does while nothing comes."),
	NUMBER("idle-max-us", "us", idle_max_us, 1, 10000, "100",
	       "Longest sleep of a receive worker with \"idle: sleep\"."),
	NUMBER("transmit-rings-per-queue", "rings", transmit_rings_per_queue, 1,
	       RTAP_MAX_RINGS_PER_QUEUE, "4",
	       "Rings per receive queue: the workers that one queue can be spread over."),
	INTEGER("transmit-ring-size", RTAP_CONFIG_POWER_OF_TWO, "slots", transmit_ring_size, 0,
		1 << 26, "0",
		"Slots of a transmit ring, one more than it holds; 0 = what buffer-memory can fill."
	),
	SIZE("buffer-memory", buffer_memory_bytes, MIB, 1024 * GIB, "256MiB",
	     "Hugepage memory for packets that wait for Kafka, per primary."),
	SIZE("mbuf-data-room", mbuf_data_room_bytes, 1152, 65535, "2176",
	     "Room of one packet buffer, 128 bytes headroom included; longer packets take several."
	),
	STRING("hugepage-directory", hugepage_directory, MAX_TEXT, "(/[^[:cntrl:]]*)?",
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
	       "User that the transmit workers become, with its groups, before they meet Kafka."),
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
	STRING("kafka.statistics-file", statistics_file, MAX_TEXT, "(/[^[:cntrl:]]*)?",
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

const struct rtap_config_key *rtap_config_key_lookup(const char *path) {
	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		if (strcmp(rtap_config_keys[i].path, path) == 0)
			return &rtap_config_keys[i];
	}
	return NULL;
}

const char *
rtap_config_place(const struct rtap_config *cfg, const char *path, char *buf, size_t size) {
	const struct rtap_config_key *key = rtap_config_key_lookup(path);
	size_t row = key != NULL ? (size_t)(key - rtap_config_keys) : 0;

	if (key == NULL || cfg->places[row].line == 0)
		snprintf(buf, size, "%s: %s", cfg->file, path);
	else
		snprintf(
			buf, size, "%s:%u:%u: %s", cfg->file, cfg->places[row].line,
			cfg->places[row].column, path
		);
	return buf;
}

void *rtap_config_field(struct rtap_config *cfg, const struct rtap_config_key *key) {
	return (char *)cfg + key->offset;
}

const void *
rtap_config_const_field(const struct rtap_config *cfg, const struct rtap_config_key *key) {
	return (const char *)cfg + key->offset;
}

const char *rtap_config_type_name(enum rtap_config_type type) {
	static const char *const names[] = {
		[RTAP_CONFIG_STRING] = "text",
		[RTAP_CONFIG_NUMBER] = "number",
		[RTAP_CONFIG_POWER_OF_TWO] = "number",
		[RTAP_CONFIG_MASK] = "number, decimal or 0x",
		[RTAP_CONFIG_SIZE] = "size, in bytes or with KiB, MiB, GiB",
		[RTAP_CONFIG_BOOLEAN] = "boolean",
		[RTAP_CONFIG_WORD] = "word",
		[RTAP_CONFIG_STRING_LIST] = "text or list of texts",
		[RTAP_CONFIG_CPU_LIST] = "list of CPUs",
		[RTAP_CONFIG_PROPERTIES] = "mapping",
	};

	return names[type];
}

// The largest unit that gives a whole number.
static const char *size_text(uint64_t bytes, char *buf, size_t size) {
	static const char *const units[] = {"", "KiB", "MiB", "GiB"};
	unsigned int unit = 0;

	while (bytes != 0 && bytes % 1024 == 0 && unit < 3) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buf, size, "%" PRIu64 "%s", bytes, units[unit]);
	return buf;
}

const char *rtap_config_key_allowed(const struct rtap_config_key *key, char *buf, size_t size) {
	const char *space = *key->unit != '\0' ? " " : "";
	char min[32], max[32];

	switch (key->type) {
	case RTAP_CONFIG_NUMBER:
	case RTAP_CONFIG_POWER_OF_TWO:
		snprintf(
			buf, size, "%s%" PRIu64 " to %" PRIu64 "%s%s",
			key->type == RTAP_CONFIG_NUMBER ? "" : "a power of two, ", key->min,
			key->max, space, key->unit
		);
		break;
	case RTAP_CONFIG_MASK:
		snprintf(buf, size, "%" PRIu64 " to 0x%" PRIx64, key->min, key->max);
		break;
	case RTAP_CONFIG_SIZE:
		snprintf(
			buf, size, "%s to %s, in bytes or with KiB, MiB, GiB",
			size_text(key->min, min, sizeof(min)), size_text(key->max, max, sizeof(max))
		);
		break;
	case RTAP_CONFIG_BOOLEAN:
		snprintf(buf, size, "true, false");
		break;
	case RTAP_CONFIG_WORD:
		snprintf(buf, size, "%s", key->words);
		break;
	case RTAP_CONFIG_CPU_LIST:
		snprintf(
			buf, size,
			"numbers from %" PRIu64 " to %" PRIu64 ", each once, such as 1,3-5",
			key->min, key->max
		);
		break;
	case RTAP_CONFIG_STRING:
	case RTAP_CONFIG_STRING_LIST:
	case RTAP_CONFIG_PROPERTIES:
		snprintf(buf, size, "%s", key->allowed);
		break;
	}
	return buf;
}

struct rtap_config_quoted rtap_config_quote(const char *text) {
	struct rtap_config_quoted q;
	size_t room = sizeof(q.text) - sizeof("\"...\"");
	size_t used = 1;

	q.text[0] = '"';
	for (; *text != '\0' && used <= room; text++)
		q.text[used++] = *text >= 0x20 && *text < 0x7f ? *text : '?';
	snprintf(q.text + used, sizeof(q.text) - used, *text == '\0' ? "\"" : "...\"");
	return q;
}

int rtap_config_refuse(
	const struct rtap_config_key *key, struct rtap_config_error *error, const char *fmt, ...
) {
	char what[256], allowed[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	rtap_config_key_allowed(key, allowed, sizeof(allowed));
	snprintf(error->text, sizeof(error->text), "%s: %s; allowed: %s", key->path, what, allowed);
	return errno_set(EINVAL);
}

// Digits only, no sign, no leading zero (which other readers of YAML take for octal). Returns 0, -EINVAL
// when it does not start with a number, -ERANGE when it does not fit; *end is behind the digits.
static int parse_number(const char *text, uint64_t *number, const char **end) {
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	char *stop;

	if (!(hex ? isxdigit((unsigned char)*digits) : isdigit((unsigned char)*digits)))
		return errno_set(EINVAL);
	if (!hex && digits[0] == '0' && isdigit((unsigned char)digits[1]))
		return errno_set(EINVAL);
	errno = 0;
	*number = strtoull(digits, &stop, hex ? 16 : 10);
	*end = stop;
	return -errno;
}

// The same with an optional unit of size, which *end is behind, too.
static int parse_size(const char *text, uint64_t *bytes, const char **end) {
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {{"KiB", KIB}, {"MiB", MIB}, {"GiB", GIB}};
	int rc = parse_number(text, bytes, end);
	const char *unit;

	if (rc != 0)
		return rc;
	unit = **end == ' ' ? *end + 1 : *end;
	for (unsigned int i = 0; i < 3; i++) {
		if (strcmp(unit, units[i].name) != 0)
			continue;
		*end = unit + strlen(unit);
		if (__builtin_mul_overflow(*bytes, units[i].bytes, bytes))
			return errno_set(ERANGE);
	}
	return 0;
}

static int set_integer(
	uint64_t *field, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	bool size = key->type == RTAP_CONFIG_SIZE;
	bool hex = strncasecmp(text, "0x", 2) == 0;
	const char *end = "";
	char usable[80] = "";
	uint64_t number, below;
	bool is_ring;
	int rc = (size ? parse_size : parse_number)(text, &number, &end);

	if ((rc == 0 && *end != '\0') || (hex && key->type != RTAP_CONFIG_MASK))
		rc = -EINVAL;
	if (rc == -EINVAL)
		return rtap_config_refuse(
			key, error, "%s is not a %s", rtap_config_quote(text).text,
			size ? "size" : "number"
		);
	if (rc == -ERANGE || number < key->min || number > key->max)
		return rtap_config_refuse(
			key, error, "%s is out of range", rtap_config_quote(text).text
		);
	is_ring = strcmp(key->unit, "slots") == 0; // one slot is never used
	if (is_ring && number == 1)
		return rtap_config_refuse(key, error, "1 slot holds no packet, the least is 2");
	if (key->type == RTAP_CONFIG_POWER_OF_TWO && (number & (number - 1)) != 0) {
		below = UINT64_C(1) << (63 - __builtin_clzll(number));
		if (is_ring)
			snprintf(
				usable, sizeof(usable),
				", which hold %" PRIu64 " and %" PRIu64 " packets", below - 1,
				2 * below - 1
			);
		return rtap_config_refuse(
			key, error,
			"%" PRIu64 " is not a power of two, the nearest are %" PRIu64
			" and %" PRIu64 "%s",
			number, below, 2 * below, usable
		);
	}
	*field = number;
	return 0;
}

static int set_boolean(
	bool *field, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return rtap_config_refuse(
			key, error, "%s is not a boolean", rtap_config_quote(text).text
		);
	*field = *text == 't';
	return 0;
}

static int set_word(
	unsigned int *field, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	const char *word = key->words;

	for (unsigned int i = 0; *word != '\0'; i++) {
		size_t len = strcspn(word, "|");

		if (strlen(text) == len && memcmp(word, text, len) == 0) {
			*field = i;
			return 0;
		}
		word += len + (word[len] == '|');
	}
	return rtap_config_refuse(key, error, "%s is unknown", rtap_config_quote(text).text);
}

// Whether all of `text` matches.
static bool matches(const char *text, const char *pattern) {
	regmatch_t match;
	regex_t regex;
	bool all;

	if (strlen(text) > MAX_TEXT || regcomp(&regex, pattern, REG_EXTENDED) != 0)
		return false;
	// POSIX: the longest of the leftmost matches, so a full match is found when there is one.
	all = regexec(&regex, text, 1, &match, 0) == 0 && match.rm_so == 0
		&& text[match.rm_eo] == '\0';
	regfree(&regex);
	return all;
}

static int
check_text(const struct rtap_config_key *key, const char *text, struct rtap_config_error *error) {
	if (matches(text, key->pattern)
	    && (key->type != RTAP_CONFIG_STRING || strlen(text) <= key->max))
		return 0;
	return rtap_config_refuse(key, error, "%s is refused", rtap_config_quote(text).text);
}

bool rtap_config_device_is_pci(const char *device) {
	return matches(device, PCI_PATTERN);
}

static int set_string(
	char **field, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	int rc = check_text(key, text, error);
	char *copy = rc == 0 ? strdup(text) : NULL;

	if (rc != 0)
		return rc;
	if (copy == NULL)
		return errno_set(ENOMEM);
	free(*field);
	*field = copy;
	return 0;
}

static int set_cpu_list(
	struct rtap_cpu_list *field, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	struct rtap_cpu_list list;
	int rc = rtap_cpu_list_parse(&list, text, (unsigned int)key->max);

	if (rc == -EINVAL)
		return rtap_config_refuse(
			key, error, "%s is not a list of CPUs", rtap_config_quote(text).text
		);
	if (rc == 0) {
		rtap_cpu_list_fini(field);
		*field = list;
	}
	return rc;
}

static void string_list_fini(struct rtap_string_list *list) {
	for (unsigned int i = 0; i < list->nb_items; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct rtap_string_list){0};
}

int rtap_config_list_add(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *item,
	struct rtap_config_error *error
) {
	struct rtap_string_list *list = rtap_config_field(cfg, key);
	int rc = check_text(key, item, error);
	char **items;

	if (rc != 0)
		return rc;
	if (list->nb_items == key->max)
		return rtap_config_refuse(key, error, "too many");
	items = reallocarray(list->items, list->nb_items + 1, sizeof(*items));
	if (items == NULL)
		return errno_set(ENOMEM);
	list->items = items;
	items[list->nb_items] = strdup(item);
	if (items[list->nb_items] == NULL)
		return errno_set(ENOMEM);
	list->nb_items++;
	return 0;
}

static int set_string_list(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	struct rtap_string_list *list = rtap_config_field(cfg, key);
	struct rtap_string_list before = *list;
	int rc;

	*list = (struct rtap_string_list){0};
	rc = *text == '\0' ? 0 : rtap_config_list_add(cfg, key, text, error);
	string_list_fini(rc == 0 ? &before : list);
	if (rc != 0)
		*list = before;
	return rc;
}

static void property_fini(struct rtap_property *property) {
	free(property->name);
	free(property->value);
	free(property->from);
}

static void property_list_fini(struct rtap_property_list *list) {
	for (unsigned int i = 0; i < list->nb_items; i++)
		property_fini(&list->items[i]);
	free(list->items);
	*list = (struct rtap_property_list){0};
}

const struct rtap_property *
rtap_config_property_find(const struct rtap_property_list *list, const char *name) {
	for (unsigned int i = 0; i < list->nb_items; i++) {
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	}
	return NULL;
}

int rtap_config_property_add(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *name,
	const char *value, unsigned int line, unsigned int column, struct rtap_config_error *error
) {
	struct rtap_property_list *list = rtap_config_field(cfg, key);
	struct rtap_property property = {.line = line, .column = column};
	struct rtap_property *items;
	int rc = check_text(key, name, error);

	if (rc != 0)
		return rc;
	if (rtap_config_property_find(list, name) != NULL) {
		snprintf(
			error->text, sizeof(error->text), "%s: %s is set twice; allowed: once",
			key->path, rtap_config_quote(name).text
		);
		return errno_set(EINVAL);
	}
	if (list->nb_items == key->max)
		return rtap_config_refuse(key, error, "too many");
	items = reallocarray(list->items, list->nb_items + 1, sizeof(*items));
	if (items == NULL)
		return errno_set(ENOMEM);
	list->items = items;
	property.name = strdup(name);
	property.value = strdup(value);
	if (property.name == NULL || property.value == NULL) {
		property_fini(&property);
		return errno_set(ENOMEM);
	}
	items[list->nb_items++] = property;
	return 0;
}

int rtap_config_property_from(
	struct rtap_property_list *list, enum rtap_property_source source, const char *from
) {
	struct rtap_property *property = &list->items[list->nb_items - 1];

	property->source = source;
	property->from = strdup(from);
	return property->from != NULL ? 0 : errno_set(ENOMEM);
}

int rtap_config_key_set(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	void *field = rtap_config_field(cfg, key);

	switch (key->type) {
	case RTAP_CONFIG_STRING:
		return set_string(field, key, text, error);
	case RTAP_CONFIG_NUMBER:
	case RTAP_CONFIG_POWER_OF_TWO:
	case RTAP_CONFIG_MASK:
	case RTAP_CONFIG_SIZE:
		return set_integer(field, key, text, error);
	case RTAP_CONFIG_BOOLEAN:
		return set_boolean(field, key, text, error);
	case RTAP_CONFIG_WORD:
		return set_word(field, key, text, error);
	case RTAP_CONFIG_STRING_LIST:
		return set_string_list(cfg, key, text, error);
	case RTAP_CONFIG_CPU_LIST:
		return set_cpu_list(field, key, text, error);
	case RTAP_CONFIG_PROPERTIES:
		break;
	}
	return rtap_config_refuse(key, error, "%s is one value", rtap_config_quote(text).text);
}

int rtap_config_set(
	struct rtap_config *cfg, const char *path, const char *value,
	struct rtap_config_error *error
) {
	const struct rtap_config_key *key = rtap_config_key_lookup(path);
	int rc;

	if (key != NULL) {
		rc = rtap_config_key_set(cfg, key, value, error);
		if (rc == 0)
			memset(&cfg->places[key - rtap_config_keys], 0, sizeof(cfg->places[0]));
		return rc;
	}
	snprintf(error->text, sizeof(error->text), "unknown key %s", rtap_config_quote(path).text);
	return errno_set(EINVAL);
}

int rtap_config_set_defaults(struct rtap_config *cfg) {
	struct rtap_config_error error;
	int rc = 0;

	*cfg = (struct rtap_config){0};
	for (unsigned int i = 0; rc == 0 && i < rtap_config_nb_keys; i++) {
		const struct rtap_config_key *key = &rtap_config_keys[i];

		if (key->type != RTAP_CONFIG_PROPERTIES)
			rc = rtap_config_key_set(cfg, key, key->initial, &error);
	}
	if (rc != 0)
		rtap_config_fini(cfg);
	return rc;
}

const char *rtap_config_key_text(
	const struct rtap_config *cfg, const struct rtap_config_key *key, char *buf, size_t size
) {
	const void *field = rtap_config_const_field(cfg, key);
	const char *word = key->words;

	switch (key->type) {
	case RTAP_CONFIG_SIZE:
		return size_text(*(const uint64_t *)field, buf, size);
	case RTAP_CONFIG_BOOLEAN:
		snprintf(buf, size, "%s", *(const bool *)field ? "true" : "false");
		break;
	case RTAP_CONFIG_WORD:
		for (unsigned int i = *(const unsigned int *)field; i > 0; i--)
			word += strcspn(word, "|") + 1;
		snprintf(buf, size, "%.*s", (int)strcspn(word, "|"), word);
		break;
	default:
		snprintf(
			buf, size, key->type == RTAP_CONFIG_MASK ? "%#" PRIx64 : "%" PRIu64,
			*(const uint64_t *)field
		);
	}
	return buf;
}

void rtap_config_fini(struct rtap_config *cfg) {
	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		void *field = rtap_config_field(cfg, &rtap_config_keys[i]);

		switch (rtap_config_keys[i].type) {
		case RTAP_CONFIG_STRING:
			free(*(char **)field);
			break;
		case RTAP_CONFIG_STRING_LIST:
			string_list_fini(field);
			break;
		case RTAP_CONFIG_CPU_LIST:
			rtap_cpu_list_fini(field);
			break;
		case RTAP_CONFIG_PROPERTIES:
			property_list_fini(field);
			break;
		default:
			break;
		}
	}
	free(cfg->file);
	*cfg = (struct rtap_config){0};
}
