// SPDX-License-Identifier: BSD-3-Clause
// How many records a partition may be offered: one, until Kafka has confirmed one of this producer.
// Pure: no EAL, no Kafka.
//
// For the idempotent producer (order: strict) only. It keeps several requests on their way, and takes a
// report of a later one for a report of all before it, because a broker refuses a gap in the sequence
// numbers. But a broker that knows nothing yet of a producer takes any first number (Kafka,
// ProducerAppendInfo.checkSequence). So when the very first request of a producer to a partition is
// refused or lost, and the second one is not, the records of the first are reported as delivered and
// are nowhere. With one record on its way there is no second one. Brokers forget a producer that wrote
// nothing for producer.id.expiration.ms (a day): long before that it starts with one again.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct partition_gate_state {
	uint64_t delivered_ns; // when Kafka confirmed the last record, 0 = never
	uint32_t in_flight;
};

struct partition_gate {
	struct partition_gate_state *partitions;
	uint32_t nb_partitions;
};

#define PARTITION_GATE_IDLE_NS (UINT64_C(600) * 1000000000)

// How many of `nb` records of `partition` may be offered at `now_ns`: `nb`, 1 or 0. 0 also without
// memory for a partition that is new.
uint32_t
partition_gate_room(struct partition_gate *gate, int32_t partition, uint32_t nb, uint64_t now_ns);

// The client took `nb` of them; each comes back with one partition_gate_report().
void partition_gate_accept(struct partition_gate *gate, int32_t partition, uint32_t nb);
void partition_gate_report(
	struct partition_gate *gate, int32_t partition, bool delivered, uint64_t now_ns
);
