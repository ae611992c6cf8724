// SPDX-License-Identifier: BSD-3-Clause
// Corrupt a struct as a text says: lines "FIELD INDEX VALUE", such as "ring.size 2 17". So that an
// input is a few words on a sound struct, means the same when the layout changes, and can be read.

#pragma once

#include <stddef.h>
#include <stdint.h>

struct patch_field {
	const char *name;
	size_t offset, bytes; // bytes: up to 8, little-endian
	size_t stride; // to the same field of the next element; 0 = INDEX has no meaning
};

#define PATCH_FIELD(name, type, member, stride)                                                    \
	{ name, offsetof(type, member), sizeof(((type *)0)->member), stride }

// Lines that name no field of the list, or one outside of `size` bytes, do nothing.
void patch_lines(
	const struct patch_field *fields, size_t nb_fields, void *base, size_t size,
	const uint8_t *text, size_t len
);

// The value of the first line of this name; `otherwise` when there is none.
uint64_t patch_value(const char *name, uint64_t otherwise, const uint8_t *text, size_t len);
