// SPDX-License-Identifier: BSD-3-Clause
// Lists of CPU or lcore numbers: "1,3-5" <-> 1 3 4 5.

#include "cpu_list.h"

#include "errno_set.h"

#include <ctype.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

int rtap_cpu_list_add(struct rtap_cpu_list *list, unsigned int cpu) {
	uint16_t *cpus = reallocarray(list->cpus, list->nb_cpus + 1, sizeof(*cpus));

	if (cpus == NULL)
		return errno_set(ENOMEM);
	list->cpus = cpus;
	list->cpus[list->nb_cpus++] = (uint16_t)cpu;
	return 0;
}

bool rtap_cpu_list_contains(const struct rtap_cpu_list *list, unsigned int cpu) {
	for (unsigned int i = 0; i < list->nb_cpus; i++) {
		if (list->cpus[i] == cpu)
			return true;
	}
	return false;
}

static int parse_cpu(const char **text, unsigned int max_cpu, unsigned int *cpu) {
	char *end;
	unsigned long number;

	if (!isdigit((unsigned char)**text))
		return errno_set(EINVAL);
	number = strtoul(*text, &end, 10); // too large a number becomes ULONG_MAX
	if (number > max_cpu)
		return errno_set(EINVAL);
	*text = end;
	*cpu = (unsigned int)number;
	return 0;
}

// One number or range at *text, and all of it into the list.
static int parse_range(struct rtap_cpu_list *list, const char **text, unsigned int max_cpu) {
	unsigned int first = 0, last;
	int rc = parse_cpu(text, max_cpu, &first);

	last = first;
	if (rc == 0 && **text == '-') {
		(*text)++;
		rc = parse_cpu(text, max_cpu, &last);
	}
	if (rc == 0 && last < first)
		rc = errno_set(EINVAL);
	for (unsigned int cpu = first; rc == 0 && cpu <= last; cpu++) {
		if (rtap_cpu_list_contains(list, cpu))
			rc = errno_set(EINVAL);
		else
			rc = rtap_cpu_list_add(list, cpu);
	}
	return rc;
}

int rtap_cpu_list_parse(struct rtap_cpu_list *list, const char *text, unsigned int max_cpu) {
	struct rtap_cpu_list parsed = {0};
	int rc = *text == '\0' ? 0 : parse_range(&parsed, &text, max_cpu);

	while (rc == 0 && *text == ',') {
		text++;
		while (*text == ' ')
			text++;
		rc = parse_range(&parsed, &text, max_cpu);
	}
	if (rc == 0 && *text != '\0')
		rc = errno_set(EINVAL);
	if (rc == 0)
		*list = parsed;
	else
		rtap_cpu_list_fini(&parsed);
	return rc;
}

int rtap_cpu_list_allowed(struct rtap_cpu_list *list) {
	struct rtap_cpu_list allowed = {0};
	cpu_set_t set;
	int rc = 0;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return -errno;
	for (unsigned int cpu = 0; rc == 0 && cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &set))
			rc = rtap_cpu_list_add(&allowed, cpu);
	}
	if (rc == 0)
		*list = allowed;
	else
		rtap_cpu_list_fini(&allowed);
	return rc;
}

int rtap_cpu_list_usable(struct rtap_cpu_list *list) {
	cpu_set_t before, all;
	int rc;

	if (sched_getaffinity(0, sizeof(before), &before) != 0)
		return -errno;
	memset(&all, 0xff, sizeof(all));
	if (sched_setaffinity(0, sizeof(all), &all) != 0)
		return -errno;
	// The kernel has taken away what is offline or not in the cpuset.
	rc = rtap_cpu_list_allowed(list);
	if (sched_setaffinity(0, sizeof(before), &before) != 0 && rc == 0) {
		rtap_cpu_list_fini(list);
		rc = -errno;
	}
	return rc;
}

char *rtap_cpu_list_text(const struct rtap_cpu_list *list) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	for (unsigned int i = 0; i < list->nb_cpus; i++) {
		unsigned int first = list->cpus[i];

		while (i + 1 < list->nb_cpus && list->cpus[i + 1] == list->cpus[i] + 1)
			i++;
		if (ftell(out) > 0)
			fputc(',', out);
		fprintf(out, list->cpus[i] == first ? "%u" : "%u-%u", first, list->cpus[i]);
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

void rtap_cpu_list_fini(struct rtap_cpu_list *list) {
	free(list->cpus);
	*list = (struct rtap_cpu_list){0};
}
