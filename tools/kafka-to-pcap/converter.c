// SPDX-License-Identifier: BSD-3-Clause
// Run once: read the packets of a topic, check, filter and sort them, and write them.

#include "converter.h"

#include "byte_units.h"
#include "config_schema.h"
#include "duplicate_filter.h"
#include "interface_names.h"
#include "now.h"
#include "pcap_output.h"
#include "read_filter.h"
#include "stream_report.h"
#include "time_merge.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_HELD_BYTES ((size_t)256 * RTAP_MIB)
#define HELD_OVERHEAD_BYTES 384 // of librdkafka and ours for each packet, about
#define DRAIN_EVERY 64 // packets that are held
#define REMEMBERED_PACKETS ((size_t)1 << 20)

struct converter {
	struct reader_options opts;
	struct rtap_config config; // of an instance; zero without
	struct topic_reader *reader;
	struct pcap_output *out; // NULL: nothing is written
	struct read_filter *filter; // NULL: every packet
	struct duplicate_filter *duplicates; // NULL: they are kept
	struct time_merge merge;
	struct interface_names names;
	unsigned int out_number[INTERFACE_NAMES_MAX]; // in the file, + 1; 0 = not yet there
	struct stream_check check;
	uint64_t nb_written, nb_duplicates, nb_late, nb_skipped;
	uint64_t nb_without, nb_malformed; // sequence number, headers
	uint64_t newest_ns; // of what was written
	uint64_t last_packet_ms, last_progress_ms; // monotonic
	bool failed; // to read
	bool ended; // everything was read that was asked for
	bool progress; // stderr is a terminal
};

static volatile sig_atomic_t stop;

// The first one ends reading, and what was read is written; the next one ends the program at once.
static void on_signal(int signo) {
	stop = 1;
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

// Not before everything is open: until then a signal ends the program at once, and nothing is lost.
static void take_signals(void) {
	struct sigaction action = {.sa_handler = on_signal};

	sigfillset(&action.sa_mask); // one after the other
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void complain(const char *text) {
	fprintf(stderr, "kafka-to-pcap: %s\n", text);
}

static uint64_t now_ms(void) {
	return rtap_monotonic_ns() / RTAP_MS_NS;
}

static void print_counts(const struct converter *conv, const char *end) {
	fprintf(stderr,
		"%" PRIu64 " packets written, %" PRIu64 " duplicates removed, %" PRIu64
		" late, %" PRIu64 " skipped%s",
		conv->nb_written, conv->nb_duplicates, conv->nb_late, conv->nb_skipped, end);
}

static bool is_complete(const struct converter *conv) {
	return conv->opts.count != 0 && conv->nb_written == conv->opts.count;
}

// ---- what is written ----

// The file's number of an interface, which is named there when its first packet comes.
static int number_in_file(struct converter *conv, unsigned int interface, unsigned int *number) {
	int rc = 0;

	if (conv->out_number[interface] == 0) {
		rc = pcap_output_interface(conv->out, conv->names.names[interface]);
		conv->out_number[interface] = pcap_output_nb_interfaces(conv->out);
	}
	*number = conv->out_number[interface] - 1;
	return rc;
}

static int write_packet(struct converter *conv, const struct packet *packet) {
	unsigned int number;
	int rc = number_in_file(conv, packet->interface, &number);

	if (rc < 0)
		return rc;
	if (packet->time_ns > conv->newest_ns)
		conv->newest_ns = packet->time_ns;
	return pcap_output_write(
		conv->out, number, packet->time_ns, packet->frame, packet->len, packet->wire_len
	);
}

// Write what may leave when all has been read up to a time. Returns 0 or a negative errno.
static int drain(struct converter *conv, uint64_t reached_ns) {
	struct packet *packet;
	uint64_t time_ns;
	bool late;
	int rc = 0;

	while (rc == 0 && !is_complete(conv)
	       && (packet = time_merge_pop(&conv->merge, reached_ns, &time_ns, &late)) != NULL) {
		rc = write_packet(conv, packet);
		packet_free(packet);
		if (rc == 0) {
			conv->nb_written++;
			conv->nb_late += late;
		}
	}
	return rc;
}

// ---- what is read ----

// Every packet is looked at, whether it is written or not: each has a number of its own.
static void observe(struct converter *conv, struct packet *packet) {
	const struct packet_headers *headers = &packet->headers;

	conv->nb_malformed += headers->nb_malformed;
	if (headers->interface != NULL)
		packet->interface = interface_names_number(
			&conv->names, headers->interface, headers->interface_len
		);
	if (headers->seq == 0 || !headers->has_queue_ring || packet->interface == 0)
		conv->nb_without++;
	else
		stream_check_add(
			&conv->check, packet->interface, headers->queue_ring, headers->seq,
			packet->time_ns
		);
}

static bool is_wanted(struct converter *conv, const struct packet *packet) {
	if (conv->out == NULL)
		return false;
	if (conv->filter != NULL
	    && !read_filter_matches(conv->filter, packet->frame, packet->len, packet->wire_len))
		return false;
	if (conv->duplicates == NULL
	    || !duplicate_filter_seen(
		    conv->duplicates, packet->time_ns, packet->frame, packet->len
	    ))
		return true;
	conv->nb_duplicates++;
	return false;
}

static int take(struct converter *conv, struct packet *packet) {
	size_t bytes = packet->len + HELD_OVERHEAD_BYTES;

	conv->last_packet_ms = now_ms();
	observe(conv, packet);
	if (!is_wanted(conv, packet)) {
		packet_free(packet);
		return 0;
	}
	if (time_merge_push(&conv->merge, packet->time_ns, packet, bytes) < 0) {
		packet_free(packet);
		return -ENOMEM;
	}
	// Not for each one: it looks at all partitions.
	if (conv->merge.nb_held % DRAIN_EVERY != 0)
		return 0;
	return drain(conv, topic_reader_reached_ns(conv->reader));
}

// Nothing new for as long as the window: nothing older is to be waited for.
static int rest(struct converter *conv) {
	uint64_t quiet_ns = (now_ms() - conv->last_packet_ms) * RTAP_MS_NS;
	bool is_over = quiet_ns >= conv->opts.window_ns;
	int rc = drain(conv, is_over ? TIME_MERGE_ALL : topic_reader_reached_ns(conv->reader));

	return rc < 0 || conv->out == NULL ? rc : pcap_output_flush(conv->out);
}

static void show_progress(struct converter *conv) {
	if (!conv->progress || now_ms() - conv->last_progress_ms < 1000)
		return;
	conv->last_progress_ms = now_ms();
	fputs("\r", stderr);
	print_counts(conv, "");
}

// Wireshark takes any word on stderr for an error.
static bool is_quiet(const struct converter *conv) {
	return conv->opts.extcap.question == EXTCAP_CAPTURE;
}

static void skip(struct converter *conv, const char *text) {
	if (conv->nb_skipped++ == 0) // the rest are in the counts
		complain(text);
}

// Returns 0 at the end, a negative errno when writing failed. `text` is set when reading failed.
static int convert(struct converter *conv, char text[static TOPIC_READER_TEXT_BYTES]) {
	struct packet *packet;
	int rc = 0;

	while (rc == 0 && !stop && !is_complete(conv)) {
		switch (topic_reader_next(conv->reader, &packet, text)) {
		case TOPIC_PACKET:
			rc = take(conv, packet);
			break;
		case TOPIC_OUTSIDE:
			break;
		case TOPIC_SKIPPED:
			skip(conv, text);
			break;
		case TOPIC_NOTED:
			if (!is_quiet(conv))
				complain(text);
			break;
		case TOPIC_IDLE:
			rc = rest(conv);
			break;
		case TOPIC_END:
			conv->ended = true;
			return drain(conv, TIME_MERGE_ALL);
		case TOPIC_FAILED:
			conv->failed = true;
			return drain(conv, TIME_MERGE_ALL);
		}
		show_progress(conv);
	}
	return rc == 0 ? drain(conv, TIME_MERGE_ALL) : rc;
}

// ---- begin ----

// The exit code for what a helper returned: the errors that all of them use alike.
static enum rtap_exit_code exit_code_of(int rc) {
	switch (-rc) {
	case EINVAL:
		return RTAP_EXIT_USAGE;
	case EBADMSG:
		return RTAP_EXIT_CONFIG;
	default:
		return RTAP_EXIT_FAILURE;
	}
}

static int load_config(struct converter *conv) {
	struct rtap_config_error error;
	int rc;

	if (conv->opts.config == NULL)
		return 0;
	rc = rtap_config_load(&conv->config, conv->opts.config, &error);
	if (rc == 0)
		rc = rtap_config_read_secrets(&conv->config, &error);
	if (rc < 0) {
		complain(error.text);
		return -EBADMSG;
	}
	conv->opts.reader.settings.file = &conv->config;
	if (conv->opts.reader.topic == NULL)
		conv->opts.reader.topic = conv->config.topic;
	if (!conv->opts.key_unit_given)
		conv->opts.reader.key_unit_ns = conv->config.key_unit == RTAP_KEY_NS ? 1 : 1000;
	return 0;
}

static int open_filters(struct converter *conv) {
	char error[READ_FILTER_ERROR_BYTES];
	const char *expression = conv->opts.filter;

	if (expression != NULL && *expression != '\0') {
		conv->filter = read_filter_create(expression, error);
		if (conv->filter == NULL) {
			fprintf(stderr, "kafka-to-pcap: --filter: %s: %s\n", expression, error);
			return -EINVAL;
		}
	}
	if (conv->opts.unique) {
		conv->duplicates = duplicate_filter_create(REMEMBERED_PACKETS);
		if (conv->duplicates == NULL) {
			complain(strerror(errno));
			return -errno;
		}
	}
	return 0;
}

static int init_tables(struct converter *conv) {
	char name[300];

	snprintf(name, sizeof(name), "kafka:%s", conv->opts.reader.topic);
	if (interface_names_init(&conv->names, name) == 0 && stream_check_init(&conv->check) == 0)
		return 0;
	complain(strerror(ENOMEM));
	return -ENOMEM;
}

// The topic first: without one, no file is touched.
static int open_ends(struct converter *conv) {
	char text[TOPIC_READER_TEXT_BYTES];
	enum pcap_output_format format = conv->opts.format;
	int rc = -EIO;

	if (format == PCAP_OUTPUT_PCAP && conv->opts.reader.key_unit_ns == 1)
		format = PCAP_OUTPUT_PCAP_NS;
	conv->reader = topic_reader_open(&conv->opts.reader, text);
	if (conv->reader == NULL)
		rc = -errno;
	take_signals();
	if (conv->reader != NULL && conv->opts.file != NULL)
		conv->out = pcap_output_open(conv->opts.file, format, text);
	if (conv->reader != NULL && (conv->out != NULL || conv->opts.file == NULL))
		return 0;
	complain(text);
	return rc;
}

static int open_all(struct converter *conv) {
	int rc;

	time_merge_init(&conv->merge, conv->opts.window_ns, MAX_HELD_BYTES);
	conv->progress = isatty(STDERR_FILENO);
	conv->last_packet_ms = conv->last_progress_ms = now_ms();
	rc = load_config(conv);
	if (rc == 0)
		rc = open_filters(conv);
	if (rc == 0)
		rc = init_tables(conv);
	return rc == 0 ? open_ends(conv) : rc;
}

// ---- end ----

static void close_all(struct converter *conv) {
	struct packet *packet;
	uint64_t time_ns;
	bool late;

	while ((packet = time_merge_pop(&conv->merge, TIME_MERGE_ALL, &time_ns, &late)) != NULL)
		packet_free(packet);
	time_merge_fini(&conv->merge);
	duplicate_filter_destroy(conv->duplicates);
	read_filter_destroy(conv->filter);
	if (conv->out != NULL)
		pcap_output_close(conv->out);
	if (conv->reader != NULL)
		topic_reader_close(conv->reader);
	stream_check_fini(&conv->check);
	interface_names_fini(&conv->names);
	rtap_config_fini(&conv->config);
}

static int write_statistics(struct converter *conv, uint64_t horizon_ns) {
	unsigned int number;
	int rc = 0;

	if (pcap_output_nb_interfaces(conv->out) == 0) // readers want one even without packets
		rc = number_in_file(conv, 0, &number);

	for (unsigned int i = 0; rc == 0 && i < conv->names.nb; i++) {
		struct stream_totals totals = stream_check_interface_totals(
			&conv->check, i, horizon_ns
		);

		uint64_t dropped = totals.nb_missing + totals.nb_forgotten;

		if (conv->out_number[i] != 0 && totals.nb_received != 0)
			rc = pcap_output_statistics(
				conv->out, conv->out_number[i] - 1, conv->newest_ns,
				totals.nb_received + dropped, dropped
			);
	}
	return rc == 0 ? pcap_output_flush(conv->out) : rc;
}

static enum rtap_exit_code report(const struct converter *conv, uint64_t horizon_ns) {
	const struct stream_report report = {
		.check = &conv->check,
		.names = &conv->names,
		.horizon_ns = horizon_ns,
		.nb_without = conv->nb_without,
		.nb_malformed = conv->nb_malformed,
		.cut_short = !conv->ended,
		.gaps = topic_reader_gaps(conv->reader),
	};
	const char *why;
	bool complete = stream_report_is_complete(&report, &why);

	if (conv->opts.check || conv->check.nb_streams != 0 || conv->nb_malformed != 0)
		stream_report_print(stderr, &report);
	stream_report_print_gaps(stderr, &report.gaps);
	if (conv->opts.check || conv->opts.require_complete)
		complain(why);
	return conv->opts.require_complete && !complete ? RTAP_EXIT_LAW : RTAP_EXIT_OK;
}

static enum rtap_exit_code run(struct converter *conv) {
	char text[TOPIC_READER_TEXT_BYTES];
	uint64_t horizon_ns;
	enum rtap_exit_code code = RTAP_EXIT_OK;
	int rc = convert(conv, text);

	horizon_ns = topic_reader_horizon_ns(conv->reader);
	if (rc == 0 && conv->out != NULL)
		rc = write_statistics(conv, horizon_ns);
	if (conv->progress)
		fputs("\r", stderr);
	if (conv->failed)
		complain(text);
	if (rc < 0 && rc != -EPIPE) // a reader that has seen enough is no error
		fprintf(stderr, "kafka-to-pcap: %s: %s\n", conv->opts.file, strerror(-rc));
	if (!is_quiet(conv)) {
		code = report(conv, horizon_ns);
		if (rc < 0) // the last ones may not have been written
			fputs("at most ", stderr);
		print_counts(conv, "\n");
	}
	return conv->failed || (rc < 0 && rc != -EPIPE) ? RTAP_EXIT_FAILURE : code;
}

enum rtap_exit_code converter_run(const struct reader_options *opts) {
	struct converter *conv = calloc(1, sizeof(*conv));
	enum rtap_exit_code code;
	int rc;

	if (conv == NULL) {
		complain(strerror(ENOMEM));
		return RTAP_EXIT_FAILURE;
	}
	conv->opts = *opts;
	rc = open_all(conv);
	code = rc == 0 ? run(conv) : exit_code_of(rc);
	close_all(conv);
	free(conv);
	return code;
}
