// SPDX-License-Identifier: BSD-3-Clause
// Send whole Ethernet frames on a network interface of Linux.

#pragma once

#include <sys/uio.h>

// A socket that sends on `name`, past the queueing discipline: the driver then says when it takes a
// frame no more, where a queueing discipline may drop it and report success.
// Returns the descriptor, or a negative errno (-ENODEV: no such interface; -EPERM: not root).
int interface_send_open(const char *name);

// Send `nb_frames` (1 to FRAME_BATCH_SIZE) frames in order, in one system call. Returns how many
// were sent, at least one, or a negative errno: -ENOBUFS when the interface takes none now,
// -EMSGSIZE when the first one is too long for it, -ENETDOWN when it is down, -EINTR.
int interface_send(int fd, struct iovec *frames, unsigned int nb_frames);
