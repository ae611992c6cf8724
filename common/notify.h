// SPDX-License-Identifier: BSD-3-Clause
// Words to the service manager that started us: what sd_notify(3) says, without libsystemd.

#pragma once

#include <stdint.h>

// Send `state`, such as "READY=1", in one datagram to the socket that $NOTIFY_SOCKET names; never waits.
// Returns 1 when it was sent, 0 when no manager asked for it, or a negative errno. A word that does not
// arrive is no error of the program: callers go on.
int rtap_notify(const char *state);

// A sign of life, sent once a second however often it is called. For the one thread whose standstill
// means that the program hangs.
void rtap_notify_alive(void);

// What begins now may take so many seconds: the manager's time-out for starting or stopping does not end
// earlier. It never gets shorter.
void rtap_notify_patience(uint64_t seconds);
