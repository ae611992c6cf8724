// SPDX-License-Identifier: BSD-3-Clause
// Follow how each partition gets on, by the messages themselves: what is out, what was confirmed,
// what came back and why. One thread. Pure: no EAL, no Kafka.

#pragma once

#include "sink.h"

#include <stdbool.h>
#include <stdint.h>

struct partition_progress {
	uint32_t nb_out; // messages offered and not yet reported for the last time
	int32_t refusal; // the client's error of the last one that came back, 0 = one arrived since
	bool confirmed; // one was, since the last scan
	uint64_t waiting_ns; // since when nothing is confirmed although something waits, 0 = not
	uint64_t idle_ns; // since when nothing is out
};

// One progress of all producers of a sink.
struct rdkafka_progress {
	struct partition_progress *partitions;
	uint32_t nb_partitions;
};

// A partition that waits.
struct partition_wait {
	int32_t partition;
	int32_t refusal;
	uint64_t since_ns;
};

// Without memory for a new partition, and for a negative one, nothing is noted.
void rdkafka_progress_offered(struct rdkafka_progress *p, int32_t partition);

// A last report came. `answered`: a broker confirmed the message, or it is proved bad. `refusal`:
// the client's error of one that comes back, else 0.
static inline void rdkafka_progress_reported(
	struct rdkafka_progress *p, int32_t partition, bool answered, int32_t refusal
) {
	struct partition_progress *part;

	if ((uint32_t)partition >= p->nb_partitions)
		return;
	part = &p->partitions[partition];
	part->nb_out -= part->nb_out > 0;
	if (answered) {
		part->confirmed = true;
		part->refusal = 0;
	} else if (refusal != 0) {
		part->refusal = refusal;
	}
}

// List partitions for which nothing was confirmed for at least `least_ns`. To be called every
// second or so: times are no finer than that. Returns how many there are, of which the first `max`
// are in waits[].
uint32_t rdkafka_progress_scan(
	struct rdkafka_progress *p, uint64_t now_ns, uint64_t least_ns,
	struct partition_wait *waits, uint32_t max
);
