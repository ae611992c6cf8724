// SPDX-License-Identifier: BSD-3-Clause
// Create the mempool of a NUMA node.

#include "packet_pool.h"

#include "log.h"

#include <rte_errno.h>
#include <rte_mbuf.h>

#include <inttypes.h>
#include <stdio.h>

#define LOG_TYPE "memory"

struct rte_mempool *
packet_pool_create(const struct sizing *s, unsigned int node, const struct rtap_config *cfg) {
	struct rte_mempool *pool;
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "rtap_mbufs_%u", node);
	pool = rte_pktmbuf_pool_create(
		name, s->nodes[node].nb_buffers, SIZING_CACHE, 0,
		(uint16_t)cfg->mbuf_data_room_bytes, (int)node
	);
	if (pool == NULL)
		LOG(ERR,
		    "mempool of %" PRIu32 " buffers on node %u: %s; free hugepages or lower "
		    "buffer-memory",
		    s->nodes[node].nb_buffers, node, rte_strerror(rte_errno));
	return pool;
}
