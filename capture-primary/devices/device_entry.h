// SPDX-License-Identifier: BSD-3-Clause
// Read, extend or refuse an entry of `devices` while it is checked.
//
// Checks return 0, or with one line logged -EINVAL when the entry is wrong and -ENODEV when what it
// names cannot be opened.

#pragma once

#include "attributes.h"
#include "config.h"

#include <stddef.h>

// Bytes of a frame beyond the MTU: the Ethernet header and two VLAN tags.
#define DEVICE_FRAME_OVERHEAD 22

struct device_entry {
	const struct rtap_config *cfg;
	char *text; // allocated; owned by cfg->devices
};

// Log one line: the place of the key, the device, what is wrong. Returns -err.
int device_entry_refuse(const struct device_entry *entry, int err, const char *fmt, ...)
	RTAP_PRINTF(3, 4);

// Append arguments and log them. entry->text moves.
int device_entry_add(struct device_entry *entry, const char *fmt, ...) RTAP_PRINTF(2, 3);

// Read the value of the n-th argument of a key. Returns 1; 0 with "" when there is none; a negative
// errno when the arguments are refused.
int device_entry_get(
	const struct device_entry *entry, const char *key, unsigned int n, char *value, size_t size
);
