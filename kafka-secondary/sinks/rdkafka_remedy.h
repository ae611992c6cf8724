// SPDX-License-Identifier: BSD-3-Clause
// Say what partitions wait for, and the remedy: one line a minute and cause.

#pragma once

#include "log.h"
#include "rdkafka_health.h"

#include <stdbool.h>

// The watcher's; zero-initialised.
struct rdkafka_remedy {
	struct rtap_log_limit limits[RTAP_NB_WAITS]; // by reason
	struct rtap_log_limit throttle_limit;
	bool said; // and not yet that it is over
};

// Log what was judged last, and that brokers hold this client back. Of a topic that is not well the
// caller says it; a missing ACL, a quota and what brokers refuse have lines of their own.
void rdkafka_remedy_say(struct rdkafka_remedy *r, struct rdkafka_health *h);
