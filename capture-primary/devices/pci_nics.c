// SPDX-License-Identifier: BSD-3-Clause
// Describe the PCI network devices of this machine.

#include "pci_nics.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PCI_DEVICES "/sys/bus/pci/devices"
#define PCI_CLASS_NETWORK 0x02

static long read_number(const char *address, const char *file, long otherwise) {
	char path[PATH_MAX], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", address, file);
	f = fopen(path, "re");
	if (f == NULL)
		return otherwise;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	fclose(f);
	return text[0] != '\0' ? strtol(text, NULL, 0) : otherwise;
}

static const char *driver_of(const char *address, char *target, size_t size) {
	char path[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver", address);
	len = readlink(path, target, size - 1);
	if (len < 0)
		return "no driver";
	target[len] = '\0';
	return basename(target);
}

const char *pci_nics_describe(void) {
	static char text[1024];
	char target[PATH_MAX];
	struct dirent *entry;
	size_t len = 0;
	DIR *dir;

	snprintf(text, sizeof(text), "none");
	dir = opendir(PCI_DEVICES);
	if (dir == NULL)
		return text;
	while ((entry = readdir(dir)) != NULL && len < sizeof(text)) {
		if (entry->d_name[0] == '.'
		    || read_number(entry->d_name, "class", 0) >> 16 != PCI_CLASS_NETWORK)
			continue;
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s%s (%s)", len > 0 ? ", " : "",
			entry->d_name, driver_of(entry->d_name, target, sizeof(target))
		);
	}
	closedir(dir);
	return text;
}

unsigned int pci_nics_node(const char *address) {
	char full[64];
	long node;

	// EAL takes 03:00.0 for 0000:03:00.0, sysfs does not.
	snprintf(
		full, sizeof(full), "%s%.32s",
		strchr(address, ':') == strrchr(address, ':') ? "0000:" : "", address
	);
	full[strcspn(full, ",")] = '\0';
	node = read_number(full, "numa_node", 0);
	return node < 0 ? 0 : (unsigned int)node;
}
