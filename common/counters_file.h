// SPDX-License-Identifier: BSD-3-Clause
// Create and map the counters file of an instance. No EAL.

#pragma once

#include "counters.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Primary: create `path` (an older file is unlinked; its readers keep their mapping), mode 0640,
// group `gid` ((gid_t)-1 = leave), all zero, lay it out and map it for writing. `magic` is not yet
// set: see rtap_counters_publish(). Returns 0 or a negative errno.
int rtap_counters_create(
	struct rtap_counters *c, const char *path, const struct rtap_counters_shape *shape,
	gid_t gid
);

// Primary: everything constant is in place; readers may come.
void rtap_counters_publish(struct rtap_counters *c);

// Map an existing file, read-only or for writing, and check it: regular file, magic, version,
// sizes, offsets within the file, aligned, not overlapping. Nothing of the content is followed
// unchecked. Returns 0; -EPROTO with `why` set when it is no counters file of this version; else a
// negative errno.
int rtap_counters_map(
	struct rtap_counters *c, const char *path, bool writable, char *why, size_t why_size
);

void rtap_counters_unmap(struct rtap_counters *c);
