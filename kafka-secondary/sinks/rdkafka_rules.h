// SPDX-License-Identifier: BSD-3-Clause
// List which properties of librdkafka ringtap sets, and which it refuses and why. The one place
// that says so: `--properties` prints it for other programs.

#pragma once

#include "config.h"

#include <librdkafka/rdkafka.h>

#include <stddef.h>

// What would break the promise, by the effective value, so that an alias is no way around.
struct rdkafka_promise {
	const char *name;
	const char *required; // the one value allowed, or
	const char *forbidden; // the one value refused
	const char *why;
};

#define RDKAFKA_NB_PROMISES 6
extern const struct rdkafka_promise rdkafka_promises[RDKAFKA_NB_PROMISES];

// Check all promises. Returns 0, or -EINVAL with `why` set to "NAME=VALUE is refused: ...".
int rdkafka_rules_check(const rd_kafka_conf_t *conf, char *why, size_t size);

// Why a property is refused whatever its value is; NULL when it is not.
const char *rdkafka_rules_why_refused(const char *name);

// A property that ringtap sets before the user's, where librdkafka has it: the user's value wins
// unless a promise forbids it.
struct rdkafka_own {
	const char *name;
	char value[24];
};

#define RDKAFKA_NB_OWN 12

// For an instance with `nb_rings` transmit rings.
void rdkafka_rules_own(
	struct rdkafka_own own[static RDKAFKA_NB_OWN], const struct rtap_config *cfg,
	unsigned int nb_rings
);
