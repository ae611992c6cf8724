// SPDX-License-Identifier: BSD-3-Clause
// Lock bytes of an instance's files, so that the kernel drops a lock with its process.

#pragma once

#include "instance.h"

// Open a lock file of the instance (created 0600 when missing, with the group of the directory,
// O_CLOEXEC). It is never removed: two processes must not hold locks on two files of one name.
// Returns fd or -errno.
int rtap_lock_open(const struct rtap_instance *inst, const char *file);

// Take `len` bytes from `offset` of the file (OFD lock; len 0 = to the end, however far), without
// waiting. A lock lives until the last copy of the descriptor is closed: it survives fork() and
// ends with the process. Returns 0, -EAGAIN when another descriptor holds it, or another negative
// errno.
int rtap_lock_write(int fd, off_t offset, off_t len);
int rtap_lock_read(int fd, off_t offset, off_t len);

// Whether another descriptor holds a lock there that a write lock would meet. 1, 0 or a negative
// errno. Takes nothing; a descriptor opened for reading will do.
int rtap_lock_is_held(int fd, off_t offset, off_t len);
