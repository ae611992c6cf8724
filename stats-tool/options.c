// SPDX-License-Identifier: BSD-3-Clause
// Parse the command line of stats-tool.

#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_MIN_S 0.1
#define WATCH_MAX_S 86400.0

const char stats_options_help[]
	= "Usage: stats-tool [-i INSTANCE] [--watch [SECONDS]] [-v | --json]\n"
	  "       stats-tool [-i INSTANCE] --check\n"
	  "       stats-tool --explain\n"
	  "\n"
	  "Prints what an instance of ringtap received, holds, delivered and dropped: while its primary\n"
	  "runs, after it stopped and after it was killed. Reads the counters file only.\n"
	  "\n"
	  "  -i, --instance NAME    instance (default: ringtap)\n"
	  "  -w, --watch [SECONDS]  repeat, with rates (default: every second)\n"
	  "  -v, --verbose          also every port, queue, ring and worker\n"
	  "  -j, --json             one JSON object a line, all of it; names as in --explain\n"
	  "      --check            verify that no packet is unaccounted for\n"
	  "      --explain          explain every figure, counter and JSON name\n"
	  "  -h, --help             this text\n"
	  "  -V, --version          version\n"
	  "\n"
	  "Exit codes: 0 ok, 2 usage, 4 no permission, 8 no such instance, 9 not a counters file of\n"
	  "this version, 12 a law does not hold (--check), 1 anything else.\n";

static int usage_error(const char *what, const char *argument) {
	fprintf(stderr, "stats-tool: %s%s; try --help\n", what, argument);
	return -EINVAL;
}

// The optional argument follows `=` or is the next word, if that is a number.
static const char *watch_argument(int argc, char **argv) {
	if (optarg != NULL)
		return optarg;
	if (optind < argc && isdigit((unsigned char)argv[optind][0]))
		return argv[optind++];
	return "1";
}

static bool parse_seconds(const char *text, double *seconds) {
	char *end;

	*seconds = strtod(text, &end);
	return end != text && *end == '\0' && *seconds >= WATCH_MIN_S && *seconds <= WATCH_MAX_S;
}

static int check_combination(const struct stats_options *opt) {
	if (opt->check && (opt->json || opt->verbose || opt->watch_s > 0))
		return usage_error("--check goes with --instance only", "");
	if (opt->explain && (opt->check || opt->json || opt->verbose || opt->watch_s > 0))
		return usage_error("--explain goes alone", "");
	if (opt->json && opt->verbose)
		return usage_error("--json is complete already, without --verbose", "");
	return 0;
}

int stats_options_parse(struct stats_options *opt, int argc, char **argv) {
	static const struct option longopts[] = {
		{"instance", required_argument, NULL, 'i'},
		{"watch", optional_argument, NULL, 'w'},
		{"verbose", no_argument, NULL, 'v'},
		{"json", no_argument, NULL, 'j'},
		{"check", no_argument, NULL, 'C'},
		{"explain", no_argument, NULL, 'E'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	const char *seconds;
	int c;

	memset(opt, 0, sizeof(*opt));
	opt->instance = "ringtap";
	while ((c = getopt_long(argc, argv, "i:w::vjhV", longopts, NULL)) != -1) {
		switch (c) {
		case 'i':
			opt->instance = optarg;
			break;
		case 'w':
			seconds = watch_argument(argc, argv);
			if (!parse_seconds(seconds, &opt->watch_s))
				return usage_error(
					"--watch takes 0.1 to 86400 seconds, not ", seconds
				);
			break;
		case 'v':
			opt->verbose = true;
			break;
		case 'j':
			opt->json = true;
			break;
		case 'C':
			opt->check = true;
			break;
		case 'E':
			opt->explain = true;
			break;
		case 'h':
			opt->help = true;
			return 0;
		case 'V':
			opt->version = true;
			return 0;
		default:
			return usage_error("invalid option", "");
		}
	}
	if (optind < argc)
		return usage_error("unexpected argument ", argv[optind]);
	return check_combination(opt);
}
