// SPDX-License-Identifier: BSD-3-Clause
// Read one property of librdkafka from YAML: its text, or the place where that stands.

#pragma once

#include "config_schema.h"
#include "yaml_reader.h"

// The name of the property, a scalar, is the current event; the last event of its value is
// afterwards. Returns 0; -EINVAL with the reader's error->text set; -ENOMEM.
int rtap_yaml_property_read(
	struct rtap_yaml_reader *y, struct rtap_config *cfg, const struct rtap_config_key *key
);
