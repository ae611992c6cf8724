// SPDX-License-Identifier: BSD-3-Clause
// Run the primary's control thread: workers, clock, NIC statistics, shutdown.

#pragma once

#include "capture.h"

// Run until the stop flag is set or a device was replaced, then drain: stop receiving and wait
// until the rings are empty, drain-timeout-s is over or a second signal arrives. Returns the number
// of buffers left on the rings.
uint64_t control_loop_run(struct capture *cap);
