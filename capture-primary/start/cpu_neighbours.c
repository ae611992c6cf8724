// SPDX-License-Identifier: BSD-3-Clause
// Warn of other instances of this machine that receive on the same CPUs.

#include "cpu_neighbours.h"

#include "counters_file.h"
#include "cpu_list.h"
#include "log.h"
#include "primary_info.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TYPE "cpu"

static bool receives_on(const struct rtap_counters *c, unsigned int cpu) {
	for (uint32_t i = 0; i < c->shape.nb_queues; i++)
		if (c->queues[i].lcore_id == cpu)
			return true;
	return false;
}

static void find_shared(
	struct rtap_cpu_list *shared, const struct rtap_counters *own,
	const struct rtap_counters *other
) {
	struct rtap_cpu_list usable = {0};

	if (rtap_cpu_list_usable(&usable) < 0)
		return;
	for (unsigned int i = 0; i < usable.nb_cpus; i++)
		if (receives_on(own, usable.cpus[i]) && receives_on(other, usable.cpus[i])
		    && rtap_cpu_list_add(shared, usable.cpus[i]) < 0)
			break;
	rtap_cpu_list_fini(&usable);
}

static unsigned int compare(const struct rtap_counters *own, const struct rtap_instance *other) {
	struct rtap_cpu_list shared = {0};
	struct rtap_counters counters;
	unsigned int nb_warnings = 0;
	char path[512], why[256];
	char *cpus;

	if (rtap_primary_is_alive(other) != 1)
		return 0;
	rtap_instance_path(other, RTAP_FILE_COUNTERS, path, sizeof(path));
	if (rtap_counters_map(&counters, path, false, why, sizeof(why)) < 0)
		return 0;
	find_shared(&shared, own, &counters);
	cpus = rtap_cpu_list_text(&shared);
	if (shared.nb_cpus > 0 && cpus != NULL) {
		LOG(WARNING,
		    "instance %s also receives on CPU %s: each waits for the other and may drop "
		    "packets; give every instance its own CPUs under receive-lcores",
		    other->name, cpus);
		nb_warnings = 1;
	}
	free(cpus);
	rtap_cpu_list_fini(&shared);
	rtap_counters_unmap(&counters);
	return nb_warnings;
}

unsigned int
cpu_neighbours_warn(const struct rtap_instance *inst, const struct rtap_counters *own) {
	char base[sizeof(inst->dir)];
	struct rtap_instance other;
	unsigned int nb_warnings = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(base, sizeof(base), "%s", inst->dir);
	*strrchr(base, '/') = '\0';
	dir = opendir(base);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, inst->name) != 0
		    && rtap_instance_init(&other, entry->d_name) == 0)
			nb_warnings += compare(own, &other);
	closedir(dir);
	return nb_warnings;
}
