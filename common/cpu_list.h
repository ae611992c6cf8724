// SPDX-License-Identifier: BSD-3-Clause
// Lists of CPU or lcore numbers: "1,3-5" <-> 1 3 4 5.

#pragma once

#include "config.h"

#include <stdbool.h>

// Parse numbers and ranges, separated by commas, into *list; the order is kept, "" is the empty
// list. Each number is 0..max_cpu and appears once, ranges go up. On success the caller ends *list
// with rtap_cpu_list_fini(). Returns 0, -EINVAL or -ENOMEM; *list is untouched on error.
int rtap_cpu_list_parse(struct rtap_cpu_list *list, const char *text, unsigned int max_cpu);

// Append one number. Returns 0 or -ENOMEM.
int rtap_cpu_list_add(struct rtap_cpu_list *list, unsigned int cpu);

// Fill *list with the CPUs that the calling thread may run on now, ascending. Returns 0 or a
// negative errno.
int rtap_cpu_list_allowed(struct rtap_cpu_list *list);

// The same for those that it could run on if it asked to: isolated CPUs (isolcpus), too, which no
// process is given by itself; not those outside of its cpuset.
int rtap_cpu_list_usable(struct rtap_cpu_list *list);

bool rtap_cpu_list_contains(const struct rtap_cpu_list *list, unsigned int cpu);

// The list as text that parses to the same; the caller frees it. NULL when out of memory.
char *rtap_cpu_list_text(const struct rtap_cpu_list *list);

// Free what the list holds; it is empty afterwards.
void rtap_cpu_list_fini(struct rtap_cpu_list *list);
