// SPDX-License-Identifier: BSD-3-Clause
// Read and write classic pcap files of Ethernet frames.

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PCAP_FILE_ERROR_BYTES 320

struct pcap_reader;

// NULL with `error` set: not readable, no pcap file, or no Ethernet. The caller closes it.
struct pcap_reader *pcap_reader_open(const char *path, char error[static PCAP_FILE_ERROR_BYTES]);
void pcap_reader_close(struct pcap_reader *reader);

// Copy the next frame into `buf`. Returns its length, 0 at the end of the file; -EMSGSIZE when it
// is longer than `size`, -EIO when the file is damaged or the frame is empty.
ssize_t pcap_reader_next(struct pcap_reader *reader, uint8_t *buf, size_t size);

struct pcap_writer;

// NULL with `error` set. "-" is stdout. The caller closes it.
struct pcap_writer *pcap_writer_open(const char *path, char error[static PCAP_FILE_ERROR_BYTES]);

// Append a frame; `time_us` since the epoch.
void pcap_writer_add(
	struct pcap_writer *writer, uint64_t time_us, const uint8_t *frame, size_t len
);

// Returns 0, or a negative errno when something could not be written. Frees the writer in any case.
int pcap_writer_close(struct pcap_writer *writer);
