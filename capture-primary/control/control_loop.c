// SPDX-License-Identifier: BSD-3-Clause
// Run the primary's control thread.

#include "control_loop.h"

#include "balance.h"
#include "log.h"
#include "notify.h"
#include "now.h"
#include "runtime_files.h"
#include "stop_flag.h"

#include <rte_cycles.h>

#include <inttypes.h>
#include <time.h>

#define LOG_TYPE "control"

#define ROUND_MS 10
#define CLOCK_ROUNDS 10 // discipline it every 100 ms
#define NIC_ROUNDS 10 // ask the drivers every 100 ms
#define FILES_ROUNDS 1000 // tidy up every 10 s

// The tightest of three samples: one that was preempted between the two clocks would look like
// drift.
static void discipline_clock(struct capture *cap) {
	uint64_t best = UINT64_MAX, tsc = 0, utc = 0;
	int64_t off_ns;
	bool stepped;

	for (int i = 0; i < 3; i++) {
		uint64_t before = rte_rdtsc(), sample = rtap_utc_ns(), after = rte_rdtsc();

		if (after - before >= best)
			continue;
		best = after - before;
		tsc = before + best / 2;
		utc = sample;
	}
	off_ns = rtap_clock_discipline(&cap->clock, tsc, utc, &stepped);
	if (!stepped)
		return;
	rtap_counter_add(&cap->counters.header->clock_steps, 1);
	LOG(WARNING, "UTC was stepped by %" PRId64 " ms; capture times follow%s",
	    off_ns / (int64_t)RTAP_MS_NS,
	    off_ns < 0 ? " as soon as UTC is past the last one of each ring" : "");
}

static void update_nics(struct capture *cap) {
	uint64_t nb_free, nb_all;

	capture_update_ports(cap);
	capture_count_buffers(cap, &nb_free, &nb_all);
	rtap_counter_set(&cap->counters.header->buffers_free, nb_free);
	rtap_counter_set(&cap->counters.header->buffers, nb_all);
}

static void one_round(struct capture *cap, uint64_t round) {
	struct timespec pause = {.tv_nsec = ROUND_MS * RTAP_MS_NS};

	worker_registry_update(&cap->registry);
	capture_set_state(cap, cap->state); // transmit workers can overwrite it
	if (round % CLOCK_ROUNDS == 0)
		discipline_clock(cap);
	if (round % NIC_ROUNDS == 0)
		update_nics(cap);
	if (round % FILES_ROUNDS == FILES_ROUNDS - 1)
		runtime_files_remove_dead(cap->inst);
	rtap_counter_set(&cap->counters.header->updated_us, rtap_utc_ns() / 1000);
	rtap_notify_alive();
	// All of it: net_tap has the kernel announce packets by signals.
	while (nanosleep(&pause, &pause) < 0)
		;
}

// A worker that brokers hold back for a quota delivers, in time.
static bool is_throttled(const struct capture *cap) {
	const struct rtap_counters *c = &cap->counters;

	for (uint32_t i = 0; i < c->shape.nb_slots; i++)
		if (rtap_slot_is_live(&c->slots[i])
		    && rtap_counter_get(&c->slots[i].waiting_for) == RTAP_WAIT_QUOTA)
			return true;
	return false;
}

// Wait for the transmit workers, as long as they get on: what is left ends with this process.
static void drain(struct capture *cap, uint64_t round) {
	uint64_t timeout_ns = cap->cfg->drain_timeout_s * RTAP_SECOND_NS;
	uint64_t left, before = UINT64_MAX, since_ns = 0;

	capture_set_state(cap, RTAP_STATE_DRAINING);
	capture_set_phase(cap, RX_RECLAIM);
	LOG(NOTICE,
	    "receiving stopped, %" PRIu64
	    " buffers on the rings, %u workers; draining until nothing was delivered for %" PRIu64
	    " s",
	    capture_outstanding(cap), worker_registry_nb_workers(&cap->registry),
	    cap->cfg->drain_timeout_s);
	while ((left = capture_outstanding(cap)) > 0 && rtap_stop_requested() < 2) {
		if (left < before || is_throttled(cap)) {
			before = left;
			since_ns = rtap_monotonic_ns();
			rtap_notify_patience(cap->cfg->drain_timeout_s);
		}
		if (rtap_monotonic_ns() - since_ns >= timeout_ns)
			break;
		one_round(cap, round++);
	}
	update_nics(cap);
}

uint64_t control_loop_run(struct capture *cap) {
	uint64_t left, round = 0;

	while (rtap_stop_requested() == 0 && !cap->device_replaced)
		one_round(cap, round++);
	if (cap->device_replaced)
		LOG(WARNING,
		    "a device was replaced during the capture: stopping; a restart captures from "
		    "the new one");
	drain(cap, round);
	left = capture_outstanding(cap);
	if (left > 0)
		LOG(WARNING,
		    "%" PRIu64
		    " buffers left on the rings: their packets are not in Kafka, they end "
		    "with this primary",
		    left);
	capture_set_state(cap, RTAP_STATE_STOPPED);
	return left;
}
