// SPDX-License-Identifier: BSD-3-Clause
// The place a worker registers at.

#include "worker_slot.h"

#include "instance.h"
#include "lock_file.h"
#include "now.h"

#include <errno.h>
#include <unistd.h>

static void write_identity(struct worker_slot *slot, pid_t supervisor) {
	struct rtap_shm_slot *s = slot->shared;

	// The new incarnation last: until then readers see the predecessor, who is dead.
	atomic_store(&s->pid, getpid());
	atomic_store(&s->supervisor_pid, supervisor);
	atomic_store(&s->started_us, rtap_utc_ns() / 1000);
	atomic_store(&s->heartbeat_ns, rtap_monotonic_ns());
	atomic_store(&s->state, RTAP_WORKER_STARTING);
	slot->incarnation = RTAP_INCARNATION(rtap_monotonic_ns(), slot->index);
	atomic_store(&s->incarnation, slot->incarnation);
}

int worker_slot_claim(
	struct worker_slot *slot, struct rtap_shm *shm, int lock_fd, pid_t supervisor
) {
	int rc;

	for (unsigned int i = 0; i < RTAP_MAX_SLOTS; i++) {
		rc = rtap_lock_write(lock_fd, i, 1);
		if (rc == -EAGAIN)
			continue;
		if (rc < 0)
			return rc;
		*slot = (struct worker_slot
		){.index = i, .lock_fd = lock_fd, .shared = &shm->slots[i]};
		write_identity(slot, supervisor);
		return 0;
	}
	return -EAGAIN;
}

bool worker_slot_is_intact(const struct worker_slot *slot) {
	return atomic_load_explicit(&slot->shared->incarnation, memory_order_relaxed)
		== slot->incarnation;
}

void worker_slot_set_state(struct worker_slot *slot, enum rtap_worker_state state) {
	atomic_store_explicit(&slot->shared->state, state, memory_order_release);
}

void worker_slot_beat(struct worker_slot *slot, uint64_t now_ns) {
	atomic_store_explicit(&slot->shared->heartbeat_ns, now_ns, memory_order_relaxed);
}

bool worker_slot_is_dead(const struct rtap_shm *shm, int lock_fd, uint64_t incarnation) {
	unsigned int i = RTAP_INCARNATION_SLOT(incarnation);

	if (i >= RTAP_MAX_SLOTS)
		return true; // no such slot was ever taken
	if (atomic_load_explicit(&shm->slots[i].incarnation, memory_order_acquire) != incarnation)
		return true;
	return rtap_lock_is_held(lock_fd, i, 1) == 0;
}
