// SPDX-License-Identifier: BSD-3-Clause
// Read, extend or refuse an entry of `devices` while it is checked.

#include "device_entry.h"

#include "errno_set.h"
#include "log.h"
#include "vdev_args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TYPE "device"

int device_entry_refuse(const struct device_entry *entry, int err, const char *fmt, ...) {
	char place[512], *what;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&what, fmt, ap);
	va_end(ap);
	LOG(ERR, "%s: %s: %s", rtap_config_place(entry->cfg, "devices", place, sizeof(place)),
	    entry->text, len >= 0 ? what : "is refused");
	if (len >= 0)
		free(what);
	return errno_set(err);
}

int device_entry_add(struct device_entry *entry, const char *fmt, ...) {
	char *arguments, *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&arguments, fmt, ap);
	va_end(ap);
	if (len >= 0) {
		len = asprintf(&text, "%s,%s", entry->text, arguments);
		if (len >= 0)
			LOG(NOTICE, "%s: added %s, for the largest frames that may arrive",
			    entry->text, arguments);
		free(arguments);
	}
	if (len < 0)
		return device_entry_refuse(entry, ENOMEM, "%s", strerror(ENOMEM));
	free(entry->text);
	entry->text = text;
	return 0;
}

int device_entry_get(
	const struct device_entry *entry, const char *key, unsigned int n, char *value, size_t size
) {
	int rc = vdev_args_get(entry->text, key, n, value, size);

	if (rc == -ENOSPC)
		return device_entry_refuse(
			entry, EINVAL, "%s= is too long; allowed: %zu characters", key, size - 1
		);
	if (rc < 0 && rc != -ENOENT)
		return device_entry_refuse(
			entry, EINVAL,
			"EAL cannot parse its arguments; allowed: NAME,KEY=VALUE,... with at "
			"most 32 keys"
		);
	return rc == 0 ? 1 : 0;
}
