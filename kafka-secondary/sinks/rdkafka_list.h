// SPDX-License-Identifier: BSD-3-Clause
// Print what ringtap does with each property of librdkafka, for users and for other programs.

#pragma once

#include <stdbool.h>
#include <stdio.h>

// Print a line for each of `names`; for every property of librdkafka when there are none. `json`:
// an array with an object a line, else only properties with something to say are printed. Values
// that ringtap sets are those of the default configuration. Returns 0 or -ENOMEM.
int rdkafka_list_print(FILE *out, bool json, char *const *names, unsigned int nb_names);
