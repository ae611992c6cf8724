// SPDX-License-Identifier: BSD-3-Clause
// Supervise the transmit workers: fork them from the attached process and replace those that crash
// or hang, without another attach. The supervisor owns no packet and starts no thread.

#pragma once

#include "attach.h"
#include "config.h"
#include "exit_code.h"
#include "instance.h"
#include "run_as.h"

// Run until told to stop or the primary is gone, and every worker has ended. Main thread only (a
// worker is told when the thread that forked it ends). Returns the exit code of the program.
enum rtap_exit_code supervisor_run(
	const struct rtap_config *cfg, const struct rtap_instance *inst, const struct run_as *who,
	struct attachment *attachment
);
