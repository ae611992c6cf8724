// SPDX-License-Identifier: BSD-3-Clause
// Check that a packet's buffers hold what its driver says of them. Code that walks a packet would
// leave its buffers, or never end, if it trusted the driver:
//  - net_pcap (DPDK 22.11 to 25.11) stores a record of more than 65,535 bytes short by a multiple
//    of 65,536, and says the whole length in pkt_len;
//  - net_null with a size above the data room says that there is more data than the buffer holds.

#pragma once

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include <stdbool.h>
#include <stdint.h>

static inline bool packet_check_segment(const struct rte_mbuf *m) {
	return (uint32_t)m->data_off + m->data_len <= m->buf_len;
}

static inline bool packet_check_segments(const struct rte_mbuf *m) {
	const struct rte_mbuf *segment = m;
	uint32_t nb_bytes = 0;
	uint16_t nb_segs = 0;

	for (; segment != NULL && nb_segs < m->nb_segs; segment = segment->next, nb_segs++) {
		if (!packet_check_segment(segment))
			return false;
		nb_bytes += segment->data_len;
	}
	return segment == NULL && nb_segs == m->nb_segs && nb_bytes == m->pkt_len;
}

// Whether it has as many segments as it says, each within its buffer, together as long as it says.
// Does not read the second cache line of a packet in one buffer.
static inline bool packet_check(const struct rte_mbuf *m) {
	if (likely(m->nb_segs == 1))
		return m->data_len == m->pkt_len && packet_check_segment(m);
	return packet_check_segments(m);
}
