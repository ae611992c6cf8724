// SPDX-License-Identifier: BSD-3-Clause
// Count SIGINT and SIGTERM as requests to stop.

#include "stop_flag.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

static atomic_uint stop_requests;

static void on_signal(int signo) {
	rtap_stop_request();
}

void rtap_stop_flag_install(void) {
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal; // no SA_RESTART: sleeps and polls end at once
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

unsigned int rtap_stop_requested(void) {
	return atomic_load_explicit(&stop_requests, memory_order_relaxed);
}

void rtap_stop_request(void) {
	atomic_fetch_add_explicit(&stop_requests, 1, memory_order_relaxed);
}

void rtap_stop_flag_block(sigset_t *before) {
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	sigprocmask(SIG_BLOCK, &both, before);
}

void rtap_stop_flag_unblock(const sigset_t *before) {
	sigprocmask(SIG_SETMASK, before, NULL);
}

void rtap_stop_flag_reset(void) {
	atomic_store_explicit(&stop_requests, 0, memory_order_relaxed);
}
