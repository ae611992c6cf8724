// SPDX-License-Identifier: BSD-3-Clause
// Turn what a driver counts into counters that only grow. Control thread only.

#pragma once

#include "counters.h"
#include "log.h"

#include <stdbool.h>
#include <stdint.h>

struct rte_eth_stats;

// One counter of a driver's.
struct nic_counter {
	bool comes_back; // its driver may show 0 for a while
	uint64_t last; // the driver's last value
	uint64_t fallen_from; // its value before it fell to 0, 0 = it did not
};

// Returns how much was added since the last call. A value below the last one means that the device
// started over, and sets *reset. With net_memif (22.11 to 24.11), 0 may also mean that its peer is
// away; it then shows its old sum again later. The next growth tells which: to the old sum or
// beyond, or from 0.
uint64_t nic_counter_advance(struct nic_counter *c, uint64_t value, bool *reset);

// Packets to report in the log, at most one line per minute.
struct nic_complaint {
	uint64_t unsaid;
	struct rtap_log_limit limit;
};

struct nic_counters {
	bool is_memif;
	const char *missed_why; // cause and remedy of missed packets with this driver
	struct nic_counter received, received_bytes, missed, errors, no_buffer;
	struct nic_complaint missed_said, no_buffer_said, malformed_said, cut_said, multiplied_said;
	uint64_t malformed, cut; // of the queues, as last seen
};

// Sums over the receive queues of a port, read before the driver was asked.
struct nic_queue_sums {
	uint16_t nb_queues;
	uint64_t received, malformed, cut;
};

void nic_counters_init(struct nic_counters *n, const char *driver);

// Advance the port's counters by what its driver says; log drops, malformed and cut packets, and a
// driver that hands over more packets than it counts.
void nic_counters_update(
	struct nic_counters *n, uint16_t port_id, const struct rte_eth_stats *stats,
	const struct nic_queue_sums *queues, struct rtap_port_counters *counters
);
