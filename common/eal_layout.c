// SPDX-License-Identifier: BSD-3-Clause
// Find EAL's locks in its shared configuration, and the owner of a runtime file by its name.

#include "eal_layout.h"

#include "errno_set.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_OFFSET 4
#define LOCKS_BYTES (RTAP_EAL_NB_LOCKS * sizeof(uint32_t))
// After the locks and mp_status; it is aligned as a pointer.
#define MEMZONES_OFFSET ((RTAP_EAL_LOCKS_OFFSET + LOCKS_BYTES + 1 + 7) & ~(size_t)7)

int rtap_eal_layout_check(const void *head) {
	static const char memzones[] = "memzone";
	const char *bytes = head;
	uint32_t version;

	memcpy(&version, bytes + VERSION_OFFSET, sizeof(version));
	if (version != RTE_VERSION
	    || memcmp(bytes + MEMZONES_OFFSET, memzones, sizeof(memzones)) != 0)
		return errno_set(EPROTO);
	return 0;
}

void rtap_eal_layout_clear_locks(void *head) {
	memset((char *)head + RTAP_EAL_LOCKS_OFFSET, 0, LOCKS_BYTES);
}

pid_t rtap_eal_file_pid(const char *name) {
	static const char *const prefixes[] = {"mp_socket", "fbarray_memseg"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const char *digits;
		char *end;
		long pid;

		if (strncmp(name, prefixes[i], strlen(prefixes[i])) != 0
		    || (digits = strchr(name + strlen(prefixes[i]), '_')) == NULL)
			continue;
		pid = strtol(++digits, &end, 10);
		if (end != digits && (*end == '\0' || *end == '_') && pid > 0 && pid <= INT_MAX)
			return (pid_t)pid;
	}
	return 0;
}
