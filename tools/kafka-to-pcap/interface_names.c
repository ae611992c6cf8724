// SPDX-License-Identifier: BSD-3-Clause
// Numbers for the names of interfaces. There are few, and packets of one come in a row.

#include "interface_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int interface_names_init(struct interface_names *names, const char *first) {
	memset(names, 0, sizeof(*names));
	names->names[0] = strdup(first);
	if (names->names[0] == NULL)
		return -ENOMEM;
	names->nb = 1;
	return 0;
}

void interface_names_fini(struct interface_names *names) {
	for (unsigned int i = 0; i < names->nb; i++)
		free(names->names[i]);
	memset(names, 0, sizeof(*names));
}

static bool
is_name(const struct interface_names *names, unsigned int i, const char *name, size_t len) {
	return strncmp(names->names[i], name, len) == 0 && names->names[i][len] == '\0';
}

unsigned int interface_names_number(struct interface_names *names, const char *name, size_t len) {
	if (is_name(names, names->last, name, len))
		return names->last;
	for (unsigned int i = 0; i < names->nb; i++)
		if (is_name(names, i, name, len))
			return names->last = i;
	if (names->nb == INTERFACE_NAMES_MAX)
		return 0;
	names->names[names->nb] = strndup(name, len);
	if (names->names[names->nb] == NULL)
		return 0;
	return names->last = names->nb++;
}
