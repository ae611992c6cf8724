// SPDX-License-Identifier: BSD-3-Clause
// Set errno and return it negated, for helpers whose callers look at either.

#pragma once

#include <errno.h>

static inline int errno_set(int err) {
	errno = err;
	return -err;
}
