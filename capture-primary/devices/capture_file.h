// SPDX-License-Identifier: BSD-3-Clause
// Check a capture file that a device will read.

#pragma once

#include <stddef.h>

// Check that libpcap can read it and that it has Ethernet frames. Anything but a regular file is
// not opened, because it may be readable only once: that passes, as does "-". Returns 0; -ENODEV
// with the reason in `why` when it cannot be read; -EINVAL with the reason when its link type is
// another one.
int capture_file_check(const char *path, char *why, size_t size);
