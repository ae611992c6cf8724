// SPDX-License-Identifier: BSD-3-Clause
// Make sure that descriptors 0 to 2 are open.

#pragma once

// Open /dev/null where one of them is closed, so that no later descriptor becomes stdin, stdout or
// stderr by accident and gets our lines. The first thing in main().
void rtap_standard_fds_open(void);
