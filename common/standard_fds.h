// SPDX-License-Identifier: BSD-3-Clause
// Descriptors 0 to 2 mean what everybody thinks they mean.

#pragma once

// Open /dev/null where one of them is closed, so that no later descriptor becomes stdin, stdout or
// stderr by accident and gets our lines. The first thing in main().
void rtap_standard_fds_open(void);
