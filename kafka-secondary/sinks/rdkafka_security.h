// SPDX-License-Identifier: BSD-3-Clause
// Judge the security of a connection: whether librdkafka was built for it, and the principal it
// gives us.

#pragma once

#include "config.h"

#include <librdkafka/rdkafka.h>

#include <stddef.h>

// Check that librdkafka has what the properties ask for. Returns 0; -EINVAL with `why` set to one
// line that names file and line.
int rdkafka_security_check(
	const rd_kafka_conf_t *conf, const struct rtap_config *cfg, char *why, size_t size
);

// The feature that `protocol` and `mechanism` need and that `features`, librdkafka's
// builtin.features, does not list; NULL when nothing is missing, "" for an unknown mechanism.
const char *
rdkafka_security_missing(const char *features, const char *protocol, const char *mechanism);

// The principal that the broker sees with these properties, as far as they tell: "User:ringtap".
// NULL when only the broker can tell. Returns `buf`; reads the file of a client certificate.
const char *rdkafka_security_principal(const rd_kafka_conf_t *conf, char *buf, size_t size);
