// SPDX-License-Identifier: BSD-3-Clause
// Log the properties whose values differ from librdkafka's defaults.

#pragma once

#include "config.h"

#include <librdkafka/rdkafka.h>

// A line each; "(hidden)" stands for what may be a secret and for values that the file keeps
// elsewhere.
void rdkafka_differences_log(rd_kafka_conf_t *conf, const struct rtap_config *cfg);
