// SPDX-License-Identifier: BSD-3-Clause
// Watch the link of a port.

#include "nic_link.h"

#include "log.h"

#include <rte_ethdev.h>

#define LOG_TYPE "port"

static void say_state(uint16_t port_id, bool up, uint64_t speed_mbps) {
	if (!up)
		LOG(WARNING, "port %u: link down, waiting for it", port_id);
	else if (speed_mbps == 0)
		LOG(NOTICE, "port %u: link up, speed not known", port_id);
	else
		LOG(NOTICE, "port %u: link up, %u Mbit/s", port_id, (unsigned int)speed_mbps);
}

// Returns whether it changed; the first state is no change.
static bool note_state(struct nic_link *link, struct rtap_port_counters *counters, bool up) {
	if (link->known && up == (rtap_counter_get(&counters->link_up) != 0))
		return false;
	if (link->known)
		rtap_counter_add(&counters->link_changes, 1);
	rtap_counter_set(&counters->link_up, up);
	link->known = true;
	return true;
}

// Returns the interface's state, up where there is none.
static enum interface_watch_state
look_at_interface(struct nic_link *link, uint16_t port_id, struct rtap_port_counters *counters) {
	enum interface_watch_state state = INTERFACE_WATCH_UP;

	if (link->iface.index == 0)
		return state;
	state = interface_watch_look(&link->iface);
	if (link->gone
	    && state != INTERFACE_WATCH_GONE) // also the same one, from another network namespace
		state = INTERFACE_WATCH_REPLACED;
	if (state == INTERFACE_WATCH_UP || state == INTERFACE_WATCH_DOWN)
		return state;
	if (!link->gone) {
		note_state(link, counters, false);
		LOG(WARNING,
		    "port %u: link down: interface %s was deleted or moved away; waiting for one "
		    "of its name",
		    port_id, link->iface.name);
	}
	link->gone = true;
	link->replaced = state == INTERFACE_WATCH_REPLACED || link->own_iface;
	return INTERFACE_WATCH_GONE;
}

void nic_link_update(struct nic_link *link, uint16_t port_id, struct rtap_port_counters *counters) {
	enum interface_watch_state interface = look_at_interface(link, port_id, counters);
	struct rte_eth_link driver = {0};
	bool up;

	if (link->gone || rte_eth_link_get_nowait(port_id, &driver) != 0)
		return;
	if (driver.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN)
		driver.link_speed = 0;
	// net_af_packet of DPDK 24.11 asks for its interface by the name that it had at the start.
	up = link->iface.index != 0 ? interface == INTERFACE_WATCH_UP : driver.link_status != 0;
	rtap_counter_set(&counters->link_speed_mbps, driver.link_speed);
	if (note_state(link, counters, up))
		say_state(port_id, up, driver.link_speed);
}
