// SPDX-License-Identifier: BSD-3-Clause
// A file of Ethernet frames: libpcap writes pcap, pcapng.c the other format, which libpcap only
// reads.

#include "pcap_output.h"

#include "now.h"
#include "pcapng.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPLICATION "kafka-to-pcap " RTAP_VERSION

struct pcap_output {
	FILE *file;
	enum pcap_output_format format;
	unsigned int nb_interfaces;
	pcap_t *pcap; // NULL for pcapng
	pcap_dumper_t *dumper; // closes the file
};

static int begin_pcap(struct pcap_output *out) {
	u_int precision = out->format == PCAP_OUTPUT_PCAP_NS ? PCAP_TSTAMP_PRECISION_NANO
							     : PCAP_TSTAMP_PRECISION_MICRO;

	out->pcap = pcap_open_dead_with_tstamp_precision(
		DLT_EN10MB, PCAP_OUTPUT_SNAPLEN, precision
	);
	if (out->pcap == NULL)
		return -ENOMEM;
	errno = 0;
	out->dumper = pcap_dump_fopen(out->pcap, out->file);
	if (out->dumper != NULL)
		return 0;
	return errno != 0 ? -errno : -EIO;
}

static int begin(struct pcap_output *out, const char *path) {
	out->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
	if (out->file == NULL)
		return -errno;
	if (out->format == PCAP_OUTPUT_PCAPNG)
		return pcapng_write_section(out->file, APPLICATION);
	return begin_pcap(out);
}

struct pcap_output *pcap_output_open(
	const char *path, enum pcap_output_format format, char error[static PCAP_OUTPUT_ERROR_BYTES]
) {
	struct pcap_output *out = calloc(1, sizeof(*out));
	int rc = -ENOMEM;

	signal(SIGPIPE, SIG_IGN);
	if (out != NULL) {
		out->format = format;
		rc = begin(out, path);
	}
	if (rc == 0)
		return out;
	snprintf(error, PCAP_OUTPUT_ERROR_BYTES, "%s: %s", path, strerror(-rc));
	if (out != NULL)
		pcap_output_close(out);
	return NULL;
}

void pcap_output_close(struct pcap_output *out) {
	if (out->dumper != NULL)
		pcap_dump_close(out->dumper);
	else if (out->file != NULL)
		fclose(out->file);
	if (out->pcap != NULL)
		pcap_close(out->pcap);
	free(out);
}

int pcap_output_interface(struct pcap_output *out, const char *name) {
	out->nb_interfaces++;
	if (out->format != PCAP_OUTPUT_PCAPNG)
		return 0;
	return pcapng_write_interface(out->file, name, PCAP_OUTPUT_SNAPLEN);
}

unsigned int pcap_output_nb_interfaces(const struct pcap_output *out) {
	return out->nb_interfaces;
}

static int error_of(const struct pcap_output *out) {
	if (!ferror(out->file))
		return 0;
	return errno != 0 ? -errno : -EIO;
}

static int write_pcap(
	struct pcap_output *out, uint64_t time_ns, const uint8_t *frame, bpf_u_int32 len,
	bpf_u_int32 wire_len
) {
	uint64_t unit_ns = out->format == PCAP_OUTPUT_PCAP_NS ? 1 : 1000;
	struct pcap_pkthdr header = {.caplen = len, .len = wire_len};

	header.ts.tv_sec = (time_t)(time_ns / RTAP_SECOND_NS);
	header.ts.tv_usec = (suseconds_t)(time_ns % RTAP_SECOND_NS / unit_ns);
	errno = 0;
	pcap_dump((u_char *)out->dumper, &header, frame); // keeps errors to itself
	return error_of(out);
}

int pcap_output_write(
	struct pcap_output *out, unsigned int interface, uint64_t time_ns, const uint8_t *frame,
	size_t len, size_t wire_len
) {
	uint32_t cut = (uint32_t)(len < PCAP_OUTPUT_SNAPLEN ? len : PCAP_OUTPUT_SNAPLEN);

	if (out->format != PCAP_OUTPUT_PCAPNG)
		return write_pcap(out, time_ns, frame, cut, (bpf_u_int32)wire_len);
	return pcapng_write_packet(out->file, interface, time_ns, frame, cut, (uint32_t)wire_len);
}

int pcap_output_statistics(
	struct pcap_output *out, unsigned int interface, uint64_t time_ns, uint64_t nb_received,
	uint64_t nb_dropped
) {
	if (out->format != PCAP_OUTPUT_PCAPNG)
		return 0;
	return pcapng_write_statistics(out->file, interface, time_ns, nb_received, nb_dropped);
}

int pcap_output_flush(struct pcap_output *out) {
	struct pollfd reader = {.fd = fileno(out->file)};

	errno = 0;
	if (fflush(out->file) != 0)
		return error_of(out);
	if (poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR) != 0)
		return -EPIPE;
	return 0;
}
