// SPDX-License-Identifier: BSD-3-Clause
// A pcap file of Ethernet frames, or the same on stdout, written as it goes.

#pragma once

#include <stddef.h>
#include <stdint.h>

#define PCAP_OUTPUT_SNAPLEN 262144 // the most that readers of pcap files take; the rest is cut off
#define PCAP_OUTPUT_MAX_TIME_US (UINT64_C(1000000) * UINT32_MAX + 999999) // what the format holds
#define PCAP_OUTPUT_ERROR_BYTES 320

struct pcap_output;

// "-" is stdout. NULL with `error` set. The caller closes it.
struct pcap_output *pcap_output_open(const char *path, char error[static PCAP_OUTPUT_ERROR_BYTES]);
void pcap_output_close(struct pcap_output *out);

// Append a frame. Returns 0 or a negative errno; -EPIPE when the reader is gone (SIGPIPE is ignored).
int pcap_output_write(struct pcap_output *out, uint64_t time_us, const uint8_t *frame, size_t len);

// Hand all that was written to the reader, and see whether there still is one. As above.
int pcap_output_flush(struct pcap_output *out);
