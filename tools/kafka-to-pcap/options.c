// SPDX-License-Identifier: BSD-3-Clause
// Command line of kafka-to-pcap.

#include "options.h"

#include "pcap_output.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_WINDOW_MS 1000
#define DEFAULT_TIMEOUT_S 30

enum long_only {
	OPT_WINDOW = 256,
	OPT_TIMEOUT,
	OPT_FROM_BEGINNING,
	OPT_FROM_END,
	OPT_UNIQUE,
};

static const struct option long_options[] = {
	{"brokers", required_argument, NULL, 'b'},
	{"topic", required_argument, NULL, 't'},
	{"write", required_argument, NULL, 'w'},
	{"follow", no_argument, NULL, 'f'},
	{"from-beginning", no_argument, NULL, OPT_FROM_BEGINNING},
	{"from-end", no_argument, NULL, OPT_FROM_END},
	{"window", required_argument, NULL, OPT_WINDOW},
	{"unique", no_argument, NULL, OPT_UNIQUE},
	{"count", required_argument, NULL, 'c'},
	{"timeout-s", required_argument, NULL, OPT_TIMEOUT},
	{"property", required_argument, NULL, 'X'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void print_help(void) {
	printf("usage: kafka-to-pcap -b BROKERS -t TOPIC -w FILE [OPTION]...\n"
	       "Read the packets of a Kafka topic into a pcap file, in time order.\n\n"
	       "  -b, --brokers LIST     HOST:PORT, comma-separated\n"
	       "  -t, --topic TOPIC      all its partitions are read, in no consumer group\n"
	       "  -w, --write FILE       - is stdout, for `| tshark -r -` or `-i -`\n"
	       "  -f, --follow           go on with what comes; without it, end with what is there\n"
	       "      --from-beginning   start with the oldest packet (the default)\n"
	       "      --from-end         with --follow: start with what comes now\n"
	       "      --window MS        packets at most so far out of time order are put in order,\n"
	       "                         later ones are written late (default %u)\n"
	       "      --unique           write packets of the same time and bytes once, as far as\n"
	       "                         the last million packets read tell\n"
	       "  -c, --count N          end after N packets\n"
	       "      --timeout-s S      fail when nothing comes for so long, 0 = never\n"
	       "                         (default %u; with --follow 0)\n"
	       "  -X, --property N=V     any property of librdkafka, for example TLS and SASL\n"
	       "  -h, --help\n\n"
	       "A message is a packet when its key has 8 bytes: microseconds since 1970, UTC,\n"
	       "big-endian. Its value is the Ethernet frame. The last line on stderr is\n"
	       "`N packets written, N duplicates removed, N late, N skipped`.\n",
	       DEFAULT_WINDOW_MS, DEFAULT_TIMEOUT_S);
}

static int parse_number(const char *name, const char *text, uint64_t max, uint64_t *value) {
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && *value <= max)
		return 0;
	fprintf(stderr, "kafka-to-pcap: --%s: %s: not a number from 0 to %ju\n", name, text,
		(uintmax_t)max);
	return -EINVAL;
}

static int parse_option(struct options *opts, int option, char *arg, uint64_t *timeout_s) {
	int rc;

	switch (option) {
	case 'b':
		opts->reader.brokers = arg;
		return 0;
	case 't':
		opts->reader.topic = arg;
		return 0;
	case 'w':
		opts->file = arg;
		return 0;
	case 'f':
		opts->reader.follow = true;
		return 0;
	case 'c':
		return parse_number("count", arg, UINT64_MAX, &opts->count);
	case 'X':
		opts->reader.properties[opts->reader.nb_properties++] = arg;
		return 0;
	case OPT_FROM_BEGINNING:
	case OPT_FROM_END:
		opts->reader.from_end = option == OPT_FROM_END;
		return 0;
	case OPT_UNIQUE:
		opts->unique = true;
		return 0;
	case OPT_WINDOW:
		rc = parse_number("window", arg, UINT32_MAX, &opts->window_us);
		opts->window_us *= 1000;
		return rc;
	case OPT_TIMEOUT:
		return parse_number("timeout-s", arg, UINT32_MAX - 1, timeout_s);
	default:
		return -EINVAL;
	}
}

static int check_together(const struct options *opts) {
	const char *wrong = NULL;

	if (opts->reader.brokers == NULL || opts->reader.topic == NULL || opts->file == NULL)
		wrong = "-b, -t and -w are needed; see --help";
	else if (opts->reader.from_end && !opts->reader.follow)
		wrong = "--from-end needs --follow";
	if (wrong == NULL)
		return 0;
	fprintf(stderr, "kafka-to-pcap: %s\n", wrong);
	return -EINVAL;
}

int options_parse(struct options *opts, int argc, char **argv) {
	uint64_t timeout_s = UINT32_MAX; // not given
	int option, rc;

	*opts = (struct options){
		.window_us = DEFAULT_WINDOW_MS * 1000,
		.reader.max_time_us = PCAP_OUTPUT_MAX_TIME_US,
		.reader.properties = calloc((size_t)argc, sizeof(char *)), // more than -X can fill
	};
	if (opts->reader.properties == NULL)
		return -ENOMEM;
	while ((option = getopt_long(argc, argv, "b:t:w:fc:X:h", long_options, NULL)) != -1) {
		if (option == 'h') {
			print_help();
			return 1;
		}
		rc = parse_option(opts, option, optarg, &timeout_s);
		if (rc < 0)
			return rc;
	}
	if (optind < argc) {
		fprintf(stderr, "kafka-to-pcap: %s: not an option; see --help\n", argv[optind]);
		return -EINVAL;
	}
	if (timeout_s == UINT32_MAX)
		timeout_s = opts->reader.follow ? 0 : DEFAULT_TIMEOUT_S;
	opts->reader.timeout_s = (unsigned int)timeout_s;
	return check_together(opts);
}
