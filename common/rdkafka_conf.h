// SPDX-License-Identifier: BSD-3-Clause
// Set and read the properties of librdkafka as a user writes them: text that means what it says.

#pragma once

#include <librdkafka/rdkafka.h>

#include <stddef.h>
#include <stdio.h>

// Why no text can be the value of a property, by its name; NULL when one can.
const char *rtap_rdkafka_why_not_text(const char *name);

// Set a property. Returns 0; -EINVAL with `why` set to one line that may name the property and
// never has its value: that may be a secret under a misspelt name.
int rtap_rdkafka_set(
	rd_kafka_conf_t *conf, const char *name, const char *value, char *why, size_t size
);

// The same for one of ours: 0 as well when this librdkafka is too old to have it.
int rtap_rdkafka_set_if_known(
	rd_kafka_conf_t *conf, const char *name, const char *value, char *why, size_t size
);

// The same for what a user wrote: a number that librdkafka reads as another one is refused, too.
int rtap_rdkafka_set_checked(
	rd_kafka_conf_t *conf, const char *name, const char *value, char *why, size_t size
);

// Whether `taken`, what librdkafka says that a property is after it was set to `text`, is that
// number; any text that is not read as a number passes. Returns 0; -EINVAL with `why` set, which
// has neither the property's name nor `text`.
int rtap_rdkafka_check_number(const char *text, const char *taken, char *why, size_t size);

// The value of a property. Returns 0, or -ENOENT and "" when it has none.
int rtap_rdkafka_get(const rd_kafka_conf_t *conf, const char *name, char *value, size_t size);

// librdkafka's own table of its properties, a line each: `NAME | C/P/* | ...`. NULL when memory is
// short; the caller frees it.
char *rtap_rdkafka_table(void);

// Print librdkafka's version and its features, a line each.
void rtap_rdkafka_print_version(FILE *out);
