// SPDX-License-Identifier: BSD-3-Clause
// Ask whether the server of a net_memif client is there.
//
// The driver's own connect() waits for a server that does not accept, and blocks the control
// thread.

#pragma once

#include <stdbool.h>

// Connects and disconnects without waiting: a server that hangs counts as missing. `device` is the
// entry of the configuration.
bool memif_server_is_there(const char *device);
