// SPDX-License-Identifier: BSD-3-Clause
// Compute the buffer sizes of net_memif's shared memory. Pure.
//
// The client makes the buffers, bsize bytes each, for both directions. A larger frame takes a chain
// of them, and net_memif mixes up frames where chains and single buffers alternate: before DPDK
// 23.11.7, 24.11.5, 25.11.1 and 26.03.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MEMIF_BUFFERS_SOCKET                                                                       \
	"/run/memif.sock" // the driver's default, abstract unless told otherwise

struct memif_buffers {
	bool server; // the peer's bsize counts, not ours
	bool zero_copy; // a client's: packet buffers themselves, bsize does not count
	bool has_bytes; // the arguments name bsize
	uint32_t bytes;
};

// Returns 0, or -EINVAL when bsize is not from 1 to 65535.
int memif_buffers_read(struct memif_buffers *buffers, const char *device);

// The bsize for frames of `bytes`: a multiple of 1 KiB, at most 65535.
uint32_t memif_buffers_size(uint32_t bytes);

// Whether net_memif of a DPDK version mixes chained frames up.
bool memif_buffers_mixes(unsigned int year, unsigned int month, unsigned int minor);
