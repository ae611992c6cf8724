// SPDX-License-Identifier: BSD-3-Clause
// Create what the primary shares.

#include "control_zone.h"

#include "log.h"

#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_memzone.h>
#include <rte_ring.h>
#include <rte_tailq.h>
#include <rte_version.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOG_TYPE "memory"

static int find_page_size(const struct rte_memseg_list *list, void *arg) {
	uint64_t *page = arg;

	if (!list->external && (*page == 0 || list->page_sz < *page) && list->memseg_arr.count > 0)
		*page = list->page_sz;
	return 0;
}

// On whole pages of its own: packet memory is write-protected in transmit workers page by page.
// Where pages of several sizes are in use, EAL chooses: take what it has chosen for the size to
// round up to.
static const struct rte_memzone *
reserve_pages(const char *name, uint64_t least_bytes, unsigned int node, uint64_t *bytes) {
	const struct rte_memzone *mz;
	uint64_t page = 0;

	rte_memseg_list_walk(find_page_size, &page);
	for (;;) {
		*bytes = (least_bytes + page - 1) / page * page;
		mz = rte_memzone_reserve_aligned(name, *bytes, (int)node, 0, (unsigned int)page);
		if (mz == NULL || mz->hugepage_sz <= page)
			return mz;
		page = mz->hugepage_sz;
		rte_memzone_free(mz);
	}
}

static int reserve_zone(struct control_zone *z, const struct sizing *s, unsigned int node) {
	const struct rte_memzone *mz;
	char name[RTE_MEMZONE_NAMESIZE];
	uint64_t bytes;

	snprintf(name, sizeof(name), z->shm == NULL ? RTAP_SHM_ZONE : RTAP_SHM_ZONE "_%u", node);
	mz = reserve_pages(name, s->nodes[node].control_bytes, node, &bytes);
	if (mz == NULL) {
		LOG(ERR, "transmit rings: %" PRIu64 " bytes on node %u: %s", bytes, node,
		    rte_strerror(rte_errno));
		return -ENOMEM;
	}
	memset(mz->addr, 0, bytes);
	z->address[node] = mz->addr;
	z->bytes[node] = bytes;
	if (z->shm == NULL) {
		z->shm = mz->addr;
		z->used_bytes[node] = RTE_ALIGN_CEIL(sizeof(*z->shm), RTE_CACHE_LINE_SIZE);
	}
	return 0;
}

int control_zone_create(
	struct control_zone *z, const struct sizing *s, const uint8_t boot_id[RTAP_BOOT_ID_SIZE]
) {
	struct rtap_shm_header *h;
	int rc;

	memset(z, 0, sizeof(*z));
	for (unsigned int n = 0; n < s->nb_nodes; n++) {
		if (s->nodes[n].nb_ports == 0)
			continue;
		rc = reserve_zone(z, s, n);
		if (rc < 0)
			return rc;
	}
	h = &z->shm->header;
	h->version = RTAP_SHM_VERSION;
	h->bytes = sizeof(*z->shm);
	snprintf(h->dpdk_version, sizeof(h->dpdk_version), "%s", rte_version());
	memcpy(h->boot_id, boot_id, RTAP_BOOT_ID_SIZE);
	return 0;
}

// rte_ring_create() would take memory that shares pages with packets: make the ring here and enter
// it into EAL's list, so that it is found by name like any other.
static struct rte_ring *
ring_create(struct control_zone *z, unsigned int node, const char *name, uint32_t size) {
	struct rte_tailq_head *head = rte_eal_tailq_lookup(RTE_TAILQ_RING_NAME);
	struct rte_tailq_entry *entry = rte_zmalloc("rtap_ring", sizeof(*entry), 0);
	ssize_t bytes = rte_ring_get_memsize(size);
	struct rte_ring *ring;

	if (head == NULL || entry == NULL || bytes < 0
	    || z->used_bytes[node] + (uint64_t)bytes > z->bytes[node]) {
		rte_free(entry);
		return NULL;
	}
	ring = RTE_PTR_ADD(z->address[node], z->used_bytes[node]);
	if (rte_ring_init(ring, name, size, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
		rte_free(entry);
		return NULL;
	}
	z->used_bytes[node] += (uint64_t)bytes;
	entry->data = ring;
	rte_mcfg_tailq_write_lock();
	TAILQ_INSERT_TAIL(&head->tailq_head, entry, next);
	rte_mcfg_tailq_write_unlock();
	return ring;
}

static int add_ring(
	struct control_zone *z, const struct sizing *s, unsigned int node, struct rx_queue *q,
	unsigned int i
) {
	struct rtap_shm_ring *shared = &z->shm->rings[z->nb_rings];
	struct rte_mbuf **held;
	struct rte_ring *ring;

	snprintf(
		shared->name, sizeof(shared->name), "rtap_p%u_q%u_r%u", q->port_id, q->queue_id, i
	);
	ring = ring_create(z, node, shared->name, s->ring_size);
	// The primary's own copy of what it put there, out of reach of every transmit worker.
	held = rte_zmalloc_socket("rtap_held", s->ring_size * sizeof(*held), 64, (int)node);
	if (ring == NULL || held == NULL) {
		LOG(ERR, "transmit ring %s of %" PRIu32 " packets: no memory on node %u",
		    shared->name, s->ring_size, node);
		return -ENOMEM;
	}
	shared->size = s->ring_size;
	z->nb_rings++;
	rtap_ring_producer_init(&q->rings[i], ring, held);
	q->shared[i] = shared;
	return 0;
}

int control_zone_add_queue(
	struct control_zone *z, const struct sizing *s, const struct rtap_config *cfg,
	unsigned int node, struct rx_queue *q
) {
	int rc = 0;

	if (z->nb_rings + cfg->transmit_rings_per_queue > RTAP_MAX_RINGS) {
		LOG(ERR,
		    "more than %u transmit rings; lower receive-queues or transmit-rings-per-queue",
		    RTAP_MAX_RINGS);
		return -EINVAL;
	}
	q->nb_rings = (uint16_t)cfg->transmit_rings_per_queue;
	q->budget = s->queue_budget;
	for (unsigned int i = 0; rc == 0 && i < q->nb_rings; i++)
		rc = add_ring(z, s, node, q, i);
	return rc;
}

void control_zone_publish(struct control_zone *z, int stamp_offset) {
	z->shm->header.nb_rings = z->nb_rings;
	z->shm->header.stamp_offset = stamp_offset;
	__atomic_store_n(&z->shm->header.magic, RTAP_SHM_MAGIC, __ATOMIC_RELEASE);
}
