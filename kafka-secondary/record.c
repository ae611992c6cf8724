// SPDX-License-Identifier: BSD-3-Clause
// A packet as Kafka sees it.

#include "record.h"

void record_key(uint64_t capture_time_ns, uint8_t key[RECORD_KEY_BYTES]) {
	uint64_t us = capture_time_ns / 1000;

	for (int i = RECORD_KEY_BYTES - 1; i >= 0; i--) {
		key[i] = (uint8_t)us;
		us >>= 8;
	}
}

struct record_partitions record_partitions_of_ring(
	enum rtap_partitioner partitioner, uint32_t ring, uint32_t nb_rings, int32_t nb_partitions
) {
	struct record_partitions set = {.first = 0, .step = 1, .nb = nb_partitions};

	if (partitioner != RTAP_PARTITIONER_RING || nb_partitions <= 0)
		return set;
	if ((uint32_t)nb_partitions <= ring || nb_partitions < (int32_t)nb_rings) {
		set.first = (int32_t)(ring % (uint32_t)nb_partitions);
		set.nb = 1;
		return set;
	}
	set.first = (int32_t)ring;
	set.step = (int32_t)nb_rings;
	set.nb = (nb_partitions - (int32_t)ring + (int32_t)nb_rings - 1) / (int32_t)nb_rings;
	return set;
}
