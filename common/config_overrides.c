// SPDX-License-Identifier: BSD-3-Clause
// Options of a command line that override keys.

#include "config_overrides.h"

#include "config_schema.h"

#include <errno.h>

bool rtap_overrides_note(
	struct rtap_overrides *o, const struct rtap_override *table, int option, const char *value
) {
	unsigned int i = 0;

	while (table->option != 0 && table->option != option)
		table++;
	if (table->option == 0)
		return false;
	while (i < o->nb_items && o->items[i].what != table)
		i++;
	if (i == RTAP_MAX_OVERRIDES)
		return false;
	o->items[i].what = table;
	o->items[i].value = value;
	o->nb_items += i == o->nb_items;
	return true;
}

int rtap_overrides_apply(
	const struct rtap_overrides *o, struct rtap_config *cfg, struct rtap_config_error *error
) {
	struct rtap_config_error why;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < o->nb_items; i++) {
		rc = rtap_config_set(cfg, o->items[i].what->path, o->items[i].value, &why);
		if (rc == -EINVAL)
			snprintf(
				error->text, sizeof(error->text), "%s: %.*s",
				o->items[i].what->name, (int)sizeof(error->text) - 32, why.text
			);
		else if (rc < 0)
			snprintf(error->text, sizeof(error->text), "out of memory");
	}
	return rc;
}
