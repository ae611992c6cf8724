// SPDX-License-Identifier: BSD-3-Clause
// Which packets are wanted: an expression of libpcap's, compiled once, run by libpcap's bpf_filter() on every
// packet. It means what `tcpdump -r` takes: VLAN tags are looked for in the frame.

#pragma once

#include <stddef.h>
#include <stdint.h>

struct rte_mbuf;
struct packet_filter;

// Compile it, within some seconds, before there are threads; needs no EAL. *filter is NULL for "", which
// wants every packet. Returns 0, or a negative errno with `why` set to one line: -EINVAL, -ETIME for the
// expression.
int packet_filter_create(
	struct packet_filter **filter, const char *expression, char *why, size_t size
);

// Move the wanted packets of a burst to its front, in order; the others stand after them, in any order,
// and stay the caller's. At most 512 packets, whose segments are as long as they say. Returns how many are
// wanted. Any thread.
uint16_t
packet_filter_run(const struct packet_filter *filter, struct rte_mbuf **pkts, uint16_t nb_pkts);

// Safe on NULL.
void packet_filter_destroy(struct packet_filter *filter);
