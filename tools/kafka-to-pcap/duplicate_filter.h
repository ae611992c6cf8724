// SPDX-License-Identifier: BSD-3-Clause
// Recognise what at-least-once delivery repeats: packets of the same time and the same bytes.
//
// A packet is remembered as a 128-bit keyed hash, in two tables: when the newer one has `size`
// hashes, the older one is forgotten and the newer takes its place. So the last `size` packets at
// least, and twice as many at most, are remembered, in 64 bytes for each of `size`.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct duplicate_filter;

// `size` is a power of 2. NULL with errno set. The caller destroys it.
struct duplicate_filter *duplicate_filter_create(size_t size);
void duplicate_filter_destroy(struct duplicate_filter *filter);

// True when the same packet is remembered; it is remembered from now on.
bool duplicate_filter_seen(
	struct duplicate_filter *filter, uint64_t time_ns, const void *frame, size_t len
);
