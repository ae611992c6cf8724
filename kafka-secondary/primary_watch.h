// SPDX-License-Identifier: BSD-3-Clause
// Whether the primary is still there. Its lock says so: the kernel drops it with the process.

#pragma once

#include "instance.h"
#include "shm_layout.h"

enum primary_state {
	PRIMARY_THERE,
	PRIMARY_DRAINING, // receives no more, waits for the couriers or closes its devices
	PRIMARY_STOPPED, // gone in good order: it waited for the rings, as long as configured
	PRIMARY_DIED,
};

// Open the primary's file, to ask for its lock. Returns a descriptor or a negative errno.
int primary_watch_open(const struct rtap_instance *inst);

enum primary_state primary_watch_look(int fd, const struct rtap_shm *shm);
