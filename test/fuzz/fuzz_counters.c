// SPDX-License-Identifier: BSD-3-Clause
// A counters file that is corrupted: refused, or everything that stats-tool makes of it stays
// within it and prints what a terminal and a JSON reader can take. Lines after "live" are written
// while it is mapped and was found good already.

#include "counters_file.h"
#include "fuzz.h"
#include "patch_lines.h"
#include "print.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES                                                                                 \
	(sizeof(struct rtap_counters_header) + 2 * sizeof(struct rtap_port_counters)               \
	 + 2 * sizeof(struct rtap_queue_counters) + 4 * sizeof(struct rtap_ring_counters)          \
	 + 3 * sizeof(struct rtap_slot_counters))

#define HEADER(member) PATCH_FIELD(#member, struct rtap_counters_header, member, 0)

static const struct patch_field fields[] = {
	HEADER(magic),
	HEADER(version),
	HEADER(header_bytes),
	HEADER(file_bytes),
	HEADER(nb_ports),
	HEADER(nb_queues),
	HEADER(nb_rings),
	HEADER(nb_slots),
	HEADER(port_bytes),
	HEADER(ring_bytes),
	HEADER(ports_offset),
	HEADER(queues_offset),
	HEADER(rings_offset),
	HEADER(slots_offset),
	HEADER(primary_pid),
	HEADER(started_us),
	HEADER(state),
	HEADER(updated_us),
	PATCH_FIELD("instance", struct rtap_counters_header, instance[0], 1),
	PATCH_FIELD("dpdk_version", struct rtap_counters_header, dpdk_version[0], 1),
	{"byte", 0, 1, 1}, // any of all
	{"word", 0, 8, 8},
};

static char path[64];

static void patch(void *base, const uint8_t *data, size_t size) {
	patch_lines(fields, sizeof(fields) / sizeof(fields[0]), base, FILE_BYTES, data, size);
}

static void make_file(const uint8_t *data, size_t size) {
	static const struct rtap_counters_shape shape = {2, 2, 4, 3};
	uint64_t shorter = patch_value("shorter", 0, data, size);
	struct rtap_counters c;

	snprintf(path, sizeof(path), "/dev/shm/rtap-fuzz-counters-%d", getpid());
	REQUIRE(rtap_counters_create(&c, path, &shape, (gid_t)-1) == 0);
	REQUIRE(c.header->file_bytes == FILE_BYTES);
	c.header->started_us = 1;
	snprintf(c.header->instance, sizeof(c.header->instance), "eth0");
	for (unsigned int i = 0; i < shape.nb_rings; i++)
		snprintf(c.rings[i].name, sizeof(c.rings[i].name), "ring%u", i);
	for (unsigned int i = 0; i < shape.nb_slots; i++)
		rtap_counter_set(&c.slots[i].started_us, 1);
	rtap_counters_publish(&c);
	patch(c.header, data, size);
	rtap_counters_unmap(&c);
	if (shorter <= FILE_BYTES) // too large a number makes it longer
		REQUIRE(truncate(path, (off_t)(FILE_BYTES - shorter)) == 0);
	else
		REQUIRE(truncate(path, (off_t)(FILE_BYTES + shorter % 4096)) == 0);
}

static void ck_is_text(const char *text, size_t size) {
	for (size_t i = 0; i < size; i++)
		REQUIRE((text[i] >= 0x20 && text[i] < 0x7f) || text[i] == '\n');
}

// One line, one object, its brackets in pairs.
static void ck_is_json_line(const char *text, size_t size) {
	bool quoted = false;
	int depth = 0;

	REQUIRE(size > 0 && memchr(text, '\n', size) == text + size - 1);
	for (size_t i = 0; i + 1 < size; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted)
			depth += (text[i] == '{' || text[i] == '[')
				- (text[i] == '}' || text[i] == ']');
		REQUIRE(depth > 0 || i + 2 == size);
	}
	REQUIRE(depth == 0 && !quoted);
}

static void print_all(const struct view *view) {
	struct rtap_balance balance;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	REQUIRE(out != NULL);
	print_json(out, view);
	REQUIRE(fflush(out) == 0);
	ck_is_text(text, size);
	ck_is_json_line(text, size);
	rtap_balance_compute(&view->counters, &balance);
	rtap_table_print(out, &balance);
	rtap_table_print_rates(out, &balance, &balance, 0.5);
	print_primary(out, view);
	print_silent_workers(out, view);
	print_verbose(out, view);
	REQUIRE(fclose(out) == 0);
	ck_is_text(text, size);
	free(text);
}

static void judge(const struct rtap_counters *live) {
	struct rtap_counters first, second;
	struct rtap_laws laws;

	REQUIRE(rtap_snapshot_init(&first, live) == 0 && rtap_snapshot_init(&second, live) == 0);
	REQUIRE(rtap_laws_init(&laws, &first) == 0);
	for (unsigned int i = 0; i < 3; i++)
		rtap_laws_judge(&laws, &first, &second, i == 2);
	rtap_laws_fini(&laws);
	rtap_snapshot_fini(&first);
	rtap_snapshot_fini(&second);
}

static void use(const struct rtap_counters *live, uint64_t primary) {
	struct view view = {.now_us = 1000000000000, .primary = primary % (VIEW_REPLACED + 1)};

	REQUIRE(rtap_snapshot_init(&view.counters, live) == 0);
	print_all(&view);
	judge(live);
	view_fini(&view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const uint8_t *live = memmem(data, size, "live", 4);
	size_t before = live != NULL ? (size_t)(live - data) : size;
	struct rtap_counters c;
	char why[128] = "";
	int rc;

	make_file(data, before);
	rc = rtap_counters_map(&c, path, true, why, sizeof(why));
	unlink(path);
	REQUIRE(rc == 0 || (rc == -EPROTO && why[0] != '\0'));
	if (rc < 0)
		return 0;
	REQUIRE(c.mapped_bytes == c.header->file_bytes);
	REQUIRE((const char *)(c.slots + c.shape.nb_slots)
		<= (const char *)c.header + c.mapped_bytes);
	patch(c.header, data + before, size - before);
	use(&c, patch_value("primary", VIEW_RUNNING, data, size));
	rtap_counters_unmap(&c);
	return 0;
}
