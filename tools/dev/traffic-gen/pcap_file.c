// SPDX-License-Identifier: BSD-3-Clause
// Read and write classic pcap files of Ethernet frames: libpcap does it.

#include "pcap_file.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPLEN 262144 // the most that readers of pcap files take

struct pcap_reader {
	pcap_t *pcap;
};

struct pcap_reader *pcap_reader_open(const char *path, char error[static PCAP_FILE_ERROR_BYTES]) {
	struct pcap_reader *reader;
	char why[PCAP_ERRBUF_SIZE];
	FILE *file = fopen(path, "rbe");

	if (file == NULL) {
		snprintf(error, PCAP_FILE_ERROR_BYTES, "%s: %s", path, strerror(errno));
		return NULL;
	}
	reader = malloc(sizeof(*reader));
	if (reader == NULL) {
		snprintf(error, PCAP_FILE_ERROR_BYTES, "%s: out of memory", path);
		goto close_file;
	}
	reader->pcap = pcap_fopen_offline(file, why);
	if (reader->pcap == NULL) {
		snprintf(error, PCAP_FILE_ERROR_BYTES, "%s: %s", path, why);
		goto close_file;
	}
	if (pcap_datalink(reader->pcap) != DLT_EN10MB) {
		snprintf(error, PCAP_FILE_ERROR_BYTES, "%s: holds no Ethernet frames", path);
		pcap_reader_close(reader); // and the file with it
		return NULL;
	}
	return reader;

close_file:
	fclose(file);
	free(reader);
	return NULL;
}

void pcap_reader_close(struct pcap_reader *reader) {
	pcap_close(reader->pcap);
	free(reader);
}

ssize_t pcap_reader_next(struct pcap_reader *reader, uint8_t *buf, size_t size) {
	struct pcap_pkthdr *header;
	const u_char *frame;
	int rc = pcap_next_ex(reader->pcap, &header, &frame);

	if (rc == PCAP_ERROR_BREAK)
		return 0;
	if (rc != 1 || header->caplen == 0)
		return -EIO;
	if (header->caplen > size)
		return -EMSGSIZE;
	memcpy(buf, frame, header->caplen);
	return header->caplen;
}

struct pcap_writer {
	pcap_t *pcap;
	pcap_dumper_t *dumper;
};

struct pcap_writer *pcap_writer_open(const char *path, char error[static PCAP_FILE_ERROR_BYTES]) {
	struct pcap_writer *writer = malloc(sizeof(*writer));

	if (writer == NULL)
		goto no_memory;
	writer->pcap = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	if (writer->pcap == NULL)
		goto free_writer;
	writer->dumper = pcap_dump_open(writer->pcap, path);
	if (writer->dumper == NULL) {
		snprintf(error, PCAP_FILE_ERROR_BYTES, "%s", pcap_geterr(writer->pcap));
		pcap_close(writer->pcap);
		free(writer);
		return NULL;
	}
	return writer;

free_writer:
	free(writer);
no_memory:
	snprintf(error, PCAP_FILE_ERROR_BYTES, "%s: out of memory", path);
	return NULL;
}

void pcap_writer_add(
	struct pcap_writer *writer, uint64_t time_us, const uint8_t *frame, size_t len
) {
	struct pcap_pkthdr header = {.caplen = (bpf_u_int32)len, .len = (bpf_u_int32)len};

	header.ts.tv_sec = (time_t)(time_us / 1000000);
	header.ts.tv_usec = (suseconds_t)(time_us % 1000000);
	pcap_dump((u_char *)writer->dumper, &header, frame);
}

int pcap_writer_close(struct pcap_writer *writer) {
	int rc = 0;

	// pcap_dump() and pcap_dump_close() keep errors to themselves.
	if (pcap_dump_flush(writer->dumper) != 0 || ferror(pcap_dump_file(writer->dumper)))
		rc = errno != 0 ? -errno : -EIO;
	pcap_dump_close(writer->dumper);
	pcap_close(writer->pcap);
	free(writer);
	return rc;
}
