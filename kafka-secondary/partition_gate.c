// SPDX-License-Identifier: BSD-3-Clause
// One record, until Kafka has confirmed one.

#include "partition_gate.h"

#include <stdlib.h>
#include <string.h>

static struct partition_gate_state *state_of(struct partition_gate *gate, int32_t partition) {
	uint32_t nb = (uint32_t)partition + 1;
	struct partition_gate_state *grown;

	if (partition < 0)
		return NULL;
	if (nb <= gate->nb_partitions)
		return &gate->partitions[partition];
	grown = realloc(gate->partitions, nb * sizeof(*grown));
	if (grown == NULL)
		return NULL;
	memset(grown + gate->nb_partitions, 0, (nb - gate->nb_partitions) * sizeof(*grown));
	gate->partitions = grown;
	gate->nb_partitions = nb;
	return &grown[partition];
}

uint32_t
partition_gate_room(struct partition_gate *gate, int32_t partition, uint32_t nb, uint64_t now_ns) {
	struct partition_gate_state *s = state_of(gate, partition);

	if (s == NULL)
		return 0;
	if (s->in_flight == 0 && now_ns - s->delivered_ns > PARTITION_GATE_IDLE_NS)
		s->delivered_ns = 0; // as at the beginning
	if (s->delivered_ns != 0)
		return nb;
	return s->in_flight == 0 && nb > 0 ? 1 : 0;
}

void partition_gate_accept(struct partition_gate *gate, int32_t partition, uint32_t nb) {
	struct partition_gate_state *s = state_of(gate, partition);

	if (s != NULL)
		s->in_flight += nb;
}

void partition_gate_report(
	struct partition_gate *gate, int32_t partition, bool delivered, uint64_t now_ns
) {
	struct partition_gate_state *s = state_of(gate, partition);

	if (s == NULL)
		return;
	if (s->in_flight > 0)
		s->in_flight--;
	if (delivered)
		s->delivered_ns = now_ns;
}
