// SPDX-License-Identifier: BSD-3-Clause
// A pcap file of Ethernet frames: libpcap writes it.

#include "pcap_output.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct pcap_output {
	pcap_t *pcap;
	pcap_dumper_t *dumper;
};

struct pcap_output *pcap_output_open(const char *path, char error[static PCAP_OUTPUT_ERROR_BYTES]) {
	struct pcap_output *out = calloc(1, sizeof(*out));

	signal(SIGPIPE, SIG_IGN);
	if (out == NULL)
		goto no_memory;
	out->pcap = pcap_open_dead(DLT_EN10MB, PCAP_OUTPUT_SNAPLEN);
	if (out->pcap == NULL)
		goto no_memory;
	out->dumper = pcap_dump_open(out->pcap, path);
	if (out->dumper != NULL)
		return out;
	snprintf(error, PCAP_OUTPUT_ERROR_BYTES, "%s", pcap_geterr(out->pcap));
	pcap_close(out->pcap);
	free(out);
	return NULL;

no_memory:
	snprintf(error, PCAP_OUTPUT_ERROR_BYTES, "%s: out of memory", path);
	free(out);
	return NULL;
}

void pcap_output_close(struct pcap_output *out) {
	pcap_dump_close(out->dumper);
	pcap_close(out->pcap);
	free(out);
}

static int error_of(const struct pcap_output *out) {
	if (!ferror(pcap_dump_file(out->dumper)))
		return 0;
	return errno != 0 ? -errno : -EIO;
}

int pcap_output_write(struct pcap_output *out, uint64_t time_us, const uint8_t *frame, size_t len) {
	struct pcap_pkthdr header = {.len = (bpf_u_int32)len};

	header.caplen = len < PCAP_OUTPUT_SNAPLEN ? header.len : PCAP_OUTPUT_SNAPLEN;
	header.ts.tv_sec = (time_t)(time_us / 1000000);
	header.ts.tv_usec = (suseconds_t)(time_us % 1000000);
	errno = 0;
	pcap_dump((u_char *)out->dumper, &header, frame); // keeps errors to itself
	return error_of(out);
}

int pcap_output_flush(struct pcap_output *out) {
	struct pollfd reader = {.fd = fileno(pcap_dump_file(out->dumper))};

	errno = 0;
	if (pcap_dump_flush(out->dumper) != 0)
		return error_of(out);
	if (poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR) != 0)
		return -EPIPE;
	return 0;
}
