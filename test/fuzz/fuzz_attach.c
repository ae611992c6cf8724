// SPDX-License-Identifier: BSD-3-Clause
// A block and rings that are corrupted before a secondary attaches: refused, or such that a
// transmit worker which serves every ring stays within them.

#include "block.h"
#include "fuzz.h"
#include "shm_check.h"
#include "transmit_ring.h"
#include "worker_slot.h"

#include <errno.h>
#include <sanitizer/asan_interface.h> // says nothing without ASan
#include <string.h>

static bool lies_within(const struct rte_ring *ring, const void *base, size_t bytes) {
	uintptr_t start = (uintptr_t)ring - (uintptr_t)base;

	return start <= bytes && bytes - start >= sizeof(*ring)
		&& (bytes - start - sizeof(*ring)) / sizeof(void *) >= ring->size;
}

// A transmit worker: the pointers that it reads are not followed here.
static void serve(struct rte_ring *ring) {
	struct rte_mbuf *pkts[2 * BLOCK_RING_SIZE];
	struct rtap_ring_consumer c;
	int nb;

	rtap_ring_take_over(&c, ring);
	nb = rtap_ring_read(&c, 0, pkts, 2 * BLOCK_RING_SIZE);
	if (nb > 0)
		rtap_ring_look_again(&c, 0, pkts, (unsigned int)nb);
	if (nb > 0)
		rtap_ring_read(&c, (uint32_t)nb, pkts, BLOCK_RING_SIZE);
}

static void serve_all(
	struct rtap_shm *shm, const struct rtap_shm_header *header, const struct shm_zones *zones
) {
	REQUIRE(header->nb_rings <= RTAP_MAX_RINGS);
	for (unsigned int i = 0; i < header->nb_rings; i++) {
		struct rte_ring *ring = block_ring(shm, i);

		// EAL's list tells where the rings are, and of none after the last one.
		if (i >= BLOCK_RINGS || !shm_check_ring(zones, shm->rings[i].size, ring))
			return;
		REQUIRE(lies_within(ring, shm, zones->zones[0].bytes));
		worker_slot_is_dead(shm, -1, atomic_load(&shm->rings[i].owner));
		serve(ring);
	}
}

static void fill_rings(struct rtap_shm *shm) {
	void *packets[BLOCK_RING_SIZE / 2] = {0};

	for (unsigned int i = 0; i < BLOCK_RINGS; i++)
		rte_ring_enqueue_bulk(block_ring(shm, i), packets, BLOCK_RING_SIZE / 2, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static _Alignas(BLOCK_PAGE) unsigned char memory[BLOCK_BYTES];
	struct rtap_shm *shm = (struct rtap_shm *)memory;
	struct shm_zones zones = {1, {{(uintptr_t)memory, BLOCK_BYTES}}};
	struct rtap_shm_header header;
	char why[256] = "";
	int rc;

	block_build(shm);
	fill_rings(shm);
	patch_lines(block_fields, block_nb_fields, shm, BLOCK_BYTES, data, size);
	// EAL may know of less memory than the block needs: nothing beyond it is touched.
	zones.zones[0].bytes = patch_value("length", BLOCK_BYTES, data, size) % (BLOCK_BYTES + 1);
	ASAN_POISON_MEMORY_REGION(
		memory + zones.zones[0].bytes, BLOCK_BYTES - zones.zones[0].bytes
	);
	rc = shm_check_block(&header, &zones, BLOCK_DPDK_VERSION, why, sizeof(why));
	REQUIRE(rc <= 0);
	REQUIRE(rc == 0 || rc == -ESRCH || rc == -EPROTO);
	REQUIRE((rc == 0) == (why[0] == '\0'));
	REQUIRE(size > 0 || rc == 0); // a sound one
	if (rc == 0)
		serve_all(shm, &header, &zones);
	ASAN_UNPOISON_MEMORY_REGION(memory, BLOCK_BYTES);
	return 0;
}
