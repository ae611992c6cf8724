// SPDX-License-Identifier: BSD-3-Clause
// Tell the service manager that started us, as sd_notify(3) does, without libsystemd.

#pragma once

#include <stdint.h>

// Send `state`, such as "READY=1", in one datagram to the socket that $NOTIFY_SOCKET names; never
// waits. Returns 1 when it was sent, 0 when no manager asked for it, or a negative errno. A message
// that does not arrive is no error of the program: callers go on.
int rtap_notify(const char *state);

// Send a heartbeat, once a second however often it is called. For the one thread that must not
// stand still.
void rtap_notify_alive(void);

// Announce a step that may take so many seconds: the manager's time-out for starting or stopping
// does not end earlier. It never gets shorter.
void rtap_notify_patience(uint64_t seconds);
