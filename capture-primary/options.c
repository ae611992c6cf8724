// SPDX-License-Identifier: BSD-3-Clause
// Parse the command line of capture-primary.

#include "options.h"

#include "eal_switches.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

const char primary_options_help[]
	= "Usage: capture-primary -c FILE [OPTION...] [-- EAL ARGUMENTS]\n"
	  "\n"
	  "Owns the ports of one instance and puts every packet on shared transmit rings, from which\n"
	  "kafka-secondary sends them to Kafka.\n"
	  "\n"
	  "  -c, --config FILE  configuration (YAML)\n"
	  "      --check        validate it, print the effective configuration and the memory it needs\n"
	  "      --keys         print every key of the configuration\n"
	  "      --wait         wait until the transmit workers of an earlier primary end\n"
	  "  -p PORT_MASK       overrides port-mask\n"
	  "  -q QUEUES          overrides receive-queues\n"
	  "  -b PACKETS         overrides burst-size\n"
	  "  -d DESCRIPTORS     overrides receive-descriptors\n"
	  "  -x SLOTS           overrides transmit-ring-size, a power of two\n"
	  "  -h, --help         this text\n"
	  "  -V, --version      version\n"
	  "\n"
	  "Arguments after `--` are appended to the EAL arguments that the program builds itself.\n"
	  "Exit codes: 0 ok, 2 usage, 3 configuration, 4 not root, 5 hugepages, 6 no ports,\n"
	  "7 already running, 11 a port refused its configuration, 13 packets were left undelivered,\n"
	  "14 a device was replaced during the capture: restart, 1 anything else.\n";

// Fastcapa's words.
static const struct rtap_override overrides[] = {
	{'p', "-p", "port-mask"},          {'q', "-q", "receive-queues"},
	{'b', "-b", "burst-size"},         {'d', "-d", "receive-descriptors"},
	{'x', "-x", "transmit-ring-size"}, {0, NULL, NULL},
};

static int check_eal_args(const struct primary_options *opt) {
	char why[256];
	int rc = eal_switches_check(opt->eal_args, opt->nb_eal_args, why, sizeof(why));

	if (rc < 0)
		fprintf(stderr, "capture-primary: %s\n", why);
	return rc;
}

int primary_options_parse(struct primary_options *opt, int argc, char **argv) {
	static const struct option longopts[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'C'},
		{"keys", no_argument, NULL, 'K'},
		{"wait", no_argument, NULL, 'W'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c;

	memset(opt, 0, sizeof(*opt));
	while ((c = getopt_long(argc, argv, "+c:p:q:b:d:x:hV", longopts, NULL)) != -1) {
		switch (c) {
		case 'c':
			opt->config_path = optarg;
			break;
		case 'C':
			opt->check = true;
			break;
		case 'K':
			opt->help_keys = true;
			break;
		case 'W':
			opt->wait = true;
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
			fputs("capture-primary: try --help\n", stderr);
			return -EINVAL;
		}
	}
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
		fprintf(stderr,
			"capture-primary: unexpected argument '%s'; EAL arguments go after `--`\n",
			argv[optind]);
		return -EINVAL;
	}
	opt->eal_args = argv + optind;
	opt->nb_eal_args = argc - optind;
	if (opt->config_path == NULL && !opt->help_keys) {
		fputs("capture-primary: no configuration, use -c FILE; try --help\n", stderr);
		return -EINVAL;
	}
	return check_eal_args(opt);
}
