// SPDX-License-Identifier: BSD-3-Clause
// kafka-to-pcap: the packets of a Kafka topic into a file of packets or to a reader of one, in time order.

#include "converter.h"
#include "exit_code.h"
#include "packet_filter.h"
#include "standard_fds.h"
#include "standard_output.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

// Wireshark shows the answer where the filter is typed: none is good.
static int judge_filter(const char *expression) {
	char error[PACKET_FILTER_ERROR_BYTES];
	struct packet_filter *filter = packet_filter_create(expression, error);

	if (filter == NULL)
		printf("%s\n", error);
	packet_filter_destroy(filter);
	return RTAP_EXIT_OK;
}

static int complain(const char *text) {
	fprintf(stderr, "kafka-to-pcap: %s\n", text);
	return RTAP_EXIT_USAGE;
}

static int capture(struct options *opts, const struct extcap_topics *topics) {
	const char *interface = opts->extcap.interface;
	const struct extcap_topic *topic = extcap_topics_lookup(topics, interface);
	const struct topic_reader_config *reader = &opts->reader;

	if (topic == NULL && strcmp(interface, EXTCAP_ANY_TOPIC) != 0)
		return complain("no such interface; there are those of --extcap-interfaces");
	if (topic != NULL)
		opts->config = topic->file;
	if (opts->config == NULL && (reader->topic == NULL || reader->settings.brokers == NULL))
		return complain("choose a configuration file, or brokers and topic, in the "
				"interface's options");
	return converter_run(opts);
}

static int answer(struct options *opts) {
	const struct extcap_call *call = &opts->extcap;
	struct extcap_topics topics;
	int rc = RTAP_EXIT_OK;

	// Wireshark takes any word on stderr for a failed capture: bad files are named in the list alone.
	if (extcap_topics_find(&topics, call->question == EXTCAP_INTERFACES ? stderr : NULL) < 0) {
		fputs("kafka-to-pcap: out of memory\n", stderr);
		rc = RTAP_EXIT_FAILURE;
	} else if (call->question == EXTCAP_INTERFACES) {
		extcap_print_interfaces(stdout, &topics);
	} else if (call->question == EXTCAP_DLTS) {
		extcap_print_dlts(stdout);
	} else if (call->question == EXTCAP_CONFIG) {
		extcap_print_config(stdout, call->interface);
	} else if (call->question == EXTCAP_FILTER) {
		rc = judge_filter(call->filter);
	} else {
		rc = capture(opts, &topics);
	}
	extcap_topics_free(&topics);
	// A capture may have closed stdout, and checked it before.
	return call->question == EXTCAP_CAPTURE ? rc
						: rtap_standard_output_end("kafka-to-pcap", rc);
}

int main(int argc, char **argv) {
	bool no_stdout = fcntl(STDOUT_FILENO, F_GETFD) < 0;
	struct options opts;
	int rc;

	prctl(PR_SET_DUMPABLE, 0); // no core dump: secrets would be in it
	rtap_standard_fds_open(); // else a socket to Kafka may get our lines
	// What takes nothing, rather than everything.
	if (no_stdout && freopen("/dev/null", "r", stdout) == NULL)
		return RTAP_EXIT_FAILURE;
	rc = options_parse(&opts, argc, argv);
	if (rc != 0)
		rc = rc > 0 ? rtap_standard_output_end("kafka-to-pcap", RTAP_EXIT_OK)
			    : RTAP_EXIT_USAGE;
	else if (opts.extcap.question != EXTCAP_NONE)
		rc = answer(&opts);
	else
		rc = converter_run(&opts);
	free(opts.reader.settings.properties);
	return rc;
}
