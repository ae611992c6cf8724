// SPDX-License-Identifier: BSD-3-Clause
// traffic-gen: varied frames, or those of a pcap file, to an interface or into a pcap file.

#include "frame_batch.h"
#include "interface_send.h"
#include "options.h"
#include "pcap_file.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXIT_USAGE 2
#define PCAP_FILE_START_US UINT64_C(1704067200000000) // 2024-01-01 00:00:00 UTC
#define NO_BUFFERS_WAIT_NS 50000

struct generator {
	struct traffic_options opts;
	struct frame_make *frames; // one of frames and replay is set
	struct pcap_reader *replay;
	int fd; // -1: no interface
	struct pcap_writer *writer; // of --pcap or --record; may be NULL
	struct frame_batch *batch;
	uint64_t start_ns; // monotonic
	uint64_t nb_filled, nb_sent, nb_bytes;
	bool at_end; // of the replayed file
};

static volatile sig_atomic_t stop;

static void on_signal(int signo) {
	stop = 1;
}

static int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int complain(const char *fmt, ...) {
	va_list args;

	va_start(args, fmt);
	fputs("traffic-gen: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	return -1;
}

static uint64_t now_ns(clockid_t clock) {
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void sleep_ns(uint64_t ns) {
	struct timespec pause = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

	nanosleep(&pause, NULL); // a signal ends it early, which is what it is for
}

// How many frames are due now, at most a batch; sleeps until there is one, 0 when stopped
// meanwhile.
static unsigned int frames_due(const struct generator *gen) {
	uint64_t left = gen->opts.count != 0 ? gen->opts.count - gen->nb_filled : FRAME_BATCH_SIZE;
	uint64_t due = FRAME_BATCH_SIZE;

	if (gen->fd >= 0 && gen->opts.rate != 0) {
		double elapsed_s, wait_s;

		elapsed_s = (double)(now_ns(CLOCK_MONOTONIC) - gen->start_ns) * 1e-9;
		wait_s = (double)(gen->nb_filled + 1) / (double)gen->opts.rate - elapsed_s;
		if (wait_s > 0) {
			// In steps, so that a stop during a long wait is seen even if it came just
			// before.
			sleep_ns((uint64_t)((wait_s < 0.1 ? wait_s : 0.1) * 1e9));
			return 0;
		}
		due = (uint64_t)(elapsed_s * (double)gen->opts.rate) - gen->nb_filled;
	}
	if (due > left)
		due = left;
	return due < FRAME_BATCH_SIZE ? (unsigned int)due : FRAME_BATCH_SIZE;
}

static int fill_frame(struct generator *gen, struct iovec *frame) {
	ssize_t len;

	if (gen->replay == NULL) {
		frame->iov_len = frame_make_next(gen->frames, frame->iov_base);
		return 1;
	}
	len = pcap_reader_next(gen->replay, frame->iov_base, FRAME_BATCH_FRAME_BYTES);
	if (len < 0)
		return complain(
			"%s: frame %" PRIu64 ": %s", gen->opts.replay, gen->nb_filled + 1,
			len == -EMSGSIZE ? "longer than 65536 bytes" : "damaged or empty"
		);
	frame->iov_len = (size_t)len;
	return len > 0;
}

static int fill_batch(struct generator *gen, unsigned int nb_frames) {
	struct frame_batch *batch = gen->batch;

	for (batch->nb_frames = 0; batch->nb_frames < nb_frames; batch->nb_frames++) {
		struct iovec *frame = &batch->frames[batch->nb_frames];
		int rc;

		frame->iov_base = batch->bytes[batch->nb_frames];
		rc = fill_frame(gen, frame);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			gen->at_end = true;
			return 0;
		}
		gen->nb_filled++;
	}
	return 0;
}

static uint64_t frame_time_us(const struct generator *gen) {
	uint64_t rate = gen->opts.rate != 0 ? gen->opts.rate : 1000000;

	if (gen->fd >= 0)
		return now_ns(CLOCK_REALTIME) / 1000;
	return PCAP_FILE_START_US + gen->nb_sent / rate * 1000000
		+ gen->nb_sent % rate * 1000000 / rate;
}

static void account(struct generator *gen, const struct iovec *frames, unsigned int nb_frames) {
	for (unsigned int i = 0; i < nb_frames; i++) {
		if (gen->writer != NULL)
			pcap_writer_add(
				gen->writer, frame_time_us(gen), frames[i].iov_base,
				frames[i].iov_len
			);
		gen->nb_sent++;
		gen->nb_bytes += frames[i].iov_len;
	}
}

static int complain_send(const struct generator *gen, int rc, size_t len) {
	if (rc == -EMSGSIZE)
		return complain(
			"%s: frame %" PRIu64
			" of %zu bytes is too long for it; raise its MTU or lower --max-frame",
			gen->opts.interface, gen->nb_sent + 1, len
		);
	return complain("%s: cannot send: %s", gen->opts.interface, strerror(-rc));
}

// Send all of the batch, as often as it takes, unless stopped.
static int send_batch(struct generator *gen) {
	struct frame_batch *batch = gen->batch;
	unsigned int done = 0;
	int rc;

	while (done < batch->nb_frames) {
		rc = interface_send(gen->fd, &batch->frames[done], batch->nb_frames - done);
		if (rc > 0) {
			account(gen, &batch->frames[done], (unsigned int)rc);
			done += (unsigned int)rc;
			continue;
		}
		if (stop)
			return 0;
		if (rc == -ENOBUFS)
			sleep_ns(NO_BUFFERS_WAIT_NS);
		else if (rc != -EINTR)
			return complain_send(gen, rc, batch->frames[done].iov_len);
	}
	return 0;
}

static int run(struct generator *gen) {
	int rc = 0;

	gen->start_ns = now_ns(CLOCK_MONOTONIC);
	while (rc == 0 && !stop && !gen->at_end
	       && (gen->opts.count == 0 || gen->nb_filled < gen->opts.count)) {
		rc = fill_batch(gen, frames_due(gen));
		if (rc < 0)
			break;
		if (gen->fd >= 0)
			rc = send_batch(gen);
		else
			account(gen, gen->batch->frames, gen->batch->nb_frames);
	}
	return rc;
}

static int open_source(struct generator *gen) {
	char error[PCAP_FILE_ERROR_BYTES];

	gen->batch = malloc(sizeof(*gen->batch));
	if (gen->batch == NULL)
		return complain("out of memory");
	if (gen->opts.replay != NULL) {
		gen->replay = pcap_reader_open(gen->opts.replay, error);
		return gen->replay != NULL ? 0 : complain("%s", error);
	}
	gen->frames = frame_make_create(&gen->opts.frames);
	return gen->frames != NULL ? 0 : complain("out of memory");
}

static int open_sink(struct generator *gen) {
	const char *file = gen->opts.pcap != NULL ? gen->opts.pcap : gen->opts.record;
	char error[PCAP_FILE_ERROR_BYTES];

	if (gen->opts.interface != NULL) {
		gen->fd = interface_send_open(gen->opts.interface);
		if (gen->fd < 0)
			return complain("%s: %s", gen->opts.interface, strerror(-gen->fd));
	}
	if (file == NULL)
		return 0;
	gen->writer = pcap_writer_open(file, error);
	return gen->writer != NULL ? 0 : complain("%s", error);
}

static int close_all(struct generator *gen) {
	int rc = gen->writer != NULL ? pcap_writer_close(gen->writer) : 0;

	if (rc < 0)
		complain("cannot write the pcap file: %s", strerror(-rc));
	if (gen->replay != NULL)
		pcap_reader_close(gen->replay);
	frame_make_destroy(gen->frames);
	free(gen->batch);
	return rc;
}

int main(int argc, char **argv) {
	struct sigaction action = {.sa_handler = on_signal}; // no SA_RESTART: a sleep ends
	struct generator gen = {.fd = -1};
	int rc = traffic_options_parse(&gen.opts, argc, argv);

	if (rc != 0)
		return rc > 0 ? EXIT_SUCCESS : EXIT_USAGE;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	rc = open_source(&gen);
	if (rc == 0)
		rc = open_sink(&gen);
	if (rc == 0) {
		rc = run(&gen);
		// With the frames themselves on stdout, there is no place for this line.
		if (gen.opts.pcap == NULL || strcmp(gen.opts.pcap, "-") != 0)
			printf("%" PRIu64 " frames sent, %" PRIu64 " bytes\n", gen.nb_sent,
			       gen.nb_bytes);
	}
	if (close_all(&gen) < 0)
		rc = -1;
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
