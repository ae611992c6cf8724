// SPDX-License-Identifier: BSD-3-Clause
// Build the EAL arguments of the primary and of a secondary from the configuration. Pure: needs no
// EAL.

#pragma once

#include "config.h"
#include "fixed_limits.h"

struct rtap_eal_args {
	int argc;
	char **argv; // argc strings and NULL; EAL reorders it
	struct rtap_cpu_list
		receive_lcores; // lcore ids of the receive workers; empty for a secondary
	char **strings; // what argv points to, in our order
};

// Facts that the configuration does not have. Everything is the caller's and copied.
struct rtap_eal_host {
	const char *program; // argv[0]
	const struct rtap_cpu_list *allowed; // CPUs that this process runs on: the default
	const struct rtap_cpu_list *usable; // and those that may be named, isolated ones included
	const unsigned int *socket_mem_mib; // hugepage memory to take on each NUMA node
	unsigned int nb_sockets; // 0 = leave it to EAL
	char *const *user_args; // appended as they are, so that they win
	unsigned int nb_user_args;
};

// Build the arguments of the primary: one lcore per CPU for the control thread and each receive
// worker; on a machine with one CPU they share it. On success end *args with rtap_eal_args_fini(),
// not before EAL has gone: it may keep pointers into them. Returns 0; -EINVAL with error->text when
// lcores and CPUs do not fit together; -ENOMEM.
int rtap_eal_args_primary(
	struct rtap_eal_args *args, const struct rtap_config *cfg, const struct rtap_eal_host *host,
	struct rtap_config_error *error
);

// The same for a secondary: no PCI, no lcore threads, no pinning. Memory and the user's arguments
// are for the primary only.
int rtap_eal_args_secondary(
	struct rtap_eal_args *args, const struct rtap_config *cfg, const struct rtap_eal_host *host,
	struct rtap_config_error *error
);

// Safe on a zeroed struct.
void rtap_eal_args_fini(struct rtap_eal_args *args);
