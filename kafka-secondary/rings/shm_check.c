// SPDX-License-Identifier: BSD-3-Clause
// Check that the shared block and its rings are as a primary of our build made them.

#include "shm_check.h"

#include <rte_ring.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

int shm_check_block(
	struct rtap_shm_header *header, const struct shm_zones *zones, const char *dpdk_version,
	char *why, size_t why_size
) {
	const struct rtap_shm_header *h;

	if (zones->nb > 0 && zones->zones[0].bytes < sizeof(struct rtap_shm)) {
		snprintf(
			why, why_size,
			"the shared block has %zu bytes, not %zu; restart the primary",
			(size_t)zones->zones[0].bytes, sizeof(struct rtap_shm)
		);
		return -EPROTO;
	}
	h = zones->nb > 0 ? (const void *)(uintptr_t)zones->zones[0].start : NULL;
	if (h == NULL || __atomic_load_n(&h->magic, __ATOMIC_ACQUIRE) != RTAP_SHM_MAGIC) {
		snprintf(why, why_size, "no shared block yet; wait until the primary is ready");
		return -ESRCH;
	}
	memcpy(header, h, sizeof(*header));
	if (header->version != RTAP_SHM_VERSION || header->bytes != sizeof(struct rtap_shm)) {
		snprintf(
			why, why_size,
			"layout of the shared block: the primary has version %u (%u bytes), this "
			"secondary %u (%zu bytes); use programs of one build",
			header->version, header->bytes, RTAP_SHM_VERSION, sizeof(struct rtap_shm)
		);
		return -EPROTO;
	}
	if (strncmp(header->dpdk_version, dpdk_version, sizeof(header->dpdk_version)) != 0) {
		snprintf(
			why, why_size,
			"the primary runs %.40s, this secondary %s; use programs of one build",
			header->dpdk_version, dpdk_version
		);
		return -EPROTO;
	}
	if (header->nb_rings > RTAP_MAX_RINGS) {
		snprintf(why, why_size, SHM_CHECK_CORRUPTED);
		return -EPROTO;
	}
	return 0;
}

static bool lies_within(const struct shm_zones *zones, const void *address, uint64_t bytes) {
	uint64_t start = (uint64_t)(uintptr_t)address;

	for (unsigned int i = 0; i < zones->nb; i++) {
		const struct shm_zone *z = &zones->zones[i];

		if (start >= z->start && z->bytes >= bytes && start - z->start <= z->bytes - bytes)
			return true;
	}
	return false;
}

bool shm_check_is_inside(const struct shm_zones *zones, const void *address) {
	return lies_within(zones, address, 1);
}

bool shm_check_ring(const struct shm_zones *zones, uint32_t size, const struct rte_ring *ring) {
	ssize_t bytes = rte_ring_get_memsize(size); // an error unless size is a power of two

	if (size < 2 || bytes < 0 || (uintptr_t)ring % RTE_CACHE_LINE_SIZE != 0
	    || !lies_within(zones, ring, (uint64_t)bytes))
		return false;
	return ring->size == size && ring->mask == size - 1 && ring->capacity == size - 1
		&& ring->prod.sync_type == RTE_RING_SYNC_ST
		&& ring->cons.sync_type == RTE_RING_SYNC_ST;
}
