// SPDX-License-Identifier: BSD-3-Clause
// kafka-to-pcap: write the packets of a Kafka topic to a capture file or a pipe, in time order.

#include "converter.h"
#include "exit_code.h"
#include "help.h"
#include "read_filter.h"
#include "standard_fds.h"
#include "standard_output.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

// Wireshark shows the answer where the filter is typed; no answer means that it is valid.
static void judge_filter(const char *expression) {
	char error[READ_FILTER_ERROR_BYTES];
	struct read_filter *filter = read_filter_create(expression, error);

	if (filter == NULL)
		printf("%s\n", error);
	read_filter_destroy(filter);
}

static enum rtap_exit_code complain(const char *text) {
	fprintf(stderr, "kafka-to-pcap: %s\n", text);
	return RTAP_EXIT_USAGE;
}

static enum rtap_exit_code
capture(struct reader_options *opts, const struct extcap_topics *topics) {
	const char *interface = opts->extcap.interface;
	const struct extcap_topic *topic = extcap_topics_lookup(topics, interface);
	const struct topic_reader_config *reader = &opts->reader;

	if (topic == NULL && strcmp(interface, EXTCAP_ANY_TOPIC) != 0)
		return complain("no such interface; --extcap-interfaces lists them");
	if (topic != NULL)
		opts->config = topic->file;
	if (opts->config == NULL && (reader->topic == NULL || reader->settings.brokers == NULL))
		return complain("choose a configuration file, or brokers and topic, in the "
				"interface's options");
	return converter_run(opts);
}

static enum rtap_exit_code answer(struct reader_options *opts) {
	const struct extcap_call *call = &opts->extcap;
	struct extcap_topics topics;
	enum rtap_exit_code code = RTAP_EXIT_OK;

	// Wireshark takes any word on stderr for a failed capture: bad files are named in the list
	// alone.
	if (extcap_topics_find(&topics, call->question == EXTCAP_INTERFACES ? stderr : NULL) < 0) {
		fputs("kafka-to-pcap: out of memory\n", stderr);
		code = RTAP_EXIT_FAILURE;
	} else if (call->question == EXTCAP_INTERFACES) {
		extcap_print_interfaces(stdout, &topics);
	} else if (call->question == EXTCAP_DLTS) {
		extcap_print_dlts(stdout);
	} else if (call->question == EXTCAP_CONFIG) {
		extcap_print_config(stdout, call->interface);
	} else if (call->question == EXTCAP_FILTER) {
		judge_filter(call->filter);
	} else {
		code = capture(opts, &topics);
	}
	extcap_topics_free(&topics);
	// A capture may have closed stdout, and checked it before.
	return call->question == EXTCAP_CAPTURE ? code
						: rtap_standard_output_end("kafka-to-pcap", code);
}

static enum rtap_exit_code run(struct reader_options *opts) {
	if (opts->help || opts->version) {
		if (opts->help)
			help_print();
		else
			consumer_settings_print_version(stdout);
		return rtap_standard_output_end("kafka-to-pcap", RTAP_EXIT_OK);
	}
	return opts->extcap.question != EXTCAP_NONE ? answer(opts) : converter_run(opts);
}

int main(int argc, char **argv) {
	bool no_stdout = fcntl(STDOUT_FILENO, F_GETFD) < 0;
	struct reader_options opts;
	enum rtap_exit_code code;

	prctl(PR_SET_DUMPABLE, 0); // no core dump: secrets would be in it
	rtap_standard_fds_open(); // else a socket to Kafka may get our lines
	// Make writes to a closed stdout fail instead of landing in a later descriptor.
	if (no_stdout && freopen("/dev/null", "r", stdout) == NULL)
		return RTAP_EXIT_FAILURE;
	code = reader_options_parse(&opts, argc, argv) < 0 ? RTAP_EXIT_USAGE : run(&opts);
	free(opts.reader.settings.properties);
	return code;
}
