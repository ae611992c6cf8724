// SPDX-License-Identifier: BSD-3-Clause
// Plan the primary's hugepage memory, check that it is there, and start EAL.

#include "eal.h"

#include "config_schema.h"
#include "cpu_list.h"
#include "descriptors.h"
#include "eal_args.h"
#include "hugepages.h"
#include "log.h"
#include "pci_nics.h"
#include "shm_layout.h"

#include <rte_eal.h>
#include <rte_errno.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define LOG_TYPE "eal"

// Files that are open at a time, with some to spare: 23 were seen with a node and a queue, of which
// 5 are the node's; net_tap has two a queue, net_af_packet one.
#define FILES_OF_ALL 32
#define FILES_OF_A_NODE 8
#define FILES_OF_A_QUEUE 4

static void
count_ports(const struct rtap_config *cfg, uint32_t *ports_on_node, unsigned int nb_nodes) {
	unsigned int nb_masked = (unsigned int)__builtin_popcountll(cfg->port_mask);

	for (unsigned int i = 0; i < cfg->devices.nb_items; i++) {
		const char *device = cfg->devices.items[i];
		unsigned int node = rtap_config_device_is_pci(device) ? pci_nics_node(device) : 0;

		ports_on_node[node < nb_nodes ? node : 0]++;
	}
	if (cfg->devices.nb_items == 0)
		ports_on_node[0] = nb_masked > 0 ? nb_masked : 1;
}

// ethdev keeps what all ports share on the main lcore's node, and panics when that has no hugepage.
static void plan_main_node(const struct rtap_config *cfg, struct sizing *s, uint64_t page_bytes) {
	unsigned int n = hugepages_node_of_cpu((unsigned int)cfg->main_lcore);

	if (n >= s->nb_nodes || s->nodes[n].nb_ports > 0)
		return;
	s->nodes[n].socket_mem_mib = page_bytes / RTAP_MIB;
	s->total_bytes += page_bytes;
}

static uint32_t nb_lcores(const struct rtap_config *cfg) {
	struct rtap_cpu_list allowed = {0};
	uint32_t nb = cfg->receive_lcores.nb_cpus + 1;

	if (cfg->receive_lcores.nb_cpus == 0 && rtap_cpu_list_allowed(&allowed) == 0)
		nb = allowed.nb_cpus > 1 ? allowed.nb_cpus : 2;
	rtap_cpu_list_fini(&allowed);
	return nb;
}

int eal_plan(const struct rtap_config *cfg, struct sizing *s) {
	uint32_t ports_on_node[RTAP_MAX_NODES] = {0};
	unsigned int nb_nodes = hugepages_nb_nodes();
	uint64_t page = hugepages_bytes(cfg->hugepage_directory), least = 0, nb_rings = 0;
	char place[512];

	if (page == 0)
		page = 2 * RTAP_MIB;
	if (nb_nodes > RTAP_MAX_NODES)
		nb_nodes = RTAP_MAX_NODES;
	count_ports(cfg, ports_on_node, nb_nodes);
	for (unsigned int n = 0; n < nb_nodes; n++)
		nb_rings += ports_on_node[n] * cfg->receive_queues * cfg->transmit_rings_per_queue;
	if (nb_rings > RTAP_MAX_RINGS) {
		LOG(ERR,
		    "%s: %" PRIu64 " transmit rings, at most %u; lower receive-queues or "
		    "transmit-rings-per-queue",
		    rtap_config_place(cfg, "receive-queues", place, sizeof(place)), nb_rings,
		    RTAP_MAX_RINGS);
		return -EINVAL;
	}
	if (sizing_compute(s, cfg, ports_on_node, nb_nodes, page, nb_lcores(cfg), &least) == 0) {
		plan_main_node(cfg, s, page);
		return 0;
	}
	LOG(ERR,
	    "%s: %" PRIu64 " bytes are too few for %u receive queues with bursts of %" PRIu64
	    "; at least %" PRIu64,
	    rtap_config_place(cfg, "buffer-memory", place, sizeof(place)), cfg->buffer_memory_bytes,
	    s->nb_queues, cfg->burst_size, least);
	return -EINVAL;
}

static int
check_memory(const struct sizing *s, const struct rtap_config *cfg, unsigned int *socket_mem_mib) {
	uint64_t needed_mib[RTAP_MAX_NODES] = {0};

	for (unsigned int n = 0; n < s->nb_nodes; n++) {
		needed_mib[n] = s->nodes[n].socket_mem_mib;
		socket_mem_mib[n] = (unsigned int)needed_mib[n];
	}
	return hugepages_check(cfg, needed_mib, s->nb_nodes);
}

static int say_why_not(const struct rtap_config *cfg, int eal_errno) {
	char place[512];

	if (eal_errno == ENODEV) {
		LOG(ERR,
		    "%s: EAL knows no such device, its lines above name it; allowed: a driver's name "
		    "and a number (net_af_packet0, net_memif0, net_pcap0, net_tap0, net_vhost0), or a "
		    "PCI address as `dpdk-devbind.py --status` shows it",
		    rtap_config_place(cfg, "devices", place, sizeof(place)));
		return -ENODEV;
	}
	LOG(ERR, "EAL does not start: %s; the lines above say more",
	    eal_errno != 0 ? rte_strerror(eal_errno) : "without an error number");
	return eal_errno == ENOMEM ? -ENOMEM : -ECANCELED; // EAL's EINVAL and EBUSY are not ours
}

int eal_start(
	const struct rtap_config *cfg, const struct sizing *s, char *const *user_args,
	unsigned int nb_user_args
) {
	unsigned int socket_mem_mib[RTAP_MAX_NODES];
	struct rtap_cpu_list allowed = {0}, usable = {0};
	struct rtap_eal_args args = {0};
	struct rtap_config_error error = {0};
	struct rtap_eal_host host = {
		.program = "capture-primary",
		.allowed = &allowed,
		.usable = &usable,
		.socket_mem_mib = socket_mem_mib,
		.nb_sockets = s->nb_nodes,
		.user_args = user_args,
		.nb_user_args = nb_user_args,
	};
	int rc;

	rc = rtap_descriptors_raise(
		FILES_OF_ALL + FILES_OF_A_NODE * s->nb_nodes + FILES_OF_A_QUEUE * s->nb_queues
	);
	if (rc == 0)
		rc = check_memory(s, cfg, socket_mem_mib);
	if (rc < 0)
		return rc;
	rc = rtap_cpu_list_allowed(&allowed);
	if (rc == 0)
		rc = rtap_cpu_list_usable(&usable);
	if (rc == 0)
		rc = rtap_eal_args_primary(&args, cfg, &host, &error);
	if (rc < 0) {
		LOG(ERR, "%s", error.text[0] != '\0' ? error.text : strerror(-rc));
		return rc;
	}
	for (int i = 1; i < args.argc; i++)
		LOG(DEBUG, "EAL argument: %s", args.argv[i]);
	if (rte_eal_init(args.argc, args.argv) < 0)
		return say_why_not(cfg, rte_errno);
	rtap_cpu_list_fini(&allowed);
	rtap_cpu_list_fini(&usable);
	return 0; // args live on: EAL keeps pointers into them
}
