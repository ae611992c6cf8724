// SPDX-License-Identifier: BSD-3-Clause
// The counters file of an instance: one tmpfs file, mapped by all, readable without EAL and root.
//
// Layout: struct rtap_counters_header, then the arrays of ports, queues, rings and slots at the
// offsets that the header names. Every word is 64 bits with one writer that stores it (release);
// readers load it (acquire): they see each counter grow and the writer's order of stores, but no
// common instant of several counters.

#pragma once

#include "attributes.h"
#include "byte_units.h"
#include "fixed_limits.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

#define RTAP_COUNTERS_MAGIC UINT64_C(0x31544e4350415452) // "RTAPCNT1", little-endian
#define RTAP_COUNTERS_VERSION 5
#define RTAP_COUNTERS_MAX_FILE (64 * RTAP_MIB)

#define RTAP_COUNTED_QUEUES 16 // of a port: DPDK's drivers add up the first 16 only
#define RTAP_BOOT_ID_SIZE 16

typedef _Atomic uint64_t rtap_counter_t;
static_assert(sizeof(rtap_counter_t) == 8, "counters are plain 64-bit words in the file");

enum rtap_instance_state {
	RTAP_STATE_STARTING,
	RTAP_STATE_CAPTURING, // READY was said
	RTAP_STATE_DRAINING, // receives no more, waits for the transmit workers
	RTAP_STATE_STOPPED, // the final balance is in the file
};

enum rtap_worker_state {
	RTAP_WORKER_NONE, // the slot was never used, or its worker is gone
	RTAP_WORKER_STARTING,
	RTAP_WORKER_SERVING,
	RTAP_WORKER_DRAINING, // reads no more, waits for reports
	RTAP_WORKER_LEFT, // ended in order, with an empty window
};

// What partitions wait for, for which nothing is confirmed although packets wait.
enum rtap_wait {
	RTAP_WAIT_NOTHING,
	RTAP_WAIT_BROKERS, // no broker can be reached
	RTAP_WAIT_TOPIC, // it does not exist, or is being made or deleted
	RTAP_WAIT_PERMISSION, // an ACL is missing
	RTAP_WAIT_LEADER, // cannot be reached
	RTAP_WAIT_ELECTION, // there is no leader
	RTAP_WAIT_REPLICAS, // fewer are in sync than min.insync.replicas
	RTAP_WAIT_QUOTA, // brokers hold this client back
	RTAP_WAIT_CLOCK, // brokers refuse the time of the packets
	RTAP_WAIT_REFUSED, // brokers refuse the packets for another reason
	RTAP_WAIT_ANSWER, // the leader does not answer, and no failure of its connection is known
	RTAP_NB_WAITS,
};

#define RTAP_COUNTER_WORD(name, unit, help) rtap_counter_t name;

// Writer: the primary; all but `state`, `updated_us` and the counters are constant once magic is
// set.
struct rtap_counters_header {
	uint64_t magic; // written last
	uint32_t version;
	uint32_t header_bytes; // sizeof of this struct, checked by the reader
	uint64_t file_bytes;
	uint32_t nb_ports, nb_queues, nb_rings, nb_slots;
	uint32_t port_bytes, queue_bytes, ring_bytes, slot_bytes; // sizeof of each element
	uint64_t ports_offset, queues_offset, rings_offset, slots_offset;
	uint8_t boot_id[RTAP_BOOT_ID_SIZE];
	int64_t primary_pid;
	uint64_t started_us; // UTC
	char instance[40];
	char dpdk_version[40];

	RTAP_CACHE_ALIGNED rtap_counter_t state; // enum rtap_instance_state
	rtap_counter_t updated_us; // UTC of the control thread's last round
#define RTAP_INSTANCE_COUNTER RTAP_COUNTER_WORD
#define RTAP_INSTANCE_GAUGE RTAP_COUNTER_WORD
#include "counters.def"
};

struct rtap_port_counters {
	RTAP_CACHE_ALIGNED uint64_t port_id;
	char name[64];
	char driver[32];
#define RTAP_PORT_COUNTER RTAP_COUNTER_WORD
#define RTAP_PORT_GAUGE RTAP_COUNTER_WORD
#include "counters.def"
};

struct rtap_queue_counters {
	RTAP_CACHE_ALIGNED uint32_t port_id, queue_id;
	uint32_t lcore_id, reserved;
	struct RTAP_CACHE_ALIGNED { // own line: the receive worker stores here at every burst
#define RTAP_QUEUE_COUNTER RTAP_COUNTER_WORD
#define RTAP_QUEUE_GAUGE RTAP_COUNTER_WORD
#include "counters.def"
	};
};

struct rtap_ring_counters {
	RTAP_CACHE_ALIGNED uint32_t port_id, queue_id;
	uint32_t ring_id; // within the queue
	uint32_t size; // packets it can hold
	char name[32];
	rtap_counter_t owner; // slot + 1 of its transmit worker, 0 = none; writer: control thread
	struct RTAP_CACHE_ALIGNED { // writer: receive worker
#define RTAP_RING_COUNTER RTAP_COUNTER_WORD
#define RTAP_RING_GAUGE RTAP_COUNTER_WORD
#include "counters.def"
	};
	struct RTAP_CACHE_ALIGNED { // writer: the owner
#define RTAP_OWNER_COUNTER RTAP_COUNTER_WORD
#define RTAP_OWNER_GAUGE RTAP_COUNTER_WORD
#include "counters.def"
	};
};

struct rtap_slot_counters {
	// Writer: the primary's control thread, copied from what the worker says of itself. A
	// reader takes a slot's gauges for real only while `state` is STARTING, SERVING or
	// DRAINING.
	RTAP_CACHE_ALIGNED rtap_counter_t state; // enum rtap_worker_state
	rtap_counter_t pid;
	rtap_counter_t supervisor_pid;
	rtap_counter_t started_us; // UTC
	rtap_counter_t heartbeat_us; // UTC of the last heartbeat that the primary saw
	struct RTAP_CACHE_ALIGNED { // writer: the transmit worker
#define RTAP_WORKER_COUNTER RTAP_COUNTER_WORD
#define RTAP_WORKER_GAUGE RTAP_COUNTER_WORD
#include "counters.def"
		rtap_counter_t waiting_for; // enum rtap_wait, of most of partitions_waiting
	};
};

#undef RTAP_COUNTER_WORD

static inline void rtap_counter_set(rtap_counter_t *counter, uint64_t value) {
	atomic_store_explicit(counter, value, memory_order_release);
}

static inline uint64_t rtap_counter_get(const rtap_counter_t *counter) {
	return atomic_load_explicit(counter, memory_order_acquire);
}

// For the one writer of the word only.
static inline void rtap_counter_add(rtap_counter_t *counter, uint64_t value) {
	rtap_counter_set(counter, rtap_counter_get(counter) + value);
}

struct rtap_counters_shape {
	uint32_t nb_ports, nb_queues, nb_rings, nb_slots;
};

// A mapped counters file. The arrays point into the mapping. `shape` was checked and lies out of
// reach of those who can write the file: it alone tells how long the arrays are, never the header.
struct rtap_counters {
	struct rtap_counters_header *header;
	struct rtap_port_counters *ports;
	struct rtap_queue_counters *queues;
	struct rtap_ring_counters *rings;
	struct rtap_slot_counters *slots;
	struct rtap_counters_shape shape;
	uint64_t mapped_bytes;
};
