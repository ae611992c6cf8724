// SPDX-License-Identifier: BSD-3-Clause
// Look at an instance: counters and primary.

#include "view.h"

#include "counters_file.h"
#include "fields.h"
#include "primary_info.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const primary_names[] = {
	[VIEW_RUNNING] = "running",
	[VIEW_STOPPED] = "stopped",
	[VIEW_KILLED] = "killed",
	[VIEW_REPLACED] = "restarting",
};

static const char *const phase_names[] = {
	[RTAP_STATE_STARTING] = "starting",
	[RTAP_STATE_CAPTURING] = "capturing",
	[RTAP_STATE_DRAINING] = "draining",
	[RTAP_STATE_STOPPED] = "stopped",
};

static const char *const worker_state_names[] = {
	[RTAP_WORKER_NONE] = "gone",       [RTAP_WORKER_STARTING] = "starting",
	[RTAP_WORKER_SERVING] = "serving", [RTAP_WORKER_DRAINING] = "draining",
	[RTAP_WORKER_LEFT] = "left",
};
static const char *const wait_names[RTAP_NB_WAITS] = {
	[RTAP_WAIT_NOTHING] = "nothing",   [RTAP_WAIT_BROKERS] = "brokers",
	[RTAP_WAIT_TOPIC] = "topic",       [RTAP_WAIT_PERMISSION] = "permission",
	[RTAP_WAIT_LEADER] = "leader",     [RTAP_WAIT_ELECTION] = "election",
	[RTAP_WAIT_REPLICAS] = "replicas", [RTAP_WAIT_QUOTA] = "quota",
	[RTAP_WAIT_CLOCK] = "clock",       [RTAP_WAIT_REFUSED] = "refused",
	[RTAP_WAIT_ANSWER] = "answer",
};
static const char *const wait_texts[RTAP_NB_WAITS] = {
	[RTAP_WAIT_NOTHING] = "nothing",
	[RTAP_WAIT_BROKERS] = "no broker can be reached",
	[RTAP_WAIT_TOPIC] = "the topic does not exist or has no leader yet",
	[RTAP_WAIT_PERMISSION] = "an ACL is missing",
	[RTAP_WAIT_LEADER] = "the leader cannot be reached",
	[RTAP_WAIT_ELECTION] = "there is no leader",
	[RTAP_WAIT_REPLICAS] = "fewer replicas are in sync than min.insync.replicas",
	[RTAP_WAIT_QUOTA] = "brokers hold the client back for a quota",
	[RTAP_WAIT_CLOCK] = "brokers refuse the time of the packets",
	[RTAP_WAIT_REFUSED] = "brokers refuse the packets",
	[RTAP_WAIT_ANSWER] = "the leader does not answer",
};

static uint64_t utc_us(void) {
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool pid_exists(int64_t pid) {
	return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

// In a container, a primary that starts again often has the pid of the one before.
static bool is_same(const struct rtap_primary_info *info, const struct rtap_counters_header *h) {
	char boot_id[sizeof(info->boot_id)];

	for (unsigned int i = 0; i < RTAP_BOOT_ID_SIZE; i++)
		snprintf(boot_id + 2 * i, 3, "%02x", h->boot_id[i]);
	return info->pid == h->primary_pid
		&& (info->boot_id[0] == '\0' || strcmp(info->boot_id, boot_id) == 0);
}

// Whether the lock of the primary is held, and by the one whose counters these are.
static void look_for_primary(
	const struct rtap_instance *inst, const struct rtap_counters_header *header, bool *held,
	bool *same
) {
	struct rtap_primary_info info;
	int alive = rtap_primary_is_alive(inst);

	*held = alive < 0 ? pid_exists(header->primary_pid) : alive == 1;
	*same = rtap_primary_info_read(inst, &info) < 0 || is_same(&info, header);
}

static enum view_primary judge_primary(bool held, bool same, uint64_t state) {
	if (held && !same)
		return VIEW_REPLACED;
	if (held)
		return VIEW_RUNNING;
	return state == RTAP_STATE_STOPPED ? VIEW_STOPPED : VIEW_KILLED;
}

// What a worker held when it died is no level of anything any more.
static void clear_gauges_of_the_dead(struct rtap_counters *c) {
	for (uint32_t i = 0; i < c->shape.nb_slots; i++) {
		if (rtap_slot_is_live(&c->slots[i]))
			continue;
		for (size_t k = 0; k < fields_worker.nb_fields; k++)
			if (fields_worker.fields[k].gauge)
				field_set(&fields_worker.fields[k], &c->slots[i], 0);
	}
}

int view_open(
	struct view *view, struct rtap_counters *live, const struct rtap_instance *inst, char *why,
	size_t why_size
) {
	char path[sizeof(inst->dir) + 16];
	bool held, same;
	int rc;

	rtap_instance_path(inst, RTAP_FILE_COUNTERS, path, sizeof(path));
	rc = rtap_counters_map(live, path, false, why, why_size);
	if (rc < 0)
		return rc;
	look_for_primary(inst, live->header, &held, &same);
	rc = rtap_snapshot_init(&view->counters, live);
	if (rc < 0) {
		rtap_counters_unmap(live);
		return rc;
	}
	clear_gauges_of_the_dead(&view->counters);
	view->now_us = utc_us();
	view->primary = judge_primary(held, same, rtap_counter_get(&view->counters.header->state));
	return 0;
}

void view_fini(struct view *view) {
	rtap_snapshot_fini(&view->counters);
}

const char *view_primary_name(enum view_primary primary) {
	return primary_names[primary];
}

#define NAME_OF(names, n) ((n) < sizeof(names) / sizeof((names)[0]) ? (names)[n] : "unknown")

const char *view_phase_name(uint64_t state) {
	return NAME_OF(phase_names, state);
}

const char *view_worker_state_name(uint64_t state) {
	return NAME_OF(worker_state_names, state);
}

enum rtap_wait view_waiting_for(const struct rtap_slot_counters *slot) {
	return rtap_slot_is_live(slot) ? (enum rtap_wait)rtap_counter_get(&slot->waiting_for)
				       : RTAP_WAIT_NOTHING;
}

const char *view_wait_name(uint64_t wait) {
	return NAME_OF(wait_names, wait);
}

const char *view_wait_text(uint64_t wait) {
	return NAME_OF(wait_texts, wait);
}
