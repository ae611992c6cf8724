// SPDX-License-Identifier: BSD-3-Clause
// Watch whether the primary is alive, by its lock.

#include "primary_watch.h"

#include "lock_file.h"

#include <errno.h>
#include <fcntl.h>

int primary_watch_open(const struct rtap_instance *inst) {
	char path[512];
	int fd = open(
		rtap_instance_path(inst, RTAP_FILE_PRIMARY, path, sizeof(path)),
		O_RDONLY | O_CLOEXEC
	);

	return fd < 0 ? -errno : fd;
}

static uint32_t state_of(const struct rtap_shm *shm) {
	return atomic_load_explicit(&shm->state, memory_order_acquire);
}

enum primary_state primary_watch_look(int fd, const struct rtap_shm *shm) {
	uint32_t state;

	// Transmit workers can write to the state; the lock is the kernel's. An error counts as
	// held: it is better to go on than to end without need.
	if (rtap_lock_is_held(fd, 0, 1) == 0)
		return state_of(shm) == RTAP_STATE_STOPPED ? PRIMARY_STOPPED : PRIMARY_DIED;
	state = state_of(shm);
	return state == RTAP_STATE_DRAINING || state == RTAP_STATE_STOPPED ? PRIMARY_DRAINING
									   : PRIMARY_THERE;
}
