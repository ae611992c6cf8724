// SPDX-License-Identifier: BSD-3-Clause
// Whether the server of a net_memif client is there.
//
// The driver's own connect() waits for a server that does not accept, and holds up the control thread with it.

#pragma once

#include <stdbool.h>

// Connects and leaves again, without waiting: one that is gone or hangs is not there. `device` is the entry of
// the configuration.
bool memif_server_is_there(const char *device);
