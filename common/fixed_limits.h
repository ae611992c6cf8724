// SPDX-License-Identifier: BSD-3-Clause
// Name the limits that the table of keys promises and that arrays are sized by. Not `limits.h`: it
// would hide that of the system.

#pragma once

#define RTAP_MAX_BURST 512 // packets that a receive worker takes at once
#define RTAP_MAX_WORKER_BURST 1024 // packets that a transmit worker hands over at once
#define RTAP_MAX_SLOTS 64 // transmit workers of an instance; a set of them is a uint64_t
#define RTAP_MAX_RINGS_PER_QUEUE 16
#define RTAP_MAX_RINGS 1024 // transmit rings of an instance
#define RTAP_MAX_NODES 8 // NUMA nodes with a pool of buffers
#define RTAP_MAX_ZONES RTAP_MAX_NODES // memzones of shared block and rings: one a node
