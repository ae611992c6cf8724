// SPDX-License-Identifier: BSD-3-Clause
// Command line of traffic-gen.

#include "options.h"

#include "parse_number.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct option long_options[] = {
	{"interface", required_argument, NULL, 'i'},
	{"pcap", required_argument, NULL, 'w'},
	{"replay", required_argument, NULL, 'r'},
	{"record", required_argument, NULL, 'R'},
	{"count", required_argument, NULL, 'c'},
	{"rate", required_argument, NULL, 'p'},
	{"seed", required_argument, NULL, 's'},
	{"flows", required_argument, NULL, 'f'},
	{"first-flow", required_argument, NULL, 'F'},
	{"max-frame", required_argument, NULL, 'm'},
	{"size", required_argument, NULL, 'S'},
	{"kinds", required_argument, NULL, 'k'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void print_help(void) {
	printf("usage: traffic-gen --interface IF | --pcap FILE [OPTION]...\n"
	       "Send varied Ethernet frames, the same ones for the same seed and options.\n\n"
	       "  -i, --interface IF   send on this network interface (root)\n"
	       "  -w, --pcap FILE      write the frames to FILE instead (- is stdout), with times\n"
	       "                       from 2024-01-01 on that keep to the rate; needs --count\n"
	       "  -r, --replay FILE    send the frames of this pcap file instead of made ones\n"
	       "  -R, --record FILE    write every frame that was sent to FILE\n"
	       "  -c, --count N        stop after N frames (default: at a signal)\n"
	       "  -p, --rate PPS       frames per second (default: 0, as fast as it goes)\n"
	       "  -s, --seed S         default 1\n"
	       "  -f, --flows F        number of flows (default 256, at most %u)\n"
	       "  -F, --first-flow N   number of the first one (default 0): senders with different\n"
	       "                       flows send no frame in common\n"
	       "  -m, --max-frame B    longest frame in bytes, %u to %u (default 1514)\n"
	       "  -S, --size B|mixed   bytes of each frame where its kind allows (default mixed)\n"
	       "  -k, --kinds LIST     comma-separated; default all of\n                      ",
	       FRAME_MAKE_MAX_FLOWS, FRAME_MAKE_MIN_MAX_BYTES, FRAME_MAKE_MAX_BYTES);
	for (unsigned int n = 0; frame_make_kind_name(n) != NULL; n++)
		printf("%s%s", n % 8 == 0 && n > 0 ? "\n                       " : " ",
		       frame_make_kind_name(n));
	printf("\n  -h, --help\n\n"
	       "Every frame ends with 16 bytes: \"rtap\", flow (direction in the top bit), sequence.\n"
	       "The last line on stdout is `N frames sent, B bytes`. SIGINT and SIGTERM stop.\n");
}

static int
parse_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *value) {
	if (rtap_parse_number(text, min, max, value) == 0)
		return 0;
	fprintf(stderr, "traffic-gen: --%s: %s: not a number from %ju to %ju\n", name, text,
		(uintmax_t)min, (uintmax_t)max);
	return -EINVAL;
}

static int
parse_u32(const char *name, const char *text, uint32_t min, uint32_t max, uint32_t *value) {
	uint64_t wide;
	int rc = parse_number(name, text, min, max, &wide);

	*value = (uint32_t)wide;
	return rc;
}

static int add_kind(const char *name, size_t len, uint32_t *kinds) {
	const char *known;

	for (unsigned int n = 0; (known = frame_make_kind_name(n)) != NULL; n++) {
		if (strlen(known) == len && memcmp(known, name, len) == 0) {
			*kinds |= 1u << n;
			return 0;
		}
	}
	fprintf(stderr, "traffic-gen: --kinds: %.*s: no such kind; see --help\n", (int)len, name);
	return -EINVAL;
}

static int parse_kinds(const char *list, uint32_t *kinds) {
	int rc;

	for (const char *name = list;; name++) {
		size_t len = strcspn(name, ",");

		rc = add_kind(name, len, kinds);
		name += len;
		if (rc < 0 || *name == '\0')
			return rc;
	}
}

static int parse_option(struct traffic_options *opts, int option, const char *arg) {
	struct frame_make_config *frames = &opts->frames;

	switch (option) {
	case 'i':
		opts->interface = arg;
		return 0;
	case 'w':
		opts->pcap = arg;
		return 0;
	case 'r':
		opts->replay = arg;
		return 0;
	case 'R':
		opts->record = arg;
		return 0;
	case 'c':
		return parse_number("count", arg, 0, UINT64_MAX, &opts->count);
	case 'p':
		return parse_number("rate", arg, 0, 1000000000, &opts->rate);
	case 's':
		return parse_number("seed", arg, 0, UINT64_MAX, &frames->seed);
	case 'f':
		return parse_u32("flows", arg, 1, FRAME_MAKE_MAX_FLOWS, &frames->nb_flows);
	case 'F':
		return parse_u32(
			"first-flow", arg, 0, FRAME_MAKE_MAX_FLOWS - 1, &frames->first_flow
		);
	case 'm':
		return parse_u32(
			"max-frame", arg, FRAME_MAKE_MIN_MAX_BYTES, FRAME_MAKE_MAX_BYTES,
			&frames->max_bytes
		);
	case 'S':
		if (strcmp(arg, "mixed") == 0) {
			frames->size = 0;
			return 0;
		}
		return parse_u32(
			"size", arg, FRAME_MAKE_MIN_BYTES, FRAME_MAKE_MAX_BYTES, &frames->size
		);
	case 'k':
		return parse_kinds(arg, &frames->kinds);
	default:
		return -EINVAL;
	}
}

static int check_together(const struct traffic_options *opts) {
	const char *wrong = NULL;

	if ((opts->interface == NULL) == (opts->pcap == NULL))
		wrong = "one of --interface and --pcap is needed; see --help";
	else if (opts->pcap != NULL && (opts->replay != NULL || opts->record != NULL))
		wrong = "--replay and --record go with --interface";
	else if (opts->pcap != NULL && opts->count == 0)
		wrong = "--pcap needs --count";
	else if (opts->frames.first_flow > FRAME_MAKE_MAX_FLOWS - opts->frames.nb_flows)
		wrong = "--first-flow and --flows go beyond flow 16777215";
	else if (opts->frames.size > opts->frames.max_bytes)
		wrong = "--size is above --max-frame";
	if (wrong == NULL)
		return 0;
	fprintf(stderr, "traffic-gen: %s\n", wrong);
	return -EINVAL;
}

int traffic_options_parse(struct traffic_options *opts, int argc, char **argv) {
	int option, rc;

	*opts = (struct traffic_options){
		.frames = {.seed = 1, .nb_flows = 256, .max_bytes = 1514},
	};
	while ((option = getopt_long(argc, argv, "i:w:r:R:c:p:s:f:F:m:S:k:h", long_options, NULL))
	       != -1) {
		if (option == 'h') {
			print_help();
			return 1;
		}
		rc = parse_option(opts, option, optarg);
		if (rc < 0)
			return rc;
	}
	if (optind < argc) {
		fprintf(stderr, "traffic-gen: %s: not an option; see --help\n", argv[optind]);
		return -EINVAL;
	}
	return check_together(opts);
}
