// SPDX-License-Identifier: BSD-3-Clause
// Print the table every few seconds.

#include "table_thread.h"

#include "balance.h"
#include "log.h"
#include "table.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define LOG_TYPE "table"

#define FINAL_TIMEOUT_S 3

static struct {
	const struct rtap_counters *counters;
	uint64_t interval_s;
	pthread_mutex_t lock; // one table at a time on stdout
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void print(const struct rtap_counters *counters) {
	struct rtap_balance balance;

	rtap_balance_compute(counters, &balance);
	pthread_mutex_lock(&table.lock);
	rtap_table_print(stdout, &balance);
	fflush(stdout);
	pthread_mutex_unlock(&table.lock);
}

static void *print_forever(void *arg) {
	for (;;) {
		struct timespec interval = {.tv_sec = (time_t)table.interval_s};

		// All of it: net_tap has the kernel announce packets by signals.
		while (nanosleep(&interval, &interval) < 0)
			;
		print(table.counters);
	}
	return arg;
}

static void *print_once(void *arg) {
	print(table.counters);
	return arg;
}

int table_thread_start(const struct rtap_counters *counters, uint64_t interval_s) {
	pthread_t thread;

	table.counters = counters;
	table.interval_s = interval_s;
	if (interval_s == 0)
		return 0;
	return -pthread_create(&thread, NULL, print_forever, NULL);
}

void table_thread_print_final(const struct rtap_counters *counters) {
	struct timespec until;
	pthread_t thread;

	table.counters = counters;
	if (pthread_create(&thread, NULL, print_once, NULL) != 0)
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += FINAL_TIMEOUT_S;
	if (pthread_timedjoin_np(thread, NULL, &until) != 0)
		LOG(WARNING, "no process reads the table on stdout");
}
