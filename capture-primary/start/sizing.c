// SPDX-License-Identifier: BSD-3-Clause
// Compute the memory that an instance needs.

#include "sizing.h"

#include "shm_layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static uint64_t round_up(uint64_t value, uint64_t multiple) {
	return (value + multiple - 1) / multiple * multiple;
}

static uint32_t next_power_of_2(uint32_t value) {
	uint32_t power = 1;

	while (power < value)
		power <<= 1;
	return power;
}

static void node_compute(
	struct sizing_node *node, const struct sizing *s, const struct rtap_config *cfg,
	uint64_t page_bytes
) {
	uint32_t nb_queues = node->nb_ports * (uint32_t)cfg->receive_queues;
	uint64_t nb_rings = nb_queues * cfg->transmit_rings_per_queue;
	uint64_t slots_bytes = (uint64_t)s->ring_size * sizeof(void *);
	uint64_t per_page = page_bytes / s->buffer_bytes;
	uint64_t bytes;

	if (node->nb_ports == 0)
		return;
	// Budget, descriptors, a burst in hand and the part of a chain that a device may hold per
	// queue; an lcore's cache may hold one and a half times its size.
	node->nb_buffers = nb_queues
			* (s->queue_budget + (uint32_t)cfg->receive_descriptors
			   + (uint32_t)(cfg->burst_size * 2))
		+ s->nb_lcores * SIZING_CACHE * 2;
	// No buffer crosses a page.
	node->pool_bytes = node->nb_buffers / per_page * page_bytes
		+ node->nb_buffers % per_page * s->buffer_bytes
		+ next_power_of_2(node->nb_buffers + 1) * sizeof(void *);
	node->control_bytes = round_up(
		sizeof(struct rtap_shm) + nb_rings * (SIZING_RING_BYTES + slots_bytes), page_bytes
	);
	node->held_bytes = nb_rings * slots_bytes;
	// What lies after a zone of whole pages moves it by up to a page.
	bytes = node->pool_bytes + node->control_bytes + node->held_bytes
		+ (page_bytes > SIZING_EAL_BYTES ? page_bytes : SIZING_EAL_BYTES);
	node->socket_mem_mib = round_up(bytes, page_bytes) / RTAP_MIB;
}

int sizing_compute(
	struct sizing *s, const struct rtap_config *cfg, const uint32_t *ports_on_node,
	unsigned int nb_nodes, uint64_t page_bytes, uint32_t nb_lcores, uint64_t *least_bytes
) {
	uint32_t data_bytes = (uint32_t)round_up(cfg->mbuf_data_room_bytes, 64);
	uint64_t least_per_queue;

	memset(s, 0, sizeof(*s));
	s->nb_nodes = nb_nodes < RTAP_MAX_NODES ? nb_nodes : RTAP_MAX_NODES;
	s->nb_lcores = nb_lcores;
	for (unsigned int n = 0; n < s->nb_nodes; n++)
		s->nb_queues += ports_on_node[n] * (uint32_t)cfg->receive_queues;
	// An odd number of cache lines: a mempool spreads its objects over the memory channels.
	s->buffer_bytes = (SIZING_MBUF_BYTES + data_bytes + SIZING_OBJECT_HEADER_BYTES) | 64;

	least_per_queue = cfg->burst_size * 4 * s->buffer_bytes;
	if (cfg->buffer_memory_bytes < least_per_queue * s->nb_queues) {
		*least_bytes = least_per_queue * s->nb_queues;
		return -EINVAL;
	}
	s->queue_budget = (uint32_t)(cfg->buffer_memory_bytes / s->buffer_bytes / s->nb_queues);
	s->ring_size = next_power_of_2(s->queue_budget + 1);
	if (cfg->transmit_ring_size > 0)
		s->ring_size = (uint32_t)cfg->transmit_ring_size;
	for (unsigned int n = 0; n < s->nb_nodes; n++) {
		s->nodes[n].nb_ports = ports_on_node[n];
		node_compute(&s->nodes[n], s, cfg, page_bytes);
		s->total_bytes += s->nodes[n].socket_mem_mib * RTAP_MIB;
	}
	return 0;
}

void sizing_print(const struct sizing *s, const struct rtap_config *cfg, FILE *out) {
	static const uint32_t rates_kpps[] = {10, 100, 1000, 5000, 10000};
	uint64_t most = cfg->transmit_rings_per_queue * (s->ring_size - 1);
	uint64_t per_queue = most < s->queue_budget ? most : s->queue_budget;

	fprintf(out, "# memory\n");
	fprintf(out, "#   one buffer: %" PRIu32 " bytes (%" PRIu64 " data room)\n", s->buffer_bytes,
		cfg->mbuf_data_room_bytes);
	fprintf(out, "#   budget of a receive queue: %" PRIu32 " buffers, %" PRIu32 " queues\n",
		s->queue_budget, s->nb_queues);
	fprintf(out, "#   a transmit ring: %" PRIu32 " slots, room for %" PRIu32 " packets\n",
		s->ring_size, s->ring_size - 1);
	for (unsigned int n = 0; n < s->nb_nodes; n++) {
		const struct sizing_node *node = &s->nodes[n];

		if (node->socket_mem_mib == 0)
			continue;
		if (node->nb_ports == 0) {
			fprintf(out, "#   node %u: the main lcore's\n", n);
			fprintf(out, "#           hugepages %" PRIu64 " MiB\n",
				node->socket_mem_mib);
			continue;
		}
		fprintf(out, "#   node %u: mempool %" PRIu32 " buffers, %" PRIu64 " MiB\n", n,
			node->nb_buffers, node->pool_bytes / RTAP_MIB);
		fprintf(out, "#           transmit rings and shared block %" PRIu64 " MiB\n",
			node->control_bytes / RTAP_MIB);
		fprintf(out, "#           receive workers' copies of the rings %" PRIu64 " MiB\n",
			node->held_bytes / RTAP_MIB);
		fprintf(out, "#           EAL and drivers %" PRIu64 " MiB\n",
			SIZING_EAL_BYTES / RTAP_MIB);
		fprintf(out, "#           hugepages %" PRIu64 " MiB\n", node->socket_mem_mib);
	}
	fprintf(out, "#   hugepages in all: %" PRIu64 " MiB\n", s->total_bytes / RTAP_MIB);
	fprintf(out,
		"# the rings ride out a stalled Kafka (frames of one buffer, evenly spread) for\n");
	for (unsigned int i = 0; i < sizeof(rates_kpps) / sizeof(rates_kpps[0]); i++)
		fprintf(out, "#   %10.3f s at %5" PRIu32 ",000 packets/s\n",
			(double)(per_queue * s->nb_queues) / (rates_kpps[i] * 1000.0),
			rates_kpps[i]);
}
