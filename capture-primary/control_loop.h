// SPDX-License-Identifier: BSD-3-Clause
// The primary's control thread: workers, clock, NIC statistics, shutdown.

#pragma once

#include "capture.h"

// Run until the stop flag is set, then drain: receive no more, wait until the rings are empty,
// drain-timeout-s is over or a second signal comes. Returns the packets' buffers left on the rings.
uint64_t control_loop_run(struct capture *cap);
