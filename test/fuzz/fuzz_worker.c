// SPDX-License-Identifier: BSD-3-Clause
// A transmit worker overwrote the block and the rings of a running instance: the primary
// quarantines rings and loses sight of workers, but stays within its memory.

#include "balance.h"
#include "block.h"
#include "fuzz.h"
#include "instance.h"
#include "lock_file.h"
#include "transmit_ring.h"
#include "worker_registry.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#define NB_LIVE_WORKERS 2
#define NB_PUT 5 // packets on each ring

#define COUNTERS(member) PATCH_FIELD("counters." #member, struct rtap_counters_header, member, 0)

static const struct patch_field ring_word = {"counters.rings", 0, 8, 8};

#define NB_HEADER_FIELDS (sizeof(header_fields) / sizeof(header_fields[0]))

static const struct patch_field header_fields[] = {
	COUNTERS(nb_ports), COUNTERS(nb_queues),        COUNTERS(nb_rings),
	COUNTERS(nb_slots), {"counters.word", 0, 8, 8}, // any of the header
};

// The file where the primary looks for locks; another description of it holds those of two slots.
static int open_slots(void) {
	int fd = memfd_create("slots", MFD_CLOEXEC), worker_fd;
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	worker_fd = open(path, O_RDWR | O_CLOEXEC);
	REQUIRE(worker_fd >= 0 && rtap_lock_write(worker_fd, 0, NB_LIVE_WORKERS) == 0);
	return fd;
}

// Each array with an end of its own, which ASan guards.
static void make_counters(struct rtap_counters *c) {
	*c = (struct rtap_counters){.shape = {.nb_rings = BLOCK_RINGS, .nb_slots = RTAP_MAX_SLOTS}};
	c->header = aligned_alloc(64, sizeof(*c->header));
	c->rings = aligned_alloc(64, BLOCK_RINGS * sizeof(*c->rings));
	c->slots = aligned_alloc(64, RTAP_MAX_SLOTS * sizeof(*c->slots));
	REQUIRE(c->header != NULL && c->rings != NULL && c->slots != NULL);
	memset(c->header, 0, sizeof(*c->header));
	memset(c->rings, 0, BLOCK_RINGS * sizeof(*c->rings));
	memset(c->slots, 0, RTAP_MAX_SLOTS * sizeof(*c->slots));
}

static void free_counters(struct rtap_counters *c) {
	free(c->header);
	free(c->rings);
	free(c->slots);
}

static void add_workers(struct rtap_shm *shm) {
	for (unsigned int i = 0; i < NB_LIVE_WORKERS; i++) {
		atomic_store(&shm->slots[i].incarnation, RTAP_INCARNATION(i + 1, i));
		atomic_store(&shm->slots[i].state, RTAP_WORKER_SERVING);
	}
}

static void add_rings(struct rtap_shm *shm, struct rtap_ring_producer *p) {
	static struct rte_mbuf *held[BLOCK_RINGS][BLOCK_RING_SIZE];

	for (unsigned int i = 0; i < BLOCK_RINGS; i++)
		rtap_ring_producer_init(&p[i], block_ring(shm, i), held[i]);
}

// Packets that somebody else holds, too: freed here means one holder less.
static struct rte_mbuf packets[NB_PUT];

static void put(struct rtap_ring_producer *p) {
	struct rte_mbuf *pkts[NB_PUT];

	for (unsigned int i = 0; i < NB_PUT; i++) {
		packets[i] = (struct rte_mbuf){.nb_segs = 1};
		rte_mbuf_refcnt_set(&packets[i], BLOCK_RINGS + 1);
		pkts[i] = &packets[i];
	}
	for (unsigned int i = 0; i < BLOCK_RINGS; i++)
		REQUIRE(rtap_ring_put(&p[i], pkts, NB_PUT) == NB_PUT);
}

// What a tail releases is what was put there, the oldest first, or the ring is quarantined.
static void work_on(struct rtap_ring_producer *p) {
	struct rte_mbuf *more[BLOCK_RING_SIZE] = {0};
	unsigned int nb_freed[BLOCK_RINGS], nb_holders;
	uint32_t nb_buffers;

	for (unsigned int i = 0; i < BLOCK_RINGS; i++) {
		nb_freed[i] = rtap_ring_reclaim(&p[i], &nb_buffers);
		REQUIRE(nb_freed[i] <= NB_PUT && nb_buffers == nb_freed[i]);
		REQUIRE(!p[i].quarantined || nb_freed[i] == 0);
	}
	for (unsigned int k = 0; k < NB_PUT; k++) {
		nb_holders = BLOCK_RINGS + 1;
		for (unsigned int i = 0; i < BLOCK_RINGS; i++)
			nb_holders -= k < nb_freed[i];
		REQUIRE(rte_mbuf_refcnt_read(&packets[k]) == nb_holders);
	}
	for (unsigned int i = 0; i < BLOCK_RINGS; i++)
		REQUIRE(rtap_ring_put(&p[i], more, BLOCK_RING_SIZE)
			<= BLOCK_RING_SIZE - 1 - NB_PUT + nb_freed[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static _Alignas(BLOCK_PAGE) unsigned char memory[BLOCK_BYTES];
	struct rtap_shm *shm = (struct rtap_shm *)memory;
	struct rtap_ring_producer producers[BLOCK_RINGS];
	struct rtap_counters counters;
	struct rtap_balance balance;
	struct worker_registry reg;
	static int slots_fd;

	if (slots_fd == 0)
		slots_fd = open_slots();
	make_counters(&counters);
	block_build(shm);
	add_workers(shm);
	add_rings(shm, producers);
	worker_registry_init(&reg, shm, &counters, slots_fd);
	worker_registry_update(&reg);
	REQUIRE(worker_registry_nb_workers(&reg) == NB_LIVE_WORKERS);
	put(producers);

	patch_lines(block_fields, block_nb_fields, shm, BLOCK_BYTES, data, size);
	patch_lines(
		header_fields, NB_HEADER_FIELDS, counters.header, sizeof(*counters.header), data,
		size
	);
	patch_lines(
		&ring_word, 1, counters.rings, BLOCK_RINGS * sizeof(*counters.rings), data, size
	);
	worker_registry_update(&reg);
	rtap_balance_compute(&counters, &balance);
	work_on(producers);
	worker_registry_update(&reg);
	free_counters(&counters);
	return 0;
}
