// SPDX-License-Identifier: BSD-3-Clause
// Validate the producer's properties before any worker is started.

#pragma once

#include "config.h"

// Build the properties, look for the files that they name and create a producer with them; warn of
// what weakens the promise and log every value that differs from librdkafka's default. The producer
// is not destroyed: call it in a process that ends with _exit() afterwards. 0 or -EINVAL, logged.
int rdkafka_validate(const struct rtap_config *cfg, unsigned int nb_rings);
