// SPDX-License-Identifier: BSD-3-Clause
// A shared block with rings, as a primary leaves it.

#include "block.h"

#include "fuzz.h"

#include <string.h>

#define HEADER(member) PATCH_FIELD(#member, struct rtap_shm, header.member, 0)
#define ELEMENT(name, member, type) PATCH_FIELD(name, struct rtap_shm, member, sizeof(type))
#define RING(name, member)                                                                         \
	{                                                                                          \
		name, sizeof(struct rtap_shm) + offsetof(struct rte_ring, member),                 \
			sizeof(((struct rte_ring *)0)->member), BLOCK_RING_BYTES                   \
	}

const struct patch_field block_fields[] = {
	HEADER(magic),
	HEADER(version),
	HEADER(bytes),
	HEADER(nb_rings),
	HEADER(stamp_offset),
	ELEMENT("dpdk_version", header.dpdk_version[0], char),
	ELEMENT("slot.incarnation", slots[0].incarnation, struct rtap_shm_slot),
	ELEMENT("shared.size", rings[0].size, struct rtap_shm_ring),
	ELEMENT("shared.owner", rings[0].owner, struct rtap_shm_ring),
	RING("ring.size", size),
	RING("ring.mask", mask),
	RING("ring.capacity", capacity),
	RING("ring.flags", flags),
	RING("ring.prod.head", prod.head),
	RING("ring.prod.tail", prod.tail),
	RING("ring.prod.sync", prod.sync_type),
	RING("ring.cons.head", cons.head),
	RING("ring.cons.tail", cons.tail),
	RING("ring.cons.sync", cons.sync_type),
	{"word", 0, 8, 8}, // any word of all
};

const size_t block_nb_fields = sizeof(block_fields) / sizeof(block_fields[0]);

struct rte_ring *block_ring(struct rtap_shm *shm, unsigned int i) {
	return (struct rte_ring *)((char *)shm + sizeof(*shm) + i * BLOCK_RING_BYTES);
}

void block_build(struct rtap_shm *shm) {
	memset(shm, 0, BLOCK_BYTES);
	shm->header = (struct rtap_shm_header){
		.magic = RTAP_SHM_MAGIC,
		.version = RTAP_SHM_VERSION,
		.bytes = sizeof(*shm),
		.dpdk_version = BLOCK_DPDK_VERSION,
		.nb_rings = BLOCK_RINGS,
		.stamp_offset = sizeof(struct rte_mbuf) - sizeof(struct rtap_packet_stamp),
	};
	for (unsigned int i = 0; i < BLOCK_RINGS; i++) {
		struct rtap_shm_ring *shared = &shm->rings[i];

		snprintf(shared->name, sizeof(shared->name), "ring%u", i);
		shared->size = BLOCK_RING_SIZE;
		REQUIRE(rte_ring_init(
				block_ring(shm, i), shared->name, BLOCK_RING_SIZE,
				RING_F_SP_ENQ | RING_F_SC_DEQ
			)
			== 0);
	}
}
