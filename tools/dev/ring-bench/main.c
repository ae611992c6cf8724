// SPDX-License-Identifier: BSD-3-Clause
// ring-bench: packets per second that one transmit ring hands from a receive worker to a transmit
// worker. Both ends and the mempool are as in the programs; device and Kafka are left out.

#include "transmit_ring.h"

#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RING_SIZE 16384
#define NB_BUFFERS (2 * RING_SIZE - 1)
#define CACHE_SIZE 256
#define BURST 32
#define RUN_S 1

struct hand_off {
	struct rte_mempool *pool;
	struct rtap_ring_producer producer;
	struct rtap_ring_consumer consumer;
	uint64_t nb_delivered;
	atomic_bool stop;
};

static struct rte_mbuf *held[RING_SIZE];

static double now_s(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// The transmit worker's end: every packet counts as acknowledged with the next read.
static int deliver(void *arg) {
	struct hand_off *h = arg;
	struct rte_mbuf *pkts[BURST];
	int nb_pkts = 0;

	while (!atomic_load_explicit(&h->stop, memory_order_relaxed)) {
		nb_pkts = rtap_ring_read(&h->consumer, (uint32_t)nb_pkts, pkts, BURST);
		if (nb_pkts < 0)
			return nb_pkts;
		h->nb_delivered += (uint64_t)nb_pkts;
	}
	return 0;
}

// The receive worker's end, for RUN_S seconds.
static void receive(struct hand_off *h) {
	double end = now_s() + RUN_S;
	struct rte_mbuf *pkts[BURST];
	uint32_t nb_buffers;

	while (now_s() < end) {
		rtap_ring_reclaim(&h->producer, &nb_buffers);
		if (rte_pktmbuf_alloc_bulk(h->pool, pkts, BURST) == 0) {
			unsigned int nb_put = rtap_ring_put(&h->producer, pkts, BURST);

			rte_pktmbuf_free_bulk(&pkts[nb_put], BURST - nb_put);
		}
	}
}

static int run(struct hand_off *h) {
	unsigned int transmitter = rte_get_next_lcore(-1, 1, 0);
	double start = now_s();

	if (transmitter == RTE_MAX_LCORE) {
		fprintf(stderr, "ring-bench: needs two CPUs\n");
		return -1;
	}
	rte_eal_remote_launch(deliver, h, transmitter);
	receive(h);
	atomic_store(&h->stop, true);
	if (rte_eal_wait_lcore(transmitter) != 0) {
		fprintf(stderr, "ring-bench: the ring is not as it was left\n");
		return -1;
	}
	printf("%.0f packets/s\n", (double)h->nb_delivered / (now_s() - start));
	return 0;
}

// Hugepages as the primary has them, but of this process alone; no devices.
static int init_eal(void) {
	static char args[][16] = {"ring-bench", "--in-memory",    "-m128",        "--iova-mode=va",
				  "--no-pci",   "--no-telemetry", "--log-level=4"};
	char *argv[RTE_DIM(args) + 1] = {0};

	for (size_t i = 0; i < RTE_DIM(args); i++)
		argv[i] = args[i];
	return rte_eal_init(RTE_DIM(args), argv);
}

int main(int argc, char **argv) {
	struct hand_off h = {0};
	struct rte_ring *ring;

	if (argc > 1) {
		fprintf(stderr, "usage: ring-bench\nRuns for %d s and prints `N packets/s`.\n",
			RUN_S);
		return 2;
	}
	if (init_eal() < 0)
		return EXIT_FAILURE;
	ring = rte_ring_create("ring", RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	h.pool = rte_pktmbuf_pool_create(
		"pool", NB_BUFFERS, CACHE_SIZE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY
	);
	if (ring == NULL || h.pool == NULL) {
		fprintf(stderr, "ring-bench: no memory for the buffers\n");
		return EXIT_FAILURE;
	}
	rtap_ring_producer_init(&h.producer, ring, held);
	rtap_ring_take_over(&h.consumer, ring);
	return run(&h) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
