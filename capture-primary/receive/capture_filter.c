// SPDX-License-Identifier: BSD-3-Clause
// Select the packets to capture.

#include "capture_filter.h"

#include "errno_set.h"
#include "filter_program.h"
#include "fixed_limits.h"

#include <rte_mbuf.h>

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct capture_filter {
	struct bpf_program program;
};

int capture_filter_create(
	struct capture_filter **filter, const char *expression, char *why, size_t size
) {
	struct capture_filter *f;
	int rc;

	*filter = NULL;
	if (*expression == '\0')
		return 0;
	f = calloc(1, sizeof(*f));
	if (f == NULL) {
		snprintf(why, size, "out of memory");
		return errno_set(ENOMEM);
	}
	rc = rtap_filter_compile(expression, &f->program, why, size);
	if (rc < 0) {
		free(f);
		return rc;
	}
	*filter = f;
	return 0;
}

// `len` bytes of a frame of `wire_len` bytes.
static bool
matches(const struct capture_filter *filter, const void *data, uint32_t wire_len, uint32_t len) {
	const struct pcap_pkthdr header = {.caplen = len, .len = wire_len};

	return pcap_offline_filter(&filter->program, &header, data) != 0;
}

// libpcap wants one stretch. Beyond the longest frame that tcpdump keeps there is nothing to
// see.
static bool wants_segments(const struct capture_filter *filter, const struct rte_mbuf *m) {
	uint8_t flat[RTAP_FILTER_LONGEST_FRAME];
	uint32_t len = rte_pktmbuf_pkt_len(m) < sizeof(flat) ? rte_pktmbuf_pkt_len(m)
							     : (uint32_t)sizeof(flat);

	return matches(filter, rte_pktmbuf_read(m, 0, len, flat), rte_pktmbuf_pkt_len(m), len);
}

static bool wants(const struct capture_filter *filter, const struct rte_mbuf *m) {
	if (m->nb_segs > 1)
		return wants_segments(filter, m);
	return matches(
		filter, rte_pktmbuf_mtod(m, const void *), rte_pktmbuf_pkt_len(m),
		rte_pktmbuf_data_len(m)
	);
}

uint16_t
capture_filter_run(const struct capture_filter *filter, struct rte_mbuf **pkts, uint16_t nb_pkts) {
	struct rte_mbuf *others[RTAP_MAX_BURST];
	uint16_t nb_wanted = 0, nb_others = 0;

	for (uint16_t i = 0; i < nb_pkts; i++) {
		if (wants(filter, pkts[i]))
			pkts[nb_wanted++] = pkts[i];
		else
			others[nb_others++] = pkts[i];
	}
	memcpy(&pkts[nb_wanted], others, nb_others * sizeof(*others));
	return nb_wanted;
}

void capture_filter_destroy(struct capture_filter *filter) {
	if (filter == NULL)
		return;
	pcap_freecode(&filter->program);
	free(filter);
}
