// SPDX-License-Identifier: BSD-3-Clause
// Follow how each partition gets on.

#include "rdkafka_progress.h"

#include "now.h"

#include <stdlib.h>
#include <string.h>

// A refusal without anything out is a ring's back-off, which is shorter; or the ring is gone.
#define FORGET_NS (30 * RTAP_SECOND_NS)

static bool know_partition(struct rdkafka_progress *p, int32_t partition) {
	uint32_t nb = (uint32_t)partition + 1;
	struct partition_progress *partitions;

	if (partition < 0)
		return false;
	if (nb <= p->nb_partitions)
		return true;
	partitions = realloc(p->partitions, nb * sizeof(*partitions));
	if (partitions == NULL)
		return false;
	memset(partitions + p->nb_partitions, 0, (nb - p->nb_partitions) * sizeof(*partitions));
	p->partitions = partitions;
	p->nb_partitions = nb;
	return true;
}

void rdkafka_progress_offered(struct rdkafka_progress *p, int32_t partition) {
	if (know_partition(p, partition))
		p->partitions[partition].nb_out++;
}

static void scan(struct partition_progress *part, uint64_t now_ns) {
	bool waits = part->nb_out > 0 || part->refusal != 0;

	if (part->nb_out > 0)
		part->idle_ns = 0;
	else if (part->idle_ns == 0)
		part->idle_ns = now_ns;
	if (part->nb_out == 0 && now_ns - part->idle_ns >= FORGET_NS)
		part->refusal = 0;
	if (!waits)
		part->waiting_ns = 0;
	else if (part->waiting_ns == 0 || part->confirmed)
		part->waiting_ns = now_ns;
	part->confirmed = false;
}

uint32_t rdkafka_progress_scan(
	struct rdkafka_progress *p, uint64_t now_ns, uint64_t least_ns,
	struct partition_wait *waits, uint32_t max
) {
	uint32_t nb = 0;

	for (uint32_t i = 0; i < p->nb_partitions; i++) {
		struct partition_progress *part = &p->partitions[i];

		scan(part, now_ns);
		if (part->waiting_ns == 0 || now_ns - part->waiting_ns < least_ns)
			continue;
		if (nb < max)
			waits[nb] = (struct partition_wait
			){(int32_t)i, part->refusal, part->waiting_ns};
		nb++;
	}
	return nb;
}
