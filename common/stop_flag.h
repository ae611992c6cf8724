// SPDX-License-Identifier: BSD-3-Clause
// SIGINT and SIGTERM as a number that loops look at.

#pragma once

#include <signal.h>

// Count SIGINT and SIGTERM from now on; SIGPIPE is ignored. Call it after rte_eal_init().
void rtap_stop_flag_install(void);

// Signals so far: 0 = go on, 1 = stop in good order, 2 and more = stop at once. Any thread.
unsigned int rtap_stop_requested(void);

// As if a signal had come. Async-signal-safe.
void rtap_stop_request(void);

// Hold the two signals back, and let them through again: around what they must not interrupt.
void rtap_stop_flag_block(sigset_t *before);
void rtap_stop_flag_unblock(const sigset_t *before);

// Start from 0 again: a forked child is not stopped by what its parent was told.
void rtap_stop_flag_reset(void);
