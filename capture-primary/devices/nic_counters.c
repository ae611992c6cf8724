// SPDX-License-Identifier: BSD-3-Clause
// Turn what a driver counts into counters that only grow.

#include "nic_counters.h"

#include "now.h"

#include <rte_ethdev.h>

#include <inttypes.h>
#include <string.h>

#define LOG_TYPE "port"

#ifdef RTE_ETHDEV_QUEUE_STAT_CNTRS // until DPDK 25.07; later only drivers see it, still 16
static_assert(RTAP_COUNTED_QUEUES == RTE_ETHDEV_QUEUE_STAT_CNTRS, "what drivers add up");
#endif

static const struct {
	const char *driver, *why;
} missed_by_driver[] = {
	{"net_af_xdp",
	 "the frame was longer than mbuf-data-room less 368 bytes, or the fill ring was empty; lower "
	 "the interface's MTU or raise mbuf-data-room (up to 3840); more receive-queues help"},
	{"net_pcap",
	 "libpcap's ring of 2 MiB was full while the receive worker was away; a core of its own "
	 "(isolcpus), idle: pause or another driver (net_af_packet) helps"},
};

void nic_counters_init(struct nic_counters *n, const char *driver) {
	n->is_memif = strcmp(driver, "net_memif") == 0;
	n->received.comes_back = n->received_bytes.comes_back = n->is_memif;
	n->missed_why
		= "no descriptor was free, its receive workers do not keep up; more "
		  "receive-queues, receive-descriptors or receive-lcores, or cores of their own "
		  "(isolcpus) help";
	for (size_t i = 0; i < sizeof(missed_by_driver) / sizeof(missed_by_driver[0]); i++)
		if (strcmp(driver, missed_by_driver[i].driver) == 0)
			n->missed_why = missed_by_driver[i].why;
}

uint64_t nic_counter_advance(struct nic_counter *c, uint64_t value, bool *reset) {
	uint64_t before = c->last, top = c->fallen_from;

	c->last = value;
	if (value < before) {
		c->fallen_from = value == 0 && c->comes_back ? before : 0;
		*reset |= c->fallen_from == 0;
		return value;
	}
	if (value == before)
		return 0;
	c->fallen_from = 0;
	if (top == 0)
		return value - before;
	if (value >= top)
		return value - top;
	*reset = true;
	return value; // all of it came after the reset
}

static uint64_t
advance(rtap_counter_t *counter, struct nic_counter *c, uint64_t value, bool *reset) {
	uint64_t more = nic_counter_advance(c, value, reset);

	rtap_counter_add(counter, more);
	return more;
}

// `what` has the place of the number of packets, `why` is cause and remedy.
static void complain(
	struct nic_complaint *c, uint16_t port_id, uint64_t more, const char *what, const char *why
) {
	uint64_t hidden;

	c->unsaid += more;
	if (more == 0
	    || !rtap_log_limit_pass(&c->limit, rtap_monotonic_ns(), RTAP_LOG_AGAIN_NS, &hidden))
		return;
	LOG(WARNING, "port %u: %s %" PRIu64 " packets since the last such line: %s", port_id, what,
	    c->unsaid, why);
	c->unsaid = 0;
}

static uint64_t grown(uint64_t *last, uint64_t now) {
	uint64_t more = now - *last;

	*last = now;
	return more;
}

static void
complain_of_queues(struct nic_counters *n, uint16_t port_id, const struct nic_queue_sums *queues) {
	complain(
		&n->malformed_said, port_id, grown(&n->malformed, queues->malformed), "malformed:",
		"their buffers hold less than the driver says; they are dropped. Look for a capture file "
		"with records above 65535 bytes, or net_null with a size above mbuf-data-room"
	);
	complain(
		&n->cut_said, port_id, grown(&n->cut, queues->cut), "cut:",
		"frames longer than the device can hand over (an MTU that was raised after the start, or offloads of the "
		"interface); switch it off with `ethtool -K INTERFACE gro off lro off gso off tso off`"
		", or give net_af_packet a larger framesz"
	);
}

static uint64_t counted_by_driver(const struct rtap_port_counters *c) {
	return rtap_counter_get(&c->received) + rtap_counter_get(&c->missed)
		+ rtap_counter_get(&c->errors) + rtap_counter_get(&c->no_buffer);
}

// The same comparison as RTAP_LAW_DEVICE, at one moment.
static void complain_of_surplus(
	struct nic_counters *n, uint16_t port_id, const struct nic_queue_sums *queues,
	const struct rtap_port_counters *counters
) {
	uint64_t counted = counted_by_driver(counters);

	if (queues->received <= counted || queues->nb_queues > RTAP_COUNTED_QUEUES
	    || rtap_counter_get(&counters->received) == 0
	    || rtap_counter_get(&counters->statistics_resets) > 0
	    || rtap_counter_get(&counters->link_up) == 0)
		return;
	n->multiplied_said.unsaid = 0; // the difference is a sum already
	complain(
		&n->multiplied_said, port_id, queues->received - counted,
		"its queues handed over more than the device counted, by",
		n->is_memif ? "net_memif hands over copies of old frames on "
			      "each queue that the peer does not have: set receive-queues to the "
			      "peer's number"
			    : "its packets or its counters are wrong"
	);
}

void nic_counters_update(
	struct nic_counters *n, uint16_t port_id, const struct rte_eth_stats *stats,
	const struct nic_queue_sums *queues, struct rtap_port_counters *counters
) {
	bool reset = false, ignored = false;
	uint64_t missed, no_buffer;

	advance(&counters->received, &n->received, stats->ipackets, &reset);
	advance(&counters->received_bytes, &n->received_bytes, stats->ibytes, &ignored);
	missed = advance(&counters->missed, &n->missed, stats->imissed, &ignored);
	advance(&counters->errors, &n->errors, stats->ierrors, &ignored);
	no_buffer = advance(&counters->no_buffer, &n->no_buffer, stats->rx_nombuf, &ignored);
	if (reset)
		rtap_counter_add(&counters->statistics_resets, 1);
	complain(&n->missed_said, port_id, missed, "the device dropped", n->missed_why);
	complain(
		&n->no_buffer_said, port_id, no_buffer, "the device dropped",
		"no packet buffer was free; a larger buffer-memory helps"
	);
	complain_of_queues(n, port_id, queues);
	complain_of_surplus(n, port_id, queues, counters);
}
