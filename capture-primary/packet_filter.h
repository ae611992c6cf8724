// SPDX-License-Identifier: BSD-3-Clause
// Which packets are wanted: an expression of libpcap's, compiled once, run by librte_bpf on every packet.
// It means what `tcpdump -d` shows: VLAN tags are looked for in the frame.

#pragma once

#include "config.h"

#include <stddef.h>
#include <stdint.h>

struct rte_mbuf;
struct packet_filter;

// Whether libpcap understands the expression. Needs no EAL. Returns 0, or -EINVAL with `why` set.
int packet_filter_check(const char *expression, char *why, size_t size);

// Compile it. *filter is NULL for "", which wants every packet. Returns 0, or a negative errno with `why`
// set: -EINVAL for the expression, others for what BPF machine and memory refuse.
int packet_filter_create(
	struct packet_filter **filter, const char *expression, char *why, size_t size
);

// Move the wanted packets of a burst to its front, in order; the others stand behind them, in any order,
// and stay the caller's. At most 512 packets. Returns how many are wanted. Any thread.
uint16_t
packet_filter_run(const struct packet_filter *filter, struct rte_mbuf **pkts, uint16_t nb_pkts);

void packet_filter_destroy(struct packet_filter *filter);
