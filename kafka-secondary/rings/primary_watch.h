// SPDX-License-Identifier: BSD-3-Clause
// Watch whether the primary is alive, by its lock: the kernel drops it with the process.

#pragma once

#include "instance.h"
#include "shm_layout.h"

enum primary_state {
	PRIMARY_THERE,
	PRIMARY_DRAINING, // receives no more, waits for the transmit workers or closes its devices
	PRIMARY_STOPPED, // ended in order: it waited for the rings, as long as configured
	PRIMARY_DIED,
};

// Open the primary's file, to ask for its lock. Returns a descriptor or a negative errno.
int primary_watch_open(const struct rtap_instance *inst);

// The state of the primary; `fd` is that of primary_watch_open().
enum primary_state primary_watch_look(int fd, const struct rtap_shm *shm);
