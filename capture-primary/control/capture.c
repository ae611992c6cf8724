// SPDX-License-Identifier: BSD-3-Clause
// Create and destroy everything that a running primary consists of.

#include "capture.h"

#include "cpu_neighbours.h"
#include "exit_code.h"
#include "hugepages.h"
#include "lock_file.h"
#include "log.h"
#include "nic_find.h"
#include "now.h"
#include "packet_pool.h"

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_memory.h>
#include <rte_version.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_TYPE "capture"

#define CLOSE_TIMEOUT_S 5

// Returns its offset in an mbuf, or a negative errno.
static int register_stamp(void) {
	static const struct rte_mbuf_dynfield field = {
		.name = RTAP_STAMP_FIELD,
		.size = sizeof(struct rtap_packet_stamp),
		.align = __alignof__(struct rtap_packet_stamp),
	};
	int offset = rte_mbuf_dynfield_register(&field);

	return offset >= 0 ? offset : -rte_errno;
}

static int create_memory(struct capture *cap, const uint8_t boot_id[RTAP_BOOT_ID_SIZE]) {
	uint32_t ports_on_node[RTAP_MAX_NODES] = {0};
	uint64_t least = 0;
	char place[512];

	for (unsigned int i = 0; i < cap->nb_ports; i++)
		ports_on_node[cap->ports[i].node]++;
	if (sizing_compute(
		    &cap->sizing, cap->cfg, ports_on_node, RTAP_MAX_NODES,
		    hugepages_bytes(cap->cfg->hugepage_directory), rte_lcore_count(), &least
	    )
	    < 0) {
		LOG(ERR, "%s: too few bytes for %u ports, at least %" PRIu64,
		    rtap_config_place(cap->cfg, "buffer-memory", place, sizeof(place)),
		    cap->nb_ports, least);
		return -EINVAL;
	}
	for (unsigned int n = 0; n < cap->sizing.nb_nodes; n++) {
		if (cap->sizing.nodes[n].nb_ports == 0)
			continue;
		cap->pools[n] = packet_pool_create(&cap->sizing, n, cap->cfg);
		if (cap->pools[n] == NULL)
			return -ENOMEM;
	}
	return control_zone_create(&cap->zone, &cap->sizing, boot_id);
}

static int configure_ports(struct capture *cap) {
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < cap->nb_ports; i++)
		rc = nic_port_configure(&cap->ports[i], cap->cfg, cap->pools[cap->ports[i].node]);
	return rc < 0 ? -EIO : 0; // the driver's own is in the line that was logged
}

static int create_queues(struct capture *cap) {
	int rc = 0;

	cap->nb_queues = cap->sizing.nb_queues;
	cap->queues = rte_zmalloc("rtap_queues", cap->nb_queues * sizeof(*cap->queues), 64);
	if (cap->queues == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; rc == 0 && i < cap->nb_queues; i++) {
		const struct nic_port *port = &cap->ports[i / cap->cfg->receive_queues];
		struct rx_queue *q = &cap->queues[i];

		q->port_id = port->port_id;
		q->queue_id = (uint16_t)(i % cap->cfg->receive_queues);
		q->trust_rss = port->symmetric_rss;
		q->cut_bytes = port->cut_bytes;
		q->device_clock = port->device_clock;
		q->device_time_flag = port->device_time_flag;
		q->device_time_offset = port->device_time_offset;
		rc = control_zone_add_queue(&cap->zone, &cap->sizing, cap->cfg, port->node, q);
	}
	return rc;
}

static void describe_ports(struct capture *cap) {
	for (unsigned int i = 0; i < cap->nb_ports; i++) {
		struct rtap_port_counters *c = &cap->counters.ports[i];

		c->port_id = cap->ports[i].port_id;
		snprintf(c->name, sizeof(c->name), "%s", cap->ports[i].name);
		snprintf(c->driver, sizeof(c->driver), "%s", cap->ports[i].driver);
	}
}

static void describe_queues(struct capture *cap) {
	struct rtap_ring_counters *ring = cap->counters.rings;

	for (unsigned int i = 0; i < cap->nb_queues; i++) {
		struct rx_queue *q = &cap->queues[i];

		q->counters = &cap->counters.queues[i];
		q->counters->port_id = q->port_id;
		q->counters->queue_id = q->queue_id;
		rtap_counter_set(&q->counters->budget, q->budget);
		for (unsigned int r = 0; r < q->nb_rings; r++, ring++) {
			q->ring_counters[r] = ring;
			ring->port_id = q->port_id;
			ring->queue_id = q->queue_id;
			ring->ring_id = r;
			ring->size = cap->sizing.ring_size - 1;
			snprintf(ring->name, sizeof(ring->name), "%s", q->shared[r]->name);
		}
	}
}

static int
create_counters(struct capture *cap, const uint8_t boot_id[RTAP_BOOT_ID_SIZE], gid_t gid) {
	const struct rtap_counters_shape shape = {
		.nb_ports = cap->nb_ports,
		.nb_queues = cap->nb_queues,
		.nb_rings = cap->zone.nb_rings,
		.nb_slots = RTAP_MAX_SLOTS,
	};
	struct rtap_counters_header *h;
	char path[512];
	int rc;

	rtap_instance_path(cap->inst, RTAP_FILE_COUNTERS, path, sizeof(path));
	rc = rtap_counters_create(&cap->counters, path, &shape, gid);
	if (rc < 0) {
		LOG(ERR, "counters file %s: %s", path, strerror(-rc));
		return rc;
	}
	h = cap->counters.header;
	memcpy(h->boot_id, boot_id, sizeof(h->boot_id));
	h->primary_pid = getpid();
	h->started_us = rtap_utc_ns() / 1000;
	snprintf(h->instance, sizeof(h->instance), "%s", cap->cfg->instance);
	snprintf(h->dpdk_version, sizeof(h->dpdk_version), "%s", rte_version());
	describe_ports(cap);
	describe_queues(cap);
	rtap_counters_publish(&cap->counters);
	return 0;
}

// Queues over lcores: those of the device's NUMA node first, round robin.
static unsigned int pick_worker(const struct capture *cap, unsigned int node, unsigned int *turn) {
	for (unsigned int i = 0; i < cap->nb_workers; i++) {
		unsigned int k = (*turn + i) % cap->nb_workers;

		if (rte_lcore_to_socket_id(cap->workers[k].lcore_id) == node) {
			*turn = k + 1;
			return k;
		}
	}
	return (*turn)++ % cap->nb_workers;
}

static int create_workers(struct capture *cap, int stamp_offset) {
	unsigned int lcore_id, turn = 0;

	cap->workers = rte_zmalloc("rtap_workers", rte_lcore_count() * sizeof(*cap->workers), 64);
	if (cap->workers == NULL)
		return -ENOMEM;
	RTE_LCORE_FOREACH_WORKER(lcore_id) {
		struct rx_worker *w = &cap->workers[cap->nb_workers++];

		w->lcore_id = lcore_id;
		w->cfg = cap->cfg;
		w->clock = &cap->clock;
		w->stamp_offset = stamp_offset;
		w->filter = cap->filter;
		w->queues = rte_zmalloc("rtap_workers", cap->nb_queues * sizeof(*w->queues), 0);
		if (w->queues == NULL)
			return -ENOMEM;
	}
	if (cap->nb_workers == 0) {
		LOG(ERR, "EAL has no lcore but the main one; name more under receive-lcores");
		return -EINVAL;
	}
	for (unsigned int i = 0; i < cap->nb_queues; i++) {
		struct rx_queue *q = &cap->queues[i];
		unsigned int node = cap->ports[i / cap->cfg->receive_queues].node;
		struct rx_worker *w = &cap->workers[pick_worker(cap, node, &turn)];

		w->queues[w->nb_queues++] = q;
		q->counters->lcore_id = w->lcore_id;
		LOG(NOTICE, "port %u queue %u: receive worker on lcore %u", q->port_id, q->queue_id,
		    w->lcore_id);
		if (rte_lcore_to_socket_id(w->lcore_id) != node)
			LOG(WARNING,
			    "port %u queue %u: lcore %u is on node %u, the device on node %u; "
			    "name lcores of node %u under receive-lcores",
			    q->port_id, q->queue_id, w->lcore_id,
			    rte_lcore_to_socket_id(w->lcore_id), node, node);
	}
	return 0;
}

static int deny_allocation(int node, size_t current, size_t new) {
	return -1;
}

// A forked worker would never see memory that came after it, and growing takes a lock that a killed
// secondary may have left behind.
static void freeze_memory(void) {
	for (unsigned int i = 0; i < rte_socket_count(); i++) {
		int node = rte_socket_id_by_idx(i);

		if (rte_mem_alloc_validator_register("rtap_freeze", deny_allocation, node, 1) < 0)
			LOG(WARNING, "node %d: memory is not frozen", node);
	}
}

static struct rx_queue *queues_of(const struct capture *cap, unsigned int port) {
	return &cap->queues[port * cap->cfg->receive_queues];
}

static int start(struct capture *cap) {
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < cap->nb_ports; i++)
		rc = nic_port_start(&cap->ports[i], queues_of(cap, i));
	// A port must be started before it is polled.
	for (unsigned int i = 0; rc == 0 && i < cap->nb_workers; i++)
		if (cap->workers[i].nb_queues > 0)
			rte_eal_remote_launch(
				rx_worker_run, &cap->workers[i], cap->workers[i].lcore_id
			);
	return rc < 0 ? -EIO : 0;
}

int capture_create(
	struct capture *cap, const struct rtap_config *cfg, const struct rtap_instance *inst,
	const struct capture_filter *filter, const uint8_t boot_id[RTAP_BOOT_ID_SIZE], gid_t gid
) {
	int stamp_offset, rc;

	memset(cap, 0, sizeof(*cap));
	cap->cfg = cfg;
	cap->inst = inst;
	cap->filter = filter;
	cap->slots_fd = rtap_lock_open(inst, RTAP_FILE_SLOTS);
	rc = nic_find_ports(cfg, cap->ports);
	if (rc < 0)
		return rc;
	cap->nb_ports = (unsigned int)rc;
	stamp_offset = register_stamp();
	if (stamp_offset < 0 || cap->slots_fd < 0) {
		LOG(ERR, "%s: %s", stamp_offset < 0 ? "mbuf field for the stamp" : inst->dir,
		    strerror(stamp_offset < 0 ? -stamp_offset : -cap->slots_fd));
		return stamp_offset < 0 ? stamp_offset : cap->slots_fd;
	}
	rc = create_memory(cap, boot_id);
	if (rc == 0)
		rc = configure_ports(cap);
	if (rc == 0)
		rc = create_queues(cap);
	if (rc < 0)
		return rc;
	rtap_clock_init(&cap->clock, rte_get_tsc_hz(), rte_rdtsc(), rtap_utc_ns());
	rc = create_counters(cap, boot_id, gid);
	if (rc == 0)
		rc = create_workers(cap, stamp_offset);
	if (rc < 0)
		return rc;
	cpu_neighbours_warn(inst, &cap->counters);
	worker_registry_init(&cap->registry, cap->zone.shm, &cap->counters, cap->slots_fd);
	rc = start(cap);
	if (rc < 0)
		return rc;
	freeze_memory();
	control_zone_publish(&cap->zone, stamp_offset);
	return 0;
}

void capture_update_ports(struct capture *cap) {
	for (unsigned int i = 0; i < cap->nb_ports; i++)
		if (!nic_port_update(&cap->ports[i], queues_of(cap, i), &cap->counters.ports[i]))
			cap->device_replaced = true;
}

void capture_set_phase(struct capture *cap, enum rx_phase phase) {
	static const struct timespec pause = {.tv_nsec = RTAP_MS_NS};

	for (unsigned int i = 0; i < cap->nb_workers; i++)
		atomic_store(&cap->workers[i].phase, phase);
	if (phase == RX_EXIT) {
		rte_eal_mp_wait_lcore();
		return;
	}
	for (unsigned int i = 0; i < cap->nb_workers; i++)
		while (cap->workers[i].nb_queues > 0
		       && atomic_load(&cap->workers[i].obeyed) != (int)phase)
			nanosleep(&pause, NULL);
}

void capture_set_state(struct capture *cap, enum rtap_instance_state state) {
	cap->state = state;
	atomic_store(&cap->zone.shm->state, state);
	rtap_counter_set(&cap->counters.header->state, state);
}

uint64_t capture_outstanding(const struct capture *cap) {
	uint64_t nb = 0;

	for (unsigned int i = 0; i < cap->nb_queues; i++)
		nb += rtap_counter_get(&cap->queues[i].counters->outstanding);
	return nb;
}

void capture_count_buffers(const struct capture *cap, uint64_t *nb_free, uint64_t *nb_all) {
	*nb_free = *nb_all = 0;
	for (unsigned int n = 0; n < RTAP_MAX_NODES; n++) {
		if (cap->pools[n] == NULL)
			continue;
		*nb_free += rte_mempool_avail_count(cap->pools[n]);
		*nb_all += cap->pools[n]->size;
	}
}

static void on_close_timeout(int signo) {
	static const char text[]
		= "capture-primary: a device does not close; leaving it to the kernel\n";
	ssize_t n;

	n = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)n;
	_exit(RTAP_EXIT_FAILURE);
}

void capture_destroy(struct capture *cap) {
	uint64_t nb_free, nb_all, left, missing, kept = 0;

	capture_set_phase(cap, RX_EXIT);
	left = capture_outstanding(cap); // from now on no worker frees any
	signal(SIGALRM, on_close_timeout);
	alarm(CLOSE_TIMEOUT_S);
	for (unsigned int i = 0; i < cap->nb_ports; i++)
		nic_port_stop(&cap->ports[i]);
	alarm(0);
	for (unsigned int i = 0; i < cap->nb_ports; i++)
		kept += cap->ports[i].nb_kept_buffers;
	capture_count_buffers(cap, &nb_free, &nb_all);
	missing = nb_all - nb_free - left;
	if (missing == 0)
		LOG(NOTICE, "mempool whole: %" PRIu64 " of %" PRIu64 " buffers back", nb_free,
		    nb_all);
	else if (missing <= kept)
		LOG(NOTICE,
		    "mempool whole: %" PRIu64 " of %" PRIu64 " buffers back, %" PRIu64
		    " kept by a driver",
		    nb_free, nb_all, missing);
	else
		LOG(WARNING,
		    "mempool: %" PRIu64 " of %" PRIu64 " buffers back, %" PRIu64
		    " on the rings, %" PRId64 " unaccounted for",
		    nb_free, nb_all, left, (int64_t)missing);
}
