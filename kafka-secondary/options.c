// SPDX-License-Identifier: BSD-3-Clause
// Parse the command line of kafka-secondary.

#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

const char secondary_options_help[]
	= "Usage: kafka-secondary -c FILE [OPTION...]\n"
	  "       kafka-secondary --properties [--json] [NAME...]\n"
	  "\n"
	  "Attaches to the running capture-primary of the same configuration and carries packets from its\n"
	  "transmit rings to Kafka. Any number may be started and stopped at any time.\n"
	  "\n"
	  "  -c, --config FILE  configuration (YAML), the primary's\n"
	  "      --workers N    overrides workers\n"
	  "  -w PACKETS         overrides worker-burst\n"
	  "  -t TOPIC           overrides topic\n"
	  "  -s FILE            overrides kafka.statistics-file\n"
	  "      --check        validate it, librdkafka's properties included, and print it\n"
	  "      --properties   list the properties of librdkafka that ringtap sets, refuses (and why) or\n"
	  "                     takes for secrets: the named ones, or all\n"
	  "      --json         with --properties: a JSON array, every property with name, known (to\n"
	  "                     librdkafka), secret, refused (why), set (to this value, with the default\n"
	  "                     configuration), required or forbidden (value) and why\n"
	  "  -h, --help         this text\n"
	  "  -V, --version      versions, DPDK's and librdkafka's with its features included\n"
	  "\n"
	  "Exit codes: 0 ok, 2 usage, 3 configuration or a property that librdkafka refuses, 4 not root,\n"
	  "8 no running primary, 9 primary of another build, 10 the attach hangs, 13 packets were left for\n"
	  "the next worker, 1 anything else.\n";

enum {
	OPTION_WORKERS = 256,
	OPTION_PROPERTIES,
	OPTION_JSON,
};

// Short ones: Fastcapa's words.
static const struct rtap_override overrides[] = {
	{OPTION_WORKERS, "--workers", "workers"},
	{'w', "-w", "worker-burst"},
	{'t', "-t", "topic"},
	{'s', "-s", "kafka.statistics-file"},
	{0, NULL, NULL},
};

static int check_together(const struct secondary_options *opt) {
	if (opt->json && !opt->properties) {
		fputs("kafka-secondary: --json needs --properties; try --help\n", stderr);
		return -EINVAL;
	}
	if (opt->properties && (opt->check || opt->config_path != NULL)) {
		fputs("kafka-secondary: --properties takes no configuration, leave -c and --check "
		      "away; try --help\n",
		      stderr);
		return -EINVAL;
	}
	if (opt->properties)
		return 0;
	if (opt->nb_names > 0) {
		fprintf(stderr, "kafka-secondary: unexpected argument '%s'; try --help\n",
			opt->names[0]);
		return -EINVAL;
	}
	if (opt->config_path == NULL) {
		fputs("kafka-secondary: no configuration, use -c FILE; try --help\n", stderr);
		return -EINVAL;
	}
	return 0;
}

int secondary_options_parse(struct secondary_options *opt, int argc, char **argv) {
	static const struct option longopts[] = {
		{"config", required_argument, NULL, 'c'},
		{"workers", required_argument, NULL, OPTION_WORKERS},
		{"check", no_argument, NULL, 'C'},
		{"properties", no_argument, NULL, OPTION_PROPERTIES},
		{"json", no_argument, NULL, OPTION_JSON},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c;

	memset(opt, 0, sizeof(*opt));
	while ((c = getopt_long(argc, argv, "c:w:t:s:hV", longopts, NULL)) != -1) {
		switch (c) {
		case 'c':
			opt->config_path = optarg;
			break;
		case 'C':
			opt->check = true;
			break;
		case OPTION_PROPERTIES:
			opt->properties = true;
			break;
		case OPTION_JSON:
			opt->json = true;
			break;
		case 'h':
			opt->help = true;
			return 0;
		case 'V':
			opt->version = true;
			return 0;
		default:
			if (rtap_overrides_note(&opt->overrides, overrides, c, optarg))
				break;
			fputs("kafka-secondary: try --help\n", stderr);
			return -EINVAL;
		}
	}
	opt->names = argv + optind;
	opt->nb_names = (unsigned int)(argc - optind);
	return check_together(opt);
}
