// SPDX-License-Identifier: BSD-3-Clause
// Hash with SipHash-2-4, 128 bits of output: without the secret no two inputs of one hash can be
// found.

#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash {
	uint64_t low, high;
};

// Hash of the 8 bytes of `head` in little-endian order, followed by `len` bytes of `data`. Pure.
struct siphash
siphash_compute(const uint64_t secret[2], uint64_t head, const void *data, size_t len);
