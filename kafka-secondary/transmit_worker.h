// SPDX-License-Identifier: BSD-3-Clause
// A transmit worker: a forked process that serves rings until it is told to stop, the primary is
// gone, or it crashes. It never allocates, frees or changes a packet.

#pragma once

#include "attach.h"
#include "attributes.h"
#include "config.h"
#include "instance.h"
#include "run_as.h"

#include <signal.h>
#include <sys/types.h>

struct transmit_worker_args {
	const struct rtap_config *cfg;
	const struct rtap_instance *inst;
	const struct run_as *who; // to become before Kafka is met
	struct attachment *attachment;
	unsigned int number; // within its secondary, from 0; worker 0 speaks of brokers and topic
	pid_t supervisor;
};

// How a worker ends, as its exit status. Anything else is a crash.
enum transmit_worker_exit {
	TRANSMIT_WORKER_DONE = 0, // told to stop, nothing in its hands
	TRANSMIT_WORKER_LEFT_PACKETS
		= 1, // told to stop, packets in its hands go to the next worker
	TRANSMIT_WORKER_PRIMARY_STOPPED = 2,
	TRANSMIT_WORKER_PRIMARY_DIED = 3, // drained for at most orphan-timeout-s
	TRANSMIT_WORKER_GIVE_UP = 4, // could not empty a window in time, or the producer is dead
	TRANSMIT_WORKER_CONFIG = 5, // properties that only the worker could try
};

// In the child of a fork: be that worker. The stop signals are blocked; `mask` is set once they
// mean us. Never returns, always _exit()s.
void transmit_worker_run(const struct transmit_worker_args *args, const sigset_t *mask)
	RTAP_NORETURN;
