// SPDX-License-Identifier: BSD-3-Clause
// Compile a filter expression of libpcap's (man pcap-filter) to a BPF program for Ethernet frames.
//
// It means what `tcpdump -r FILE EXPRESSION` means: VLAN tags are looked for in the frame, and what
// only a live capture knows (inbound, ifindex) is refused in libpcap's words.

#pragma once

#include <pcap/pcap.h>
#include <stddef.h>

// libpcap's optimiser may take minutes for an expression of a few hundred nested terms.
#define RTAP_FILTER_COMPILE_S 10

#define RTAP_FILTER_LONGEST_FRAME 262144 // tcpdump's default snapshot length

// Compile `expression` in a child process that has RTAP_FILTER_COMPILE_S seconds. On success end
// *program with pcap_freecode(). Run it with bpf_filter(). Returns 0; -EINVAL for the expression or
// -ETIME, -ENOMEM and other errnos, with `why` set to one line.
int rtap_filter_compile(
	const char *expression, struct bpf_program *program, char *why, size_t size
);
