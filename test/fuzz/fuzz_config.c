// SPDX-License-Identifier: BSD-3-Clause
// A configuration file of any bytes: refused with one line for the user, or accepted; then it
// prints as YAML that loads to the same, and memory and EAL arguments can be computed from it.

#include "config.h"
#include "config_schema.h"
#include "cpu_list.h"
#include "eal_args.h"
#include "fuzz.h"
#include "sizing.h"

#include <errno.h>
#include <string.h>

struct text {
	char *bytes;
	size_t size;
};

static struct text print_config(const struct rtap_config *cfg) {
	struct text text;
	FILE *out = open_memstream(&text.bytes, &text.size);

	REQUIRE(out != NULL);
	rtap_config_print(cfg, out);
	REQUIRE(fclose(out) == 0);
	return text;
}

static void ck_is_one_line(const char *text) {
	REQUIRE(*text != '\0');
	for (; *text != '\0'; text++)
		REQUIRE(*text >= 0x20 && *text < 0x7f);
}

static void ck_is_refused_by_place(const char *text) {
	unsigned int line, column;

	ck_is_one_line(text);
	REQUIRE(sscanf(text, "fuzz.yaml:%u:%u: ", &line, &column) == 2);
	REQUIRE(line > 0 && column > 0);
}

static void ck_loads_to_the_same(const struct rtap_config *cfg) {
	struct text first = print_config(cfg), second;
	struct rtap_config_error error;
	struct rtap_config again;

	REQUIRE(rtap_config_load_buffer(&again, "print", first.bytes, first.size, &error) == 0);
	second = print_config(&again);
	REQUIRE(first.size == second.size);
	REQUIRE(memcmp(first.bytes, second.bytes, first.size) == 0);
	REQUIRE(cfg->kafka_global.nb_items == again.kafka_global.nb_items);
	REQUIRE(cfg->kafka_topic.nb_items == again.kafka_topic.nb_items);
	free(first.bytes);
	free(second.bytes);
	rtap_config_fini(&again);
}

static void size_memory(const struct rtap_config *cfg) {
	static const uint32_t ports_on_node[] = {1, 31};
	uint64_t page_bytes = UINT64_C(2) << 20, least_bytes = 0;
	struct sizing s;
	char *text;
	size_t size;
	FILE *out;

	if (sizing_compute(&s, cfg, ports_on_node, 2, page_bytes, 128, &least_bytes) < 0) {
		REQUIRE(least_bytes > cfg->buffer_memory_bytes);
		return;
	}
	REQUIRE(s.ring_size > s.queue_budget && (s.ring_size & (s.ring_size - 1)) == 0);
	REQUIRE(s.total_bytes > s.nodes[0].pool_bytes + s.nodes[1].pool_bytes);
	REQUIRE((uint64_t)s.nodes[1].nb_buffers * s.buffer_bytes <= s.nodes[1].pool_bytes);
	out = open_memstream(&text, &size);
	REQUIRE(out != NULL);
	sizing_print(&s, cfg, out);
	fclose(out);
	free(text);
}

static void make_eal_args(const struct rtap_config *cfg) {
	uint16_t cpus[] = {0, 1, 2, 3, 64, 127};
	const struct rtap_cpu_list allowed = {cpus, sizeof(cpus) / sizeof(cpus[0])};
	const struct rtap_eal_host host = {
		.program = "fuzz", .allowed = &allowed, .usable = &allowed};
	struct rtap_config_error error;
	struct rtap_eal_args args = {0};

	if (rtap_eal_args_primary(&args, cfg, &host, &error) < 0)
		ck_is_one_line(error.text);
	rtap_eal_args_fini(&args);
	if (rtap_eal_args_secondary(&args, cfg, &host, &error) < 0)
		ck_is_one_line(error.text);
	rtap_eal_args_fini(&args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct rtap_config_error error = {.text = ""};
	struct rtap_config cfg;
	int rc = rtap_config_load_buffer(&cfg, "fuzz.yaml", data, size, &error);

	if (rc != 0) {
		REQUIRE(rc == -EINVAL);
		ck_is_refused_by_place(error.text);
		return 0;
	}
	ck_loads_to_the_same(&cfg);
	size_memory(&cfg);
	make_eal_args(&cfg);
	rtap_config_fini(&cfg);
	return 0;
}
