// SPDX-License-Identifier: BSD-3-Clause
// Remove stale sockets of devices that make one: net_memif as a server, net_vhost, net_virtio_user.
//
// A process that is killed leaves its socket's file, and these drivers do not start while there is
// one.

#pragma once

#include "config.h"

// Remove files that no process listens on any more. To be called with the instance's locks taken: a
// socket that answers belongs to another program. Returns 0, or -ENODEV with one line logged.
int device_sockets_remove_stale(const struct rtap_config *cfg);
