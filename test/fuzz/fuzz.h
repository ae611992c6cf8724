// SPDX-License-Identifier: BSD-3-Clause
// What every fuzz target has: the function that is called with one input after the other, and
// checks that end the process, so that the fuzzer keeps the input.

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

// Called by libFuzzer, or by replay.c. Leaves nothing behind that the next call could see.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
