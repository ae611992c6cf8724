// SPDX-License-Identifier: BSD-3-Clause
// Parse a command line of any words, one a line: the parser of one program answers with what its
// header promises. Built once for each program.

#include "fuzz.h"
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#define MAX_WORDS 64
#define MAX_BYTES 4096

static char text[MAX_BYTES + 1]; // the words, one after the other

static bool is_a_word(const char *word) {
	return word >= text && word < text + sizeof(text);
}

#if defined(FUZZ_OPTIONS_CAPTURE_PRIMARY) || defined(FUZZ_OPTIONS_KAFKA_SECONDARY)

// Each option once, its value a word of the command line.
static void ck_overrides(const struct rtap_overrides *o) {
	REQUIRE(o->nb_items <= RTAP_MAX_OVERRIDES);
	for (unsigned int i = 0; i < o->nb_items; i++) {
		REQUIRE(is_a_word(o->items[i].value));
		for (unsigned int k = 0; k < i; k++)
			REQUIRE(o->items[i].what != o->items[k].what);
	}
}

#endif

#if defined(FUZZ_OPTIONS_CAPTURE_PRIMARY)

#define options primary_options
#define options_parse primary_options_parse

static void ck_answer(int rc, const struct options *opt, int argc, char **argv) {
	REQUIRE(rc == 0 || rc == -EINVAL);
	if (rc != 0 || opt->help || opt->version)
		return;
	REQUIRE(opt->config_path != NULL || opt->help_keys);
	ck_overrides(&opt->overrides);
	REQUIRE(opt->config_path == NULL || is_a_word(opt->config_path));
	REQUIRE(opt->eal_args + opt->nb_eal_args == argv + argc);
	REQUIRE(opt->nb_eal_args == 0 || strcmp(opt->eal_args[-1], "--") == 0);
}

#elif defined(FUZZ_OPTIONS_KAFKA_SECONDARY)

#define options secondary_options
#define options_parse secondary_options_parse

static void ck_answer(int rc, const struct options *opt, int argc, char **argv) {
	REQUIRE(rc == 0 || rc == -EINVAL);
	if (rc != 0 || opt->help || opt->version)
		return;
	REQUIRE(opt->properties || is_a_word(opt->config_path));
	REQUIRE(opt->properties || opt->nb_names == 0);
	REQUIRE(opt->names + opt->nb_names == argv + argc);
	ck_overrides(&opt->overrides);
}

#elif defined(FUZZ_OPTIONS_STATS_TOOL)

#define options stats_options
#define options_parse stats_options_parse

static void ck_answer(int rc, const struct options *opt, int argc, char **argv) {
	REQUIRE(rc == 0 || rc == -EINVAL);
	if (rc != 0 || opt->help || opt->version)
		return;
	REQUIRE(strcmp(opt->instance, "ringtap") == 0 || is_a_word(opt->instance));
	REQUIRE(opt->watch_s == 0 || (opt->watch_s >= 0.1 && opt->watch_s <= 86400));
	REQUIRE(!opt->check || (!opt->json && !opt->verbose && opt->watch_s == 0));
}

#elif defined(FUZZ_OPTIONS_TRAFFIC_GEN)

#define options traffic_options
#define options_parse traffic_options_parse

static void ck_answer(int rc, const struct options *opt, int argc, char **argv) {
	const struct frame_make_config *frames = &opt->frames;

	REQUIRE(rc <= 1);
	if (rc != 0)
		return;
	REQUIRE(is_a_word(opt->interface != NULL ? opt->interface : opt->pcap));
	REQUIRE((opt->interface == NULL) != (opt->pcap == NULL));
	REQUIRE(opt->pcap == NULL || opt->count > 0);
	REQUIRE(frames->nb_flows >= 1 && frames->nb_flows <= FRAME_MAKE_MAX_FLOWS);
	REQUIRE(frames->max_bytes >= FRAME_MAKE_MIN_MAX_BYTES);
	REQUIRE(frames->max_bytes <= FRAME_MAKE_MAX_BYTES && frames->size <= frames->max_bytes);
}

#elif defined(FUZZ_OPTIONS_KAFKA_TO_PCAP)

#define options reader_options
#define options_parse reader_options_parse

static void ck_answer(int rc, const struct options *opt, int argc, char **argv) {
	const struct consumer_settings *settings = &opt->reader.settings;

	REQUIRE(rc == 0 || rc == -EINVAL);
	REQUIRE(settings->nb_properties <= (unsigned int)argc);
	for (unsigned int i = 0; i < settings->nb_properties; i++)
		REQUIRE(is_a_word(settings->properties[i]));
	free(opt->reader.settings.properties);
	if (rc != 0 || opt->help || opt->version)
		return;
	if (opt->extcap.question != EXTCAP_NONE) {
		REQUIRE(opt->extcap.question == EXTCAP_INTERFACES
			|| is_a_word(opt->extcap.interface));
		REQUIRE(opt->extcap.question != EXTCAP_CAPTURE || is_a_word(opt->file));
		return;
	}
	if (opt->config == NULL)
		REQUIRE(is_a_word(settings->brokers) && is_a_word(opt->reader.topic));
	REQUIRE(opt->config == NULL || is_a_word(opt->config));
	REQUIRE(opt->check ? opt->file == NULL : is_a_word(opt->file));
	REQUIRE(opt->window_ns % 1000000 == 0 && opt->window_ns / 1000000 <= UINT32_MAX);
	REQUIRE(opt->reader.follow || !opt->reader.from_end);
	REQUIRE(!opt->check || (opt->count == 0 && opt->filter == NULL && !opt->unique));
	REQUIRE(opt->reader.from_ns < opt->reader.to_ns);
	REQUIRE(opt->reader.to_ns == UINT64_MAX || opt->reader.to_ns <= opt->reader.max_time_ns);
	REQUIRE(opt->reader.key_unit_ns == 1 || opt->reader.key_unit_ns == 1000);
}

#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static char program[] = "program";
	char *argv[MAX_WORDS + 1] = {program}, *rest = text;
	struct options opt;
	int argc = 1;

	if (size > MAX_BYTES)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	while (argc < MAX_WORDS && rest != NULL && *rest != '\0')
		argv[argc++] = strsep(&rest, "\n");
	optind = 0; // glibc starts again
	ck_answer(options_parse(&opt, argc, argv), &opt, argc, argv);
	return 0;
}
