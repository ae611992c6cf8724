// SPDX-License-Identifier: BSD-3-Clause
// The blocks of a pcapng file of Ethernet frames, as this machine orders bytes.
//
// Each is appended to `out`. Returns 0 or a negative errno.

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// The first block of a file.
int pcapng_write_section(FILE *out, const char *application);

// Interfaces have numbers from 0 on, in the order of their blocks.
int pcapng_write_interface(FILE *out, const char *name, uint32_t snaplen);

int pcapng_write_packet(
	FILE *out, uint32_t interface, uint64_t time_ns, const uint8_t *frame, uint32_t len,
	uint32_t wire_len
);

// How many packets were received by an interface up to `time_ns`, and how many of them were
// dropped.
int pcapng_write_statistics(
	FILE *out, uint32_t interface, uint64_t time_ns, uint64_t nb_received, uint64_t nb_dropped
);
