// SPDX-License-Identifier: BSD-3-Clause
// An entry of `devices` while it is checked: read its arguments, add to them, or refuse it.
//
// Checks return -1 to go on, else the exit code to leave with, its line logged.

#pragma once

#include "attributes.h"
#include "config.h"
#include "exit_code.h"

#include <stdbool.h>
#include <stddef.h>

// What a frame is longer than the MTU: the Ethernet header and two VLAN tags.
#define DEVICE_FRAME_OVERHEAD 22

struct device_entry {
	const struct rtap_config *cfg;
	char *text; // allocated; owned by cfg->devices
};

// Log one line: the place of the key, the device, what is wrong. Returns `code`.
int device_entry_refuse(
	const struct device_entry *entry, enum rtap_exit_code code, const char *fmt, ...
) RTAP_PRINTF(3, 4);

// Append arguments and say so. entry->text moves.
int device_entry_add(struct device_entry *entry, const char *fmt, ...) RTAP_PRINTF(2, 3);

// The value of the n-th argument of a key; "" and false when there is none, or when it cannot be had: then
// *code is an exit code, else it is -1.
bool device_entry_get(
	const struct device_entry *entry, const char *key, unsigned int n, char *value, size_t size,
	int *code
);
