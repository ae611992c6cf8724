// SPDX-License-Identifier: BSD-3-Clause
// Filter Ethernet frames: libpcap compiles and runs the expression.

#include "read_filter.h"

#include "filter_program.h"

#include <stdio.h>
#include <stdlib.h>

struct read_filter {
	struct bpf_program program;
};

struct read_filter *
read_filter_create(const char *expression, char error[static READ_FILTER_ERROR_BYTES]) {
	struct read_filter *filter = calloc(1, sizeof(*filter));

	if (filter == NULL) {
		snprintf(error, READ_FILTER_ERROR_BYTES, "out of memory");
		return NULL;
	}
	if (rtap_filter_compile(expression, &filter->program, error, READ_FILTER_ERROR_BYTES) == 0)
		return filter;
	free(filter);
	return NULL;
}

void read_filter_destroy(struct read_filter *filter) {
	if (filter == NULL)
		return;
	pcap_freecode(&filter->program);
	free(filter);
}

bool read_filter_matches(
	const struct read_filter *filter, const uint8_t *frame, size_t len, size_t wire_len
) {
	struct pcap_pkthdr header = {
		.caplen = (bpf_u_int32)len,
		.len = (bpf_u_int32)wire_len,
	};

	return pcap_offline_filter(&filter->program, &header, frame) != 0;
}
