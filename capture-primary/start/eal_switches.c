// SPDX-License-Identifier: BSD-3-Clause
// Check the user's EAL arguments before EAL sees them.

#include "eal_switches.h"

#include <rte_version.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum value {
	NO_VALUE,
	NEEDS_VALUE, // --name=VALUE, --name VALUE, -nVALUE or -n VALUE
	MAY_HAVE_VALUE, // --name=VALUE
};

struct eal_switch {
	const char *name; // "" = it has only a letter
	char letter; // 0 = none
	enum value value;
	unsigned int since; // the version of DPDK that has the name; letters are older
	const char *only_with; // refused with this value alone, NULL = with any
	const char *refused; // why, and the remedy; NULL = not refused
};

#define V24_11 RTE_VERSION_NUM(24, 11, 0, 0)
#define V25_11 RTE_VERSION_NUM(25, 11, 0, 0)

#define NO_SECONDARY "no secondary could attach; leave it out"
#define USE_LCORES "use main-lcore and receive-lcores of the configuration"
#define USE_BUFFER_MEMORY "use buffer-memory of the configuration"
#define USE_INSTANCE                                                                               \
	"secondaries look for the name under `instance` of the configuration; set that instead"

// All that EAL of 22.11 to 25.11 knows.
static const struct eal_switch switches[] = {
	{"allow", 'a', NEEDS_VALUE, 0, NULL, NULL},
	{"base-virtaddr", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"block", 'b', NEEDS_VALUE, 0, NULL, NULL},
	{"coremask", 'c', NEEDS_VALUE, V25_11, NULL, USE_LCORES},
	{"create-uio-dev", 0, NO_VALUE, 0, NULL, NULL},
	{"driver-path", 'd', NEEDS_VALUE, V25_11, NULL, NULL},
	{"file-prefix", 0, NEEDS_VALUE, 0, NULL, USE_INSTANCE},
	{"force-max-simd-bitwidth", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"help", 'h', NO_VALUE, 0, NULL, NULL},
	{"huge-dir", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"huge-unlink", 0, MAY_HAVE_VALUE, 0, "always", NO_SECONDARY},
	{"huge-worker-stack", 0, MAY_HAVE_VALUE, 0, NULL, NULL},
	{"in-memory", 0, NO_VALUE, 0, NULL, NO_SECONDARY},
	{"iova-mode", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"", 'l', NEEDS_VALUE, 0, NULL, USE_LCORES},
	{"lcores", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"legacy-mem", 0, NO_VALUE, 0, NULL, NULL},
	{"log-color", 0, MAY_HAVE_VALUE, V24_11, NULL, NULL},
	{"log-level", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"log-timestamp", 0, MAY_HAVE_VALUE, V24_11, NULL, NULL},
	{"main-lcore", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"match-allocations", 0, NO_VALUE, 0, NULL, NULL},
	{"mbuf-pool-ops-name", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"memory-channels", 'n', NEEDS_VALUE, V25_11, NULL, NULL},
	{"memory-ranks", 'r', NEEDS_VALUE, V25_11, NULL, NULL},
	{"memory-size", 'm', NEEDS_VALUE, V25_11, NULL, USE_BUFFER_MEMORY},
	{"no-hpet", 0, NO_VALUE, 0, NULL, NULL},
	{"no-huge", 0, NO_VALUE, 0, NULL, NO_SECONDARY},
	{"no-pci", 0, NO_VALUE, 0, NULL, NULL},
	{"no-shconf", 0, NO_VALUE, 0, NULL, NO_SECONDARY},
	{"no-telemetry", 0, NO_VALUE, 0, NULL, NULL},
	{"numa-limit", 0, NEEDS_VALUE, V25_11, NULL, NULL},
	{"numa-mem", 0, NEEDS_VALUE, V25_11, NULL, NULL},
	{"proc-type", 0, NEEDS_VALUE, 0, "secondary",
	 "capture-primary is the primary; leave it out"},
	{"remap-lcore-ids", 0, MAY_HAVE_VALUE, V25_11, NULL, USE_LCORES},
	{"service-corelist", 'S', NEEDS_VALUE, V25_11, NULL, NULL},
	{"service-coremask", 's', NEEDS_VALUE, V25_11, NULL, NULL},
	{"single-file-segments", 0, NO_VALUE, 0, NULL, NULL},
	{"socket-limit", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"socket-mem", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"syslog", 0, RTE_VERSION < V24_11 ? NEEDS_VALUE : MAY_HAVE_VALUE, 0, NULL, NULL},
	{"telemetry", 0, NO_VALUE, 0, NULL, NULL},
	{"trace", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"trace-bufsz", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"trace-dir", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"trace-mode", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"vdev", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"version", 'v', NO_VALUE, V25_11, NULL, NULL},
	{"vfio-intr", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"vfio-vf-token", 0, NEEDS_VALUE, 0, NULL, NULL},
	{"vmware-tsc-map", 0, NO_VALUE, 0, NULL, NULL},
};

static bool is_long(const char *word) {
	return strncmp(word, "--", 2) == 0;
}

static bool is_called(const struct eal_switch *s, const char *word) {
	size_t len;

	if (!is_long(word))
		return word[0] == '-' && s->letter != 0 && word[1] == s->letter;
	len = strcspn(word + 2, "=");
	return RTE_VERSION >= s->since && len > 0 && strlen(s->name) == len
		&& strncmp(s->name, word + 2, len) == 0;
}

static const struct eal_switch *find(const char *word) {
	for (unsigned int i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		if (is_called(&switches[i], word))
			return &switches[i];
	return NULL;
}

// The value that a word has in it, NULL = none.
static const char *value_in(const char *word) {
	const char *equals = strchr(word, '=');

	if (is_long(word))
		return equals != NULL ? equals + 1 : NULL;
	return word[2] != '\0' ? word + 2 : NULL;
}

static bool is_refused(const struct eal_switch *s, const char *value) {
	if (s->refused == NULL)
		return false;
	// A value that is left out means the one that is refused.
	return s->only_with == NULL || value == NULL || strcmp(value, s->only_with) == 0;
}

// Check the switch at `args`. Returns the number of its words, or -EINVAL.
static int check_one(char *const *args, int nb_args, char *why, size_t why_size) {
	const struct eal_switch *s = find(args[0]);
	const char *value = s != NULL ? value_in(args[0]) : NULL;
	int nb_words = s != NULL && s->value == NEEDS_VALUE && value == NULL ? 2 : 1;

	if (s == NULL)
		snprintf(
			why, why_size,
			"EAL of this DPDK has no argument '%s'; `dpdk-testpmd --help` lists all",
			args[0]
		);
	else if (nb_words > nb_args)
		snprintf(why, why_size, "EAL's argument '%s' needs a value", args[0]);
	else if (s->value == NO_VALUE && value != NULL)
		snprintf(why, why_size, "EAL's argument '%s' takes no value", args[0]);
	else if (is_refused(s, nb_words == 2 ? args[1] : value))
		snprintf(why, why_size, "EAL's argument '%s' is refused: %s", args[0], s->refused);
	else
		return nb_words;
	return -EINVAL;
}

int eal_switches_check(char *const *args, int nb_args, char *why, size_t why_size) {
	int rc;

	for (int i = 0; i < nb_args; i += rc) {
		rc = check_one(args + i, nb_args - i, why, why_size);
		if (rc < 0)
			return rc;
	}
	return 0;
}
