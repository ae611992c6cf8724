// SPDX-License-Identifier: BSD-3-Clause
// Keep the values of keys that have several: lists of strings, properties of librdkafka.

#pragma once

#include "config_schema.h"

// Make a key of type STRING_LIST that one string; "" makes it empty. Returns 0; -EINVAL with
// error->text set; -ENOMEM. The field keeps its value on error.
int rtap_config_list_set(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
);

// Append one string to a key of type STRING_LIST, one property to a key of type PROPERTIES (line 0
// when it comes from no file). Errors as above; a property that is there already is -EINVAL.
int rtap_config_list_add(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *item,
	struct rtap_config_error *error
);
int rtap_config_property_add(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *name,
	const char *value, unsigned int line, unsigned int column, struct rtap_config_error *error
);

// The property that was added last takes its value from elsewhere. 0 or -ENOMEM.
int rtap_config_property_from(
	struct rtap_property_list *list, enum rtap_property_source source, const char *from
);

// The property `name`; NULL when it is not set.
const struct rtap_property *
rtap_config_property_find(const struct rtap_property_list *list, const char *name);

// Free the items. Safe on a zeroed struct.
void rtap_string_list_fini(struct rtap_string_list *list);
void rtap_property_list_fini(struct rtap_property_list *list);
