// SPDX-License-Identifier: BSD-3-Clause
// kafka-to-pcap: the packets of a Kafka topic into a pcap file or to a reader of one, in time order.

#include "duplicate_filter.h"
#include "options.h"
#include "pcap_output.h"
#include "time_merge.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define MAX_HELD_BYTES ((size_t)256 << 20)
#define HELD_OVERHEAD_BYTES 256 // of librdkafka and ours for each packet, about
#define REMEMBERED_PACKETS ((size_t)1 << 20)

struct converter {
	struct options opts;
	struct topic_reader *reader;
	struct pcap_output *out;
	struct duplicate_filter *filter; // NULL: duplicates are kept
	struct time_merge merge;
	uint64_t nb_written, nb_duplicates, nb_late, nb_skipped;
	uint64_t last_packet_ms, last_progress_ms; // monotonic
	bool failed; // to read
	bool progress; // stderr is a terminal
};

static volatile sig_atomic_t stop;

static void on_signal(int signo) {
	stop = 1;
}

static int complain(const char *text) {
	fprintf(stderr, "kafka-to-pcap: %s\n", text);
	return -1;
}

static uint64_t now_ms(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
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

// Write what may leave, or everything. Returns 0 or a negative errno.
static int drain(struct converter *conv, bool flush) {
	struct packet *packet;
	const uint8_t *frame;
	uint64_t time_us;
	size_t len;
	bool late;
	int rc = 0;

	while (rc == 0 && !is_complete(conv)
	       && (packet = time_merge_pop(&conv->merge, flush, &time_us, &late)) != NULL) {
		frame = packet_frame(packet, &len);
		rc = pcap_output_write(conv->out, time_us, frame, len);
		packet_free(packet);
		if (rc == 0) {
			conv->nb_written++;
			conv->nb_late += late;
		}
	}
	return rc;
}

static int take(struct converter *conv, struct packet *packet, uint64_t time_us) {
	const uint8_t *frame;
	size_t len;

	conv->last_packet_ms = now_ms();
	frame = packet_frame(packet, &len);
	if (conv->filter != NULL && duplicate_filter_seen(conv->filter, time_us, frame, len)) {
		conv->nb_duplicates++;
		packet_free(packet);
		return 0;
	}
	if (time_merge_push(&conv->merge, time_us, packet, len + HELD_OVERHEAD_BYTES) < 0) {
		packet_free(packet);
		return -ENOMEM;
	}
	return drain(conv, false);
}

// Nothing new for as long as the window: nothing older is to be waited for.
static int rest(struct converter *conv) {
	uint64_t quiet_us = (now_ms() - conv->last_packet_ms) * 1000;
	int rc = drain(conv, quiet_us >= conv->opts.window_us);

	return rc < 0 ? rc : pcap_output_flush(conv->out);
}

static void show_progress(struct converter *conv) {
	if (!conv->progress || now_ms() - conv->last_progress_ms < 1000)
		return;
	conv->last_progress_ms = now_ms();
	fputs("\r", stderr);
	print_counts(conv, "");
}

static void skip(struct converter *conv, const char *text) {
	if (conv->nb_skipped++ == 0) // the rest are in the counts
		complain(text);
}

// Returns 0 at the end, a negative errno when writing failed. `text` is set when reading failed.
static int convert(struct converter *conv, char text[static TOPIC_READER_TEXT_BYTES]) {
	struct packet *packet;
	uint64_t time_us;
	int rc = 0;

	while (rc == 0 && !stop && !is_complete(conv)) {
		switch (topic_reader_next(conv->reader, &packet, &time_us, text)) {
		case TOPIC_PACKET:
			rc = take(conv, packet, time_us);
			break;
		case TOPIC_SKIPPED:
			skip(conv, text);
			break;
		case TOPIC_IDLE:
			rc = rest(conv);
			break;
		case TOPIC_END:
			return drain(conv, true);
		case TOPIC_FAILED:
			conv->failed = true;
			return drain(conv, true);
		}
		show_progress(conv);
	}
	return rc == 0 ? drain(conv, true) : rc;
}

static int open_all(struct converter *conv) {
	char text[TOPIC_READER_TEXT_BYTES];

	time_merge_init(&conv->merge, conv->opts.window_us, MAX_HELD_BYTES);
	conv->progress = isatty(STDERR_FILENO);
	conv->last_packet_ms = conv->last_progress_ms = now_ms();
	if (conv->opts.unique) {
		conv->filter = duplicate_filter_create(REMEMBERED_PACKETS);
		if (conv->filter == NULL)
			return complain(strerror(errno));
	}
	// The topic first: without one, no file is touched.
	conv->reader = topic_reader_open(&conv->opts.reader, text);
	if (conv->reader == NULL)
		return complain(text);
	conv->out = pcap_output_open(conv->opts.file, text);
	return conv->out != NULL ? 0 : complain(text);
}

static void close_all(struct converter *conv) {
	struct packet *packet;
	uint64_t time_us;
	bool late;

	while ((packet = time_merge_pop(&conv->merge, true, &time_us, &late)) != NULL)
		packet_free(packet);
	time_merge_fini(&conv->merge);
	duplicate_filter_destroy(conv->filter);
	if (conv->out != NULL)
		pcap_output_close(conv->out);
	if (conv->reader != NULL)
		topic_reader_close(conv->reader);
	free(conv->opts.reader.properties);
}

static int run(struct converter *conv) {
	char text[TOPIC_READER_TEXT_BYTES];
	int rc = convert(conv, text);

	if (rc == 0)
		rc = pcap_output_flush(conv->out);
	if (conv->progress)
		fputs("\r", stderr);
	if (conv->failed)
		complain(text);
	if (rc < 0 && rc != -EPIPE) // a reader that has seen enough is no error
		fprintf(stderr, "kafka-to-pcap: %s: %s\n", conv->opts.file, strerror(-rc));
	print_counts(conv, "\n");
	return conv->failed || (rc < 0 && rc != -EPIPE) ? -1 : 0;
}

int main(int argc, char **argv) {
	struct sigaction action = {.sa_handler = on_signal};
	struct converter conv = {0};
	int rc = options_parse(&conv.opts, argc, argv);

	if (rc != 0) {
		free(conv.opts.reader.properties);
		return rc > 0 ? EXIT_SUCCESS : EXIT_USAGE;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	rc = open_all(&conv);
	if (rc == 0)
		rc = run(&conv);
	close_all(&conv);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
