// SPDX-License-Identifier: BSD-3-Clause
// Return an error the way the whole tree does: a negative errno value.

#pragma once

#include <errno.h>

static inline int errno_set(int err) {
	errno = err;
	return -err;
}
