// SPDX-License-Identifier: BSD-3-Clause
// A pcap or pcapng file of Ethernet frames, or the same on stdout, written as it goes.

#pragma once

#include <stddef.h>
#include <stdint.h>

#define PCAP_OUTPUT_SNAPLEN 262144 // the most that readers of pcap files take; the rest is cut off
#define PCAP_OUTPUT_ERROR_BYTES 320

enum pcap_output_format {
	PCAP_OUTPUT_PCAP, // times in us
	PCAP_OUTPUT_PCAP_NS,
	PCAP_OUTPUT_PCAPNG, // times in ns, interfaces, drops
};

struct pcap_output;

// "-" is stdout. NULL with `error` set. The caller closes it.
struct pcap_output *pcap_output_open(
	const char *path, enum pcap_output_format format, char error[static PCAP_OUTPUT_ERROR_BYTES]
);
void pcap_output_close(struct pcap_output *out);

// Name the interface number `interface`: the next one, from 0 on. Only pcapng writes it down.
int pcap_output_interface(struct pcap_output *out, const char *name);
unsigned int pcap_output_nb_interfaces(const struct pcap_output *out);

// Append a frame of an interface that was named; times up to 2106. Returns 0 or a negative errno;
// -EPIPE when the reader is gone (SIGPIPE is ignored).
int pcap_output_write(
	struct pcap_output *out, unsigned int interface, uint64_t time_ns, const uint8_t *frame,
	size_t len, size_t wire_len
);

// What an interface received and dropped until then. Only pcapng writes it down. As above.
int pcap_output_statistics(
	struct pcap_output *out, unsigned int interface, uint64_t time_ns, uint64_t nb_received,
	uint64_t nb_dropped
);

// Hand all that was written to the reader, and see whether there still is one. As above.
int pcap_output_flush(struct pcap_output *out);
