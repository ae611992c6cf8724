// SPDX-License-Identifier: BSD-3-Clause
// Be a transmit worker.

#include "transmit_worker.h"

#include "delivery.h"
#include "lock_file.h"
#include "log.h"
#include "now.h"
#include "packet_guard.h"
#include "primary_watch.h"
#include "ring_claim.h"
#include "sink.h"
#include "stop_flag.h"
#include "worker_slot.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOG_TYPE "worker"

#define TOPIC_POLL_MS 1 // a ring without an owner waits
#define IDLE_POLL_MS 1 // the rings cannot wake us; reports do
#define HOUSEKEEPING_NS (5 * RTAP_MS_NS)
#define LINGER_NS (100 * RTAP_MS_NS)

struct transmit_worker {
	const struct rtap_config *cfg;
	struct rtap_shm *shm;
	struct worker_slot slot;
	int primary_fd;
	struct ring_claims claims;
	struct delivery_context ctx;
	uint64_t stop_ns; // when we were told to stop, 0 = not
	uint64_t deadline_ns; // when we leave, whatever is left
	uint64_t delivered; // when the deadline was set
	bool orphaned; // the primary died
	uint64_t next_housekeeping_ns;
};

// Everything inherited but the lock that says "attached": sockets of EAL kept open here would fill
// up and stop later attaches.
static void close_inherited(int attached_fd) {
	if (attached_fd > 3)
		syscall(SYS_close_range, 3, attached_fd - 1, 0);
	syscall(SYS_close_range, attached_fd + 1, ~0U, 0);
}

static void set_affinity(const struct rtap_config *cfg, unsigned int number) {
	cpu_set_t set;

	if (cfg->worker_cpus.nb_cpus == 0)
		return; // EAL was told not to pin
	CPU_ZERO(&set);
	CPU_SET(cfg->worker_cpus.cpus[number % cfg->worker_cpus.nb_cpus], &set);
	// The client's threads inherit it: application and broker thread share a core and its
	// caches.
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		LOG(WARNING, "worker-cpus: CPU %u: %s",
		    cfg->worker_cpus.cpus[number % cfg->worker_cpus.nb_cpus], strerror(errno));
}

static void end_with_supervisor(const struct transmit_worker_args *args) {
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != args->supervisor)
		_exit(TRANSMIT_WORKER_DONE);
}

// Root was needed to open what init_worker() opens; what comes now meets the network.
static void drop_root(const struct transmit_worker_args *args) {
	int rc = run_as_become(args->who);

	if (rc < 0) {
		LOG(ERR, "run-as: %s: %s", args->who->name, strerror(-rc));
		_exit(TRANSMIT_WORKER_CONFIG);
	}
	end_with_supervisor(args); // the kernel forgets it when the user changes
}

static void become_worker(const struct transmit_worker_args *args, const sigset_t *mask) {
	char name[48];
	int nb;

	rtap_stop_flag_reset();
	rtap_stop_flag_install();
	signal(SIGINT, SIG_IGN); // a Ctrl-C goes to all; the supervisor speaks for us
	rtap_stop_flag_unblock(mask);
	snprintf(name, sizeof(name), "kafka-secondary/%u", args->number);
	rtap_log_init(name, args->cfg->log_level);
	prctl(PR_SET_NAME, "rtap-worker");
	end_with_supervisor(args);
	close_inherited(args->attachment->attached_fd);
	nb = packet_guard_protect(&args->attachment->zones, args->inst);
	if (nb < 0) {
		LOG(ERR, "packet memory cannot be made read-only: %s", strerror(-nb));
		_exit(TRANSMIT_WORKER_GIVE_UP);
	}
	set_affinity(args->cfg, args->number);
}

static void
on_report(void *arg, uint64_t tag, enum sink_report report, size_t len, const char *why) {
	struct transmit_worker *w = arg;

	delivery_report(
		&w->claims.deliveries[message_tag_ring(tag)], &w->ctx, tag, report, len, why
	);
}

static void look_at_sink(struct transmit_worker *w) {
	struct rtap_slot_counters *c = w->ctx.counters;

	sink_look(w->ctx.sink, w->ctx.now_ns, &w->ctx.waits);
	rtap_counter_set(&c->partitions_waiting, w->ctx.waits.nb_partitions);
	rtap_counter_set(&c->waiting_for, w->ctx.waits.reason);
}

static void publish(struct transmit_worker *w) {
	struct delivery_totals totals = {0};
	struct rtap_slot_counters *c = w->ctx.counters;

	for (unsigned int i = 0; i < w->ctx.shm_header->nb_rings; i++)
		if (w->claims.deliveries[i].owned)
			delivery_add_totals(&w->claims.deliveries[i], &totals);
	rtap_counter_set(&c->tx_queued, totals.tx_queued);
	rtap_counter_set(&c->tx_refused, totals.tx_refused);
	rtap_counter_set(&c->outbox, totals.outbox);
	rtap_counter_set(&c->in_flight, totals.in_flight);
	rtap_counter_set(&c->rings_blocked, totals.blocked);
	rtap_counter_set(&c->rings, w->claims.nb_owned);
}

// ---- whether to go on ----

static void leave(struct transmit_worker *w, enum transmit_worker_exit code) {
	uint64_t in_windows = ring_claims_in_windows(&w->claims);

	publish(w);
	if (in_windows == 0) {
		worker_slot_set_state(&w->slot, RTAP_WORKER_LEFT);
		_exit(code);
	}
	// The kernel takes the slot and with it the rings away, once no thread reads a frame.
	if (code == TRANSMIT_WORKER_DONE) {
		LOG(WARNING,
		    "leaving with %" PRIu64 " packets not yet reported; the next worker sends them",
		    in_windows);
		code = TRANSMIT_WORKER_LEFT_PACKETS;
	}
	_exit(code);
}

// The end of an orphan: all is delivered, or time is over and what is left is lost.
static void leave_orphaned(struct transmit_worker *w, uint64_t left) {
	for (unsigned int i = 0; i < w->ctx.shm_header->nb_rings; i++)
		if (w->claims.deliveries[i].owned)
			delivery_count_orphans(&w->claims.deliveries[i]);
	LOG(WARNING, "the primary died: %s, %" PRIu64 " packets left in the rings",
	    left > 0 ? "time is over" : "everything is in Kafka", left);
	leave(w, TRANSMIT_WORKER_PRIMARY_DIED);
}

static void set_deadline(struct transmit_worker *w, uint64_t timeout_s) {
	uint64_t deadline_ns = w->ctx.now_ns + timeout_s * RTAP_SECOND_NS;

	if (deadline_ns < w->deadline_ns)
		w->deadline_ns = deadline_ns;
}

static void notice_stop(struct transmit_worker *w) {
	if (w->stop_ns != 0 || rtap_stop_requested() == 0)
		return;
	w->stop_ns = w->ctx.now_ns;
	w->delivered = rtap_counter_get(&w->ctx.counters->delivered);
	set_deadline(w, w->cfg->drain_timeout_s);
}

// A stop waits as long as reports come, or will come once a broker lets us: a packet that is left
// behind in flight is sent twice. While the primary drains or is dead, that bounds the time.
static void put_off_deadline(struct transmit_worker *w) {
	uint64_t delivered = rtap_counter_get(&w->ctx.counters->delivered);
	const struct sink_waits *waits = &w->ctx.waits;
	bool throttled = waits->throttled
		&& (waits->reason == RTAP_WAIT_QUOTA || waits->reason == RTAP_WAIT_NOTHING);

	if (w->stop_ns == 0 || w->orphaned || (delivered == w->delivered && !throttled))
		return;
	w->delivered = delivered;
	w->deadline_ns = w->ctx.now_ns + w->cfg->drain_timeout_s * RTAP_SECOND_NS;
}

static void notice_death(struct transmit_worker *w) {
	if (w->orphaned)
		return;
	w->orphaned = true;
	set_deadline(w, w->cfg->orphan_timeout_s);
	LOG(WARNING,
	    "the primary died; delivering what is in the rings (%" PRIu64
	    " packets) for at most %" PRIu64 " s",
	    ring_claims_waiting(&w->claims), (w->deadline_ns - w->ctx.now_ns) / RTAP_SECOND_NS);
}

// What to serve now. While the primary drains or is dead no worker comes after us: then a request
// to stop bounds the time, and every ring is served until it is empty.
static enum claim_policy look_around(struct transmit_worker *w) {
	enum primary_state primary = primary_watch_look(w->primary_fd, w->shm);

	notice_stop(w);
	if (primary == PRIMARY_STOPPED)
		leave(w, TRANSMIT_WORKER_PRIMARY_STOPPED);
	if (primary == PRIMARY_DIED)
		notice_death(w);
	if (w->orphaned || primary == PRIMARY_DRAINING)
		return CLAIM_ANY;
	return w->stop_ns != 0 ? CLAIM_NONE : CLAIM_ASSIGNED;
}

static void leave_if_done(struct transmit_worker *w, enum claim_policy policy) {
	uint64_t left = ring_claims_waiting(&w->claims);
	bool late;

	put_off_deadline(w);
	late = w->ctx.now_ns >= w->deadline_ns;
	if (w->orphaned && (left == 0 || late))
		leave_orphaned(w, left);
	if (w->stop_ns == 0)
		return;
	// Told to stop together with the primary, we may hear it first: give it time to say so.
	if (late
	    || (policy == CLAIM_NONE && w->claims.nb_owned == 0
		&& w->ctx.now_ns - w->stop_ns >= LINGER_NS))
		leave(w, TRANSMIT_WORKER_DONE);
}

// An orphan at the end of its time takes no ring that another one has counted and left.
static void update_claims(struct transmit_worker *w, enum claim_policy policy) {
	if (w->orphaned && w->ctx.now_ns >= w->deadline_ns)
		return;
	if (ring_claims_update(&w->claims, policy) < 0)
		_exit(TRANSMIT_WORKER_GIVE_UP);
}

static void housekeeping(struct transmit_worker *w) {
	enum claim_policy policy = look_around(w);

	look_at_sink(w);
	if (!worker_slot_is_intact(&w->slot)) {
		LOG(ERR,
		    "the slot of this transmit worker in shared memory was overwritten; ending");
		_exit(TRANSMIT_WORKER_GIVE_UP);
	}
	update_claims(w, policy);
	worker_slot_set_state(
		&w->slot, policy == CLAIM_NONE ? RTAP_WORKER_DRAINING : RTAP_WORKER_SERVING
	);
	leave_if_done(w, policy);
	publish(w);
	w->next_housekeeping_ns = w->ctx.now_ns + HOUSEKEEPING_NS;
}

// ---- the way of the packets ----

static unsigned int serve_rings(struct transmit_worker *w) {
	unsigned int moved = 0;

	for (unsigned int i = 0; i < w->ctx.shm_header->nb_rings; i++) {
		int rc;

		if (!w->claims.deliveries[i].owned)
			continue;
		rc = delivery_serve(&w->claims.deliveries[i], &w->ctx);
		if (rc < 0) {
			LOG(ERR, "%s: the ring's indexes are corrupted: %s; ending",
			    w->claims.deliveries[i].source.name, strerror(-rc));
			_exit(TRANSMIT_WORKER_GIVE_UP);
		}
		moved += (unsigned int)rc;
	}
	return moved;
}

static void serve(struct transmit_worker *w) {
	unsigned int moved = 0;

	for (;;) {
		w->ctx.now_ns = rtap_monotonic_ns();
		worker_slot_beat(&w->slot, w->ctx.now_ns);
		if (w->ctx.now_ns >= w->next_housekeeping_ns)
			housekeeping(w);
		moved = serve_rings(w);
		moved += sink_serve(w->ctx.sink, 0);
		if (moved == 0)
			sink_serve(w->ctx.sink, IDLE_POLL_MS);
		if (sink_is_dead(w->ctx.sink))
			_exit(TRANSMIT_WORKER_GIVE_UP);
	}
}

// Rings are taken only once the topic is known: until then others may serve them better.
static void wait_for_topic(struct transmit_worker *w) {
	while (sink_nb_partitions(w->ctx.sink) == 0) {
		w->ctx.now_ns = rtap_monotonic_ns();
		worker_slot_beat(&w->slot, w->ctx.now_ns);
		// Orphans take all rings even now, to count what is left in them.
		if (look_around(w) == CLAIM_ANY && w->orphaned)
			update_claims(w, CLAIM_ANY);
		leave_if_done(w, CLAIM_NONE);
		look_at_sink(w);
		sink_serve(w->ctx.sink, TOPIC_POLL_MS);
	}
}

static void init_delivery(
	const struct transmit_worker *w, struct delivery *d, const struct attachment *a,
	unsigned int ring
) {
	bool headers = w->cfg->headers == RTAP_HEADERS_BASIC;

	d->shared = &w->shm->rings[ring];
	snprintf(d->source.name, sizeof(d->source.name), "%.31s", d->shared->name);
	d->source.ring = a->rings[ring];
	d->source.counters = &a->counters.rings[ring];
	d->source.stamp_offset = (int)a->header.stamp_offset;
	d->maker = (struct message_maker){
		.partitioner = w->cfg->partitioner,
		.ring = ring,
		.nb_rings = a->header.nb_rings,
		.origin = headers ? &a->origins[ring] : NULL,
	};
}

static int init_worker(struct transmit_worker *w, const struct transmit_worker_args *args) {
	struct attachment *a = args->attachment;
	struct delivery *deliveries;
	int slots_fd, rc;

	w->cfg = args->cfg;
	w->shm = a->shm;
	w->ctx.shm_header = &a->header;
	slots_fd = rtap_lock_open(args->inst, RTAP_FILE_SLOTS);
	w->primary_fd = primary_watch_open(args->inst);
	deliveries = calloc(a->header.nb_rings, sizeof(*deliveries));
	if (slots_fd < 0 || w->primary_fd < 0)
		return slots_fd < 0 ? slots_fd : w->primary_fd;
	if (deliveries == NULL)
		return -ENOMEM;
	rc = worker_slot_claim(&w->slot, w->shm, slots_fd, args->supervisor);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < w->ctx.shm_header->nb_rings; i++)
		init_delivery(w, &deliveries[i], a, i);
	w->claims = (struct ring_claims){
		.shm = w->shm,
		.slot = &w->slot,
		.ctx = &w->ctx,
		.deliveries = deliveries,
	};
	w->ctx.cfg = w->cfg;
	w->ctx.counters = &a->counters.slots[w->slot.index];
	w->deadline_ns = UINT64_MAX;
	publish(w); // the gauges of the slot's last worker end with it
	rtap_counter_set(&w->ctx.counters->partitions_waiting, 0);
	rtap_counter_set(&w->ctx.counters->waiting_for, RTAP_WAIT_NOTHING);
	return 0;
}

static struct sink *
open_sink(struct transmit_worker *w, bool logs_topic, char *why, size_t why_size) {
	const struct sink_setup setup = {
		.cfg = w->cfg,
		.nb_rings = w->ctx.shm_header->nb_rings,
		.logs_topic = logs_topic,
		.counters = w->ctx.counters,
		.report = on_report,
		.arg = w,
	};

	return sink_open(&setup, why, why_size);
}

void transmit_worker_run(const struct transmit_worker_args *args, const sigset_t *mask) {
	static struct transmit_worker w;
	char why[512];
	int rc;

	become_worker(args, mask);
	rc = init_worker(&w, args);
	if (rc < 0) {
		LOG(ERR, "no slot for this worker: %s",
		    rc == -EAGAIN ? "all are taken, start fewer workers" : strerror(-rc));
		_exit(TRANSMIT_WORKER_GIVE_UP);
	}
	sink_prepare(args->cfg, w.slot.index, args->who);
	drop_root(args);
	w.ctx.sink = open_sink(&w, args->number == 0, why, sizeof(why));
	if (w.ctx.sink == NULL) {
		LOG(ERR, "%s", why);
		_exit(TRANSMIT_WORKER_CONFIG);
	}
	wait_for_topic(&w);
	serve(&w);
	_exit(TRANSMIT_WORKER_DONE);
}
