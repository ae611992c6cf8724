// SPDX-License-Identifier: BSD-3-Clause
// Count SIGINT and SIGTERM as requests to stop.

#pragma once

#include <signal.h>

// Count SIGINT and SIGTERM from now on; SIGPIPE is ignored. Call it after rte_eal_init().
void rtap_stop_flag_install(void);

// Requests so far: 0 = go on, 1 = stop in order, 2 and more = stop at once. Any thread.
unsigned int rtap_stop_requested(void);

// Count one request, as a signal does. Async-signal-safe.
void rtap_stop_request(void);

// Block the two signals, and unblock them: around calls that they must not interrupt.
void rtap_stop_flag_block(sigset_t *before);
void rtap_stop_flag_unblock(const sigset_t *before);

// Start from 0 again: a forked child must not stop for its parent's signals.
void rtap_stop_flag_reset(void);
