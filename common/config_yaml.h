// SPDX-License-Identifier: BSD-3-Clause
// Read a configuration from YAML, strictly: what the table does not ask for is refused where it
// starts.

#pragma once

#include "config.h"

// Set the keys that the text has; *cfg holds the defaults before, and whatever was read when it is
// refused. `name` stands for the text in messages. Returns 0; -EINVAL with error->text set;
// -ENOMEM.
int rtap_config_yaml_read(
	struct rtap_config *cfg, const char *name, const void *data, size_t size,
	struct rtap_config_error *error
);
