// SPDX-License-Identifier: BSD-3-Clause
// Start a device again that looks for its peer only when it starts.

#include "nic_reconnect.h"

#include "log.h"
#include "memif_server.h"
#include "now.h"
#include "rx_worker.h"

#include <rte_ethdev.h>

#define LOG_TYPE "port"

#define TRY_AGAIN_NS RTAP_SECOND_NS

static void pause_queues(struct rx_queue *queues, unsigned int nb_queues, bool paused) {
	for (unsigned int i = 0; i < nb_queues; i++)
		atomic_store_explicit(&queues[i].paused, paused, memory_order_release);
}

static bool all_rest(const struct rx_queue *queues, unsigned int nb_queues, bool rest) {
	for (unsigned int i = 0; i < nb_queues; i++)
		if (atomic_load_explicit(&queues[i].rests, memory_order_acquire) != rest)
			return false;
	return true;
}

int nic_reconnect_start(
	struct nic_reconnect *r, uint16_t port_id, struct rx_queue *queues, unsigned int nb_queues
) {
	if (!r->wanted)
		return rte_eth_dev_start(port_id);
	r->started = memif_server_is_there(r->device) && rte_eth_dev_start(port_id) == 0;
	if (r->started)
		return 0;
	pause_queues(queues, nb_queues, true);
	r->pausing = true;
	LOG(WARNING, "port %u: no memif server at its socket yet; trying again every second",
	    port_id);
	return 0;
}

// Returns whether no receive worker polls the queues. Each has to be seen at work before it is
// asked to pause, so that its answer is to this question and not to the one before.
static bool take_queues(struct nic_reconnect *r, struct rx_queue *queues, unsigned int nb_queues) {
	if (!r->pausing && all_rest(queues, nb_queues, false)) {
		pause_queues(queues, nb_queues, true);
		r->pausing = true;
	}
	return r->pausing && all_rest(queues, nb_queues, true);
}

static void give_queues(struct nic_reconnect *r, struct rx_queue *queues, unsigned int nb_queues) {
	if (r->pausing)
		pause_queues(queues, nb_queues, false);
	r->pausing = false;
}

void nic_reconnect_update(
	struct nic_reconnect *r, uint16_t port_id, bool link_up, struct rx_queue *queues,
	unsigned int nb_queues
) {
	uint64_t now_ns = rtap_monotonic_ns();

	if (link_up)
		give_queues(r, queues, nb_queues);
	if (!r->wanted || link_up || now_ns < r->next_ns || !take_queues(r, queues, nb_queues))
		return;
	r->next_ns = now_ns + TRY_AGAIN_NS;
	if (!memif_server_is_there(r->device))
		return;
	if (r->started)
		rte_eth_dev_stop(port_id);
	r->started = rte_eth_dev_start(port_id) == 0;
	if (r->started)
		give_queues(r, queues, nb_queues);
}
