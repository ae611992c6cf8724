// SPDX-License-Identifier: BSD-3-Clause
// Parse the command line of kafka-to-pcap.

#include "options.h"

#include "config_schema.h"
#include "extcap_words.h"
#include "help.h"
#include "now.h"
#include "parse_number.h"
#include "time_spec.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum long_only {
	OPT_WINDOW = 256,
	OPT_TIMEOUT,
	OPT_FROM_BEGINNING,
	OPT_FROM_END,
	OPT_UNIQUE,
	OPT_COUNT,
	OPT_FROM,
	OPT_TO,
	OPT_MARGIN,
	OPT_KEY_UNIT,
	OPT_FILTER,
	OPT_FORMAT,
	OPT_CHECK,
	OPT_REQUIRE_COMPLETE,
	OPT_EXTCAP_INTERFACES,
	OPT_EXTCAP_VERSION,
	OPT_EXTCAP_INTERFACE,
	OPT_EXTCAP_DLTS,
	OPT_EXTCAP_CONFIG,
	OPT_EXTCAP_FILTER,
	OPT_CAPTURE,
	OPT_FIFO,
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"brokers", required_argument, NULL, 'b'},
	{"topic", required_argument, NULL, 't'},
	{"write", required_argument, NULL, 'w'},
	{"follow", no_argument, NULL, 'f'},
	{"from-beginning", no_argument, NULL, OPT_FROM_BEGINNING},
	{"from-end", no_argument, NULL, OPT_FROM_END},
	{"window", required_argument, NULL, OPT_WINDOW},
	{"unique", no_argument, NULL, OPT_UNIQUE},
	{"count", required_argument, NULL, OPT_COUNT},
	{"timeout-s", required_argument, NULL, OPT_TIMEOUT},
	{"property", required_argument, NULL, 'X'},
	{"from", required_argument, NULL, OPT_FROM},
	{"to", required_argument, NULL, OPT_TO},
	{"margin-s", required_argument, NULL, OPT_MARGIN},
	{"key-unit", required_argument, NULL, OPT_KEY_UNIT},
	{"filter", required_argument, NULL, OPT_FILTER},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"check", no_argument, NULL, OPT_CHECK},
	{"require-complete", no_argument, NULL, OPT_REQUIRE_COMPLETE},
	{"extcap-interfaces", no_argument, NULL, OPT_EXTCAP_INTERFACES},
	{"extcap-version", optional_argument, NULL, OPT_EXTCAP_VERSION},
	{"extcap-interface", required_argument, NULL, OPT_EXTCAP_INTERFACE},
	{"extcap-dlts", no_argument, NULL, OPT_EXTCAP_DLTS},
	{"extcap-config", no_argument, NULL, OPT_EXTCAP_CONFIG},
	{"extcap-capture-filter", required_argument, NULL, OPT_EXTCAP_FILTER},
	{"capture", no_argument, NULL, OPT_CAPTURE},
	{"fifo", required_argument, NULL, OPT_FIFO},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static int refuse(const char *option, const char *text, const char *why) {
	fprintf(stderr, "kafka-to-pcap: --%s: %s: %s\n", option, text, why);
	return -EINVAL;
}

static int complain_empty(int option) {
	fprintf(stderr, "kafka-to-pcap: -%c: its argument is empty\n", option);
	return -EINVAL;
}

static int
parse_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *value) {
	if (rtap_parse_number(text, min, max, value) == 0)
		return 0;
	fprintf(stderr, "kafka-to-pcap: --%s: %s: not a number from %ju to %ju\n", name, text,
		(uintmax_t)min, (uintmax_t)max);
	return -EINVAL;
}

static int parse_time(const char *name, const char *text, uint64_t *time_ns) {
	if (time_spec_parse(text, rtap_utc_ns(), time_ns) == 0)
		return 0;
	return refuse(name, text, "not a time; allowed: " TIME_SPEC_ALLOWED);
}

// A topic that cannot exist is refused before Kafka is asked.
static int parse_topic(struct reader_options *opts, const char *text) {
	struct rtap_config_error error;
	struct rtap_config scratch = {0};
	int rc = rtap_config_set(&scratch, "topic", text, &error);

	if (rc == -EINVAL)
		fprintf(stderr, "kafka-to-pcap: --%s\n", error.text);
	rtap_config_fini(&scratch);
	opts->reader.topic = text;
	return rc;
}

static int parse_count(struct reader_options *opts, const char *text) {
	opts->of_writing = "--count";
	return parse_number("count", text, 1, UINT64_MAX, &opts->count);
}

static int parse_key_unit(struct reader_options *opts, const char *text) {
	opts->key_unit_given = true;
	opts->reader.key_unit_ns = strcmp(text, "ns") == 0 ? 1 : 1000;
	if (strcmp(text, "us") == 0 || strcmp(text, "ns") == 0)
		return 0;
	return refuse("key-unit", text, "allowed: us, ns");
}

static int parse_format(struct reader_options *opts, const char *text) {
	opts->of_writing = "--format";
	opts->format = strcmp(text, "pcapng") == 0 ? PCAP_OUTPUT_PCAPNG : PCAP_OUTPUT_PCAP;
	if (strcmp(text, "pcap") == 0 || strcmp(text, "pcapng") == 0)
		return 0;
	return refuse("format", text, "allowed: pcap, pcapng");
}

// -c was the short form of --count before it was that of --config.
static int parse_config(struct reader_options *opts, char *arg) {
	if (*arg != '\0' && arg[strspn(arg, "0123456789")] == '\0')
		return parse_count(opts, arg);
	opts->config = arg;
	return 0;
}

static int parse_extcap(struct extcap_call *call, int option, char *arg) {
	switch (option) {
	case OPT_EXTCAP_INTERFACES:
		call->question = EXTCAP_INTERFACES;
		return 0;
	case OPT_EXTCAP_VERSION:
		return 0;
	case OPT_EXTCAP_INTERFACE:
		call->interface = arg;
		return 0;
	case OPT_EXTCAP_DLTS:
		call->question = EXTCAP_DLTS;
		return 0;
	case OPT_EXTCAP_CONFIG:
		call->question = EXTCAP_CONFIG;
		return 0;
	case OPT_EXTCAP_FILTER: // on its own it asks whether this is a filter
		if (call->question == EXTCAP_NONE)
			call->question = EXTCAP_FILTER;
		call->filter = arg;
		return 0;
	case OPT_CAPTURE:
		call->question = EXTCAP_CAPTURE;
		return 0;
	case OPT_FIFO:
		call->fifo = arg;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_range(struct reader_options *opts, int option, char *arg) {
	switch (option) {
	case OPT_FROM:
		opts->from_given = true;
		return parse_time("from", arg, &opts->reader.from_ns);
	case OPT_TO:
		return parse_time("to", arg, &opts->reader.to_ns);
	case OPT_MARGIN:
		opts->margin_given = true;
		return parse_number("margin-s", arg, 0, UINT32_MAX, &opts->reader.margin_s);
	case OPT_KEY_UNIT:
		return parse_key_unit(opts, arg);
	default:
		return parse_extcap(&opts->extcap, option, arg);
	}
}

static int parse_option(struct reader_options *opts, int option, char *arg, uint64_t *timeout_s) {
	struct consumer_settings *settings = &opts->reader.settings;
	int rc;

	switch (option) {
	case 'b':
		settings->brokers = arg;
		return 0;
	case 't':
		return parse_topic(opts, arg);
	case 'w':
		opts->of_writing = "-w";
		opts->file = arg;
		return 0;
	case 'f':
		opts->reader.follow = true;
		return 0;
	case 'c':
		return parse_config(opts, arg);
	case 'X':
		settings->properties[settings->nb_properties++] = arg;
		return 0;
	case OPT_COUNT:
		return parse_count(opts, arg);
	case OPT_FROM_BEGINNING:
	case OPT_FROM_END:
		opts->reader.from_end = option == OPT_FROM_END;
		return 0;
	case OPT_UNIQUE:
		opts->of_writing = "--unique";
		opts->unique = true;
		return 0;
	case OPT_FILTER:
		opts->of_writing = "--filter";
		opts->filter = arg;
		return 0;
	case OPT_FORMAT:
		return parse_format(opts, arg);
	case OPT_CHECK:
		opts->check = true;
		return 0;
	case OPT_REQUIRE_COMPLETE:
		opts->require_complete = true;
		return 0;
	case OPT_WINDOW:
		rc = parse_number("window", arg, 0, UINT32_MAX, &opts->window_ns);
		opts->window_ns *= RTAP_MS_NS;
		return rc;
	case OPT_TIMEOUT:
		return parse_number("timeout-s", arg, 0, UINT32_MAX - 1, timeout_s);
	default:
		return parse_range(opts, option, arg);
	}
}

// Translate Wireshark's options of a capture into our own.
static void take_extcap(struct reader_options *opts) {
	if (opts->extcap.question != EXTCAP_CAPTURE)
		return;
	opts->file = opts->extcap.fifo;
	opts->filter = opts->extcap.filter;
	opts->format = PCAP_OUTPUT_PCAPNG;
	opts->reader.follow = true;
	opts->reader.from_end = !opts->from_given;
}

static const char *why_wrong_question(const struct extcap_call *call) {
	if (call->question != EXTCAP_INTERFACES && call->interface == NULL)
		return "--extcap-interface is needed";
	if (call->question == EXTCAP_CAPTURE && call->fifo == NULL)
		return "--capture needs --fifo";
	return NULL;
}

static bool is_told_where_from(const struct reader_options *opts) {
	return opts->config != NULL
		|| (opts->reader.settings.brokers != NULL && opts->reader.topic != NULL);
}

static const char *why_wrong_together(const struct reader_options *opts) {
	const struct topic_reader_config *reader = &opts->reader;

	if (opts->extcap.fifo != NULL && opts->extcap.question != EXTCAP_CAPTURE)
		return "--fifo needs --capture";
	if (opts->margin_given && !opts->from_given && reader->to_ns == UINT64_MAX)
		return "--margin-s needs --from or --to";
	if (opts->extcap.question != EXTCAP_NONE)
		return why_wrong_question(&opts->extcap);
	if (!is_told_where_from(opts) || (opts->file == NULL && !opts->check))
		return "-c, or -b and -t, is needed, and -w or --check; see --help";
	if (reader->from_end && !reader->follow)
		return "--from-end needs --follow";
	if (reader->from_end && opts->from_given)
		return "--from-end or --from, not both";
	return NULL;
}

static int check_together(const struct reader_options *opts) {
	const char *wrong = why_wrong_together(opts), *other = "";

	if (wrong == NULL && opts->check && opts->of_writing != NULL) {
		wrong = "--check looks at every packet and writes none: without ";
		other = opts->of_writing;
	}
	if (wrong == NULL && opts->reader.to_ns <= opts->reader.from_ns)
		wrong = "--to must be later than --from, or than 1970 without it";
	if (wrong == NULL)
		return 0;
	fprintf(stderr, "kafka-to-pcap: %s%s\n", wrong, other);
	return -EINVAL;
}

int reader_options_parse(struct reader_options *opts, int argc, char **argv) {
	uint64_t timeout_s = UINT32_MAX; // not given
	int option, rc;

	*opts = (struct reader_options){
		.window_ns = HELP_DEFAULT_WINDOW_MS * RTAP_MS_NS,
		.reader.max_time_ns = TIME_SPEC_MAX_NS, // what a pcap file holds
		.reader.to_ns = UINT64_MAX,
		.reader.margin_s = HELP_DEFAULT_MARGIN_S,
		.reader.key_unit_ns = 1000,
		// More than -X can fill.
		.reader.settings.properties = calloc((size_t)argc, sizeof(char *)),
	};
	if (opts->reader.settings.properties == NULL) {
		fputs("kafka-to-pcap: out of memory\n", stderr);
		return -ENOMEM;
	}
	argc = extcap_words_drop_unknown(argc, argv, long_options);
	while ((option = getopt_long(argc, argv, "b:t:w:fc:X:hV", long_options, NULL)) != -1) {
		if (option == 'h') {
			opts->help = true;
			return 0;
		}
		if (option == 'V') {
			opts->version = true;
			return 0;
		}
		if (option < OPT_WINDOW && strchr("btwc", option) != NULL && *optarg == '\0')
			return complain_empty(option);
		rc = parse_option(opts, option, optarg, &timeout_s);
		if (rc < 0)
			return rc;
	}
	if (optind < argc) {
		fprintf(stderr, "kafka-to-pcap: %s: not an option; see --help\n", argv[optind]);
		return -EINVAL;
	}
	take_extcap(opts);
	if (timeout_s == UINT32_MAX)
		timeout_s = opts->reader.follow ? 0 : HELP_DEFAULT_TIMEOUT_S;
	opts->reader.timeout_s = (unsigned int)timeout_s;
	return check_together(opts);
}
