// SPDX-License-Identifier: BSD-3-Clause
// Receive packets: free those that Kafka has, receive a burst, check, filter and snap its packets,
// pick a ring for each by flow hash, stamp it, put it there.
//
// One thread (lcore) per worker, with one or several receive queues. No lock, no system call and no
// log line while packets arrive.

#pragma once

#include "capture_filter.h"
#include "clock.h"
#include "config.h"
#include "counters.h"
#include "shm_layout.h"
#include "transmit_ring.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

// One receive queue and its transmit rings. While its receive worker runs, that alone writes it,
// except `paused`.
struct rx_queue {
	uint16_t port_id, queue_id;
	uint16_t nb_rings;
	bool trust_rss; // the NIC's hash is symmetric: use it to pick the ring
	bool device_clock; // packets carry the device's own time, in us
	uint64_t device_time_flag; // mbuf ol_flags bit, with device_clock
	int device_time_offset; // mbuf field, with device_clock
	uint32_t cut_bytes; // length of a packet that the device cut, 0 = it cuts none
	_Atomic bool paused; // must not be polled, its port stops; writer: control thread
	_Atomic bool rests; // is not polled; writer: receive worker
	uint32_t budget; // buffers that may be outstanding, on all rings together
	uint32_t outstanding; // buffers on the rings, not yet freed
	struct rtap_ring_producer rings[RTAP_MAX_RINGS_PER_QUEUE];
	// Of the last packet stamped for each ring, even if the ring was full.
	uint64_t last_ns[RTAP_MAX_RINGS_PER_QUEUE];
	uint64_t last_sequence[RTAP_MAX_RINGS_PER_QUEUE];
	struct rtap_queue_counters *counters;
	struct rtap_ring_counters *ring_counters[RTAP_MAX_RINGS_PER_QUEUE];
	struct rtap_shm_ring *shared[RTAP_MAX_RINGS_PER_QUEUE];
};

enum rx_phase {
	RX_CAPTURE,
	RX_RECLAIM, // receive no more, go on freeing
	RX_EXIT,
};

struct rx_worker {
	unsigned int lcore_id;
	unsigned int nb_queues;
	struct rx_queue **queues;
	const struct rtap_config *cfg;
	const struct rtap_clock *clock;
	int stamp_offset; // of struct rtap_packet_stamp in an mbuf
	const struct capture_filter *filter; // NULL = every packet
	_Atomic int phase; // enum rx_phase; writer: control thread
	_Atomic int obeyed; // the phase of its last complete round; writer: the worker
};

// Thread function for rte_eal_remote_launch(): runs until phase is RX_EXIT. `arg` is the worker.
int rx_worker_run(void *arg);
