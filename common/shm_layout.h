// SPDX-License-Identifier: BSD-3-Clause
// Lay out the block in hugepages that the primary and its secondaries share.
//
// The block and the transmit rings stand on hugepages of their own ("control zones"), the only ones
// that a transmit worker can write to: packet memory and EAL's own files are read-only there.
// Neither side trusts what the other wrote further than it has checked it. Times are
// CLOCK_MONOTONIC in ns unless said otherwise.

#pragma once

#include "attributes.h"
#include "counters.h"
#include "fixed_limits.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

#define RTAP_SHM_ZONE "rtap_control" // memzone of the block; zones on further nodes have a suffix
#define RTAP_SHM_MAGIC UINT64_C(0x314d485350415452) // "RTAPSHM1", little-endian
#define RTAP_SHM_VERSION 3

// What a receive worker writes into each packet: a field of the mbuf, registered by the primary
// under this name.
#define RTAP_STAMP_FIELD "rtap_dynfield_stamp"
struct rtap_packet_stamp {
	uint64_t time_ns; // capture time, since the epoch, UTC
	// Of the packets meant for its ring, from 1 on, those that were dropped because it was full
	// included: a gap is a loss.
	uint64_t sequence;
	uint64_t wire_bytes; // its length before snaplen
};

// An incarnation is one life of a worker at a slot: a 64-bit number that is never used twice, never
// 0. Its low 8 bits are the slot, the others the time at which a worker took it (CLOCK_MONOTONIC in
// ns, of which 56 bits last for two years): no word that a stray write could set back.
#define RTAP_INCARNATION(taken_ns, slot) ((uint64_t)(taken_ns) << 8 | (uint64_t)(slot))
#define RTAP_INCARNATION_SLOT(incarnation) ((unsigned int)((incarnation)&0xff))
static_assert(RTAP_MAX_SLOTS <= 256, "a slot fits the low bits of an incarnation");

struct rtap_shm_slot {
	// Writer: the worker that holds the lock of the slot's byte in the file `slots`.
	RTAP_CACHE_ALIGNED _Atomic uint64_t incarnation;
	_Atomic uint64_t heartbeat_ns;
	_Atomic uint64_t started_us; // UTC
	_Atomic uint32_t state; // enum rtap_worker_state
	_Atomic int32_t pid;
	_Atomic int32_t supervisor_pid;
};

struct rtap_shm_ring {
	// Writer: the primary.
	RTAP_CACHE_ALIGNED char name[32];
	uint32_t size; // power of two, of the rte_ring
	_Atomic uint64_t assigned; // incarnation of the worker that shall serve it, 0 = none
	_Atomic uint32_t quarantined; // its tail was corrupted; no worker serves it

	// Incarnation of the worker that serves it, 0 = free. A worker takes it by compare-and-swap
	// from 0 and clears it when its window is empty; anyone may clear the word of a dead owner.
	RTAP_CACHE_ALIGNED _Atomic uint64_t owner;
};

// Constant once `magic` is set. Writer: the primary. A secondary copies it once, checks the copy,
// and uses no other: transmit workers can write to the block.
struct rtap_shm_header {
	uint64_t magic;
	uint32_t version;
	uint32_t bytes; // sizeof(struct rtap_shm)
	char dpdk_version[40];
	uint8_t boot_id[RTAP_BOOT_ID_SIZE];
	uint32_t nb_rings;
	int32_t stamp_offset; // of struct rtap_packet_stamp in an mbuf, bytes
};

struct rtap_shm {
	struct rtap_shm_header header;

	// Writer: the primary's control thread.
	RTAP_CACHE_ALIGNED _Atomic uint32_t state; // enum rtap_instance_state

	struct rtap_shm_slot slots[RTAP_MAX_SLOTS];
	struct rtap_shm_ring rings[RTAP_MAX_RINGS];
};

static_assert(sizeof(struct rtap_shm_slot) == 64, "one cache line a slot");
static_assert(sizeof(struct rtap_shm_ring) == 128, "owner word on a line of its own");
