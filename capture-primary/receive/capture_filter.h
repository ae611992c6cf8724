// SPDX-License-Identifier: BSD-3-Clause
// Select the packets to capture: a libpcap expression, compiled once and run by libpcap's
// bpf_filter() on every packet. It means what `tcpdump -r` takes: VLAN tags are looked for in the
// frame.

#pragma once

#include <stddef.h>
#include <stdint.h>

struct rte_mbuf;
struct capture_filter;

// Compile `expression`, in at most RTAP_FILTER_COMPILE_S seconds, before there are threads; needs
// no EAL. "" selects every packet and sets *filter to NULL. Returns 0, or a negative errno with one
// line in `why`: -EINVAL or -ETIME for the expression, -ENOMEM or what the child process failed
// with.
int capture_filter_create(
	struct capture_filter **filter, const char *expression, char *why, size_t size
);

// Move the selected packets of a burst to its front, in order; the others follow them. All stay the
// caller's. At most RTAP_MAX_BURST packets that packet_check() has passed. Returns how many are
// selected. Any thread.
uint16_t
capture_filter_run(const struct capture_filter *filter, struct rte_mbuf **pkts, uint16_t nb_pkts);

// Safe on NULL.
void capture_filter_destroy(struct capture_filter *filter);
