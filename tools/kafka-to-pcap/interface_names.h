// SPDX-License-Identifier: BSD-3-Clause
// Numbers for the names of interfaces, in the order in which they come. Pure.

#pragma once

#include <stddef.h>

#define INTERFACE_NAMES_MAX 1024

struct interface_names {
	char *names[INTERFACE_NAMES_MAX];
	unsigned int nb;
	unsigned int last; // found last
};

// Number 0 is `first`, which packets without a name have. Returns 0 or -ENOMEM.
int interface_names_init(struct interface_names *names, const char *first);
void interface_names_fini(struct interface_names *names);

// The number of a name of `len` bytes without NUL; 0 when there is no room for one more.
unsigned int interface_names_number(struct interface_names *names, const char *name, size_t len);
