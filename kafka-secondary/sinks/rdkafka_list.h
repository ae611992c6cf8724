// SPDX-License-Identifier: BSD-3-Clause
// Print what ringtap does with each property of librdkafka, for users and for other programs.

#pragma once

#include <stdbool.h>
#include <stdio.h>

// Print what there is to say about each of `names`; about every property of librdkafka when there
// are none. `json`: an array with an object a line, else only lines that say something. An alias is
// judged as the property that it stands for. Values that ringtap sets are those of the default
// configuration. Returns 0; -ENOMEM; -ENOENT after a line on `err` for each name that librdkafka
// does not know, with `json` never: there it is a member.
int rdkafka_list_print(FILE *out, FILE *err, bool json, char *const *names, unsigned int nb_names);
