// SPDX-License-Identifier: BSD-3-Clause
// The EAL arguments of the primary and of a secondary, from the configuration.

#include "eal_args.h"

#include "attributes.h"
#include "config_schema.h"
#include "cpu_list.h"
#include "eal_layout.h"
#include "errno_set.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int
refuse(struct rtap_config_error *error, const struct rtap_config *cfg, const char *key,
       const char *fmt, ...) RTAP_PRINTF(4, 5);

static int
refuse(struct rtap_config_error *error, const struct rtap_config *cfg, const char *key,
       const char *fmt, ...) {
	char what[256], place[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(
		error->text, sizeof(error->text), "%s: %s",
		rtap_config_place(cfg, key, place, sizeof(place)), what
	);
	return errno_set(EINVAL);
}

// Append an argument. Returns 0 or -ENOMEM.
static int RTAP_PRINTF(2, 3) add(struct rtap_eal_args *args, const char *fmt, ...) {
	char **strings = reallocarray(args->strings, (size_t)args->argc + 1, sizeof(*strings));
	va_list ap;
	int len;

	if (strings == NULL)
		return errno_set(ENOMEM);
	args->strings = strings;
	va_start(ap, fmt);
	len = vasprintf(&strings[args->argc], fmt, ap);
	va_end(ap);
	if (len < 0)
		return errno_set(ENOMEM);
	args->argc++;
	return 0;
}

// EAL gets pointers of its own, as it moves them around.
static int finish(struct rtap_eal_args *args) {
	args->argv = calloc((size_t)args->argc + 1, sizeof(*args->argv));
	if (args->argv == NULL)
		return errno_set(ENOMEM);
	memcpy(args->argv, args->strings, (size_t)args->argc * sizeof(*args->argv));
	return 0;
}

// Refuse a CPU of a key and say which ones there are.
static int refuse_cpu(
	struct rtap_config_error *error, const struct rtap_config *cfg, const char *key,
	unsigned int cpu, const struct rtap_cpu_list *usable
) {
	char *text = rtap_cpu_list_text(usable);
	int rc;

	rc = refuse(
		error, cfg, key, "CPU %u is not one that this process may use; allowed: %.160s",
		cpu, text != NULL ? text : ""
	);
	free(text);
	return rc;
}

static int check_configured_lcores(
	const struct rtap_config *cfg, const struct rtap_cpu_list *usable,
	struct rtap_config_error *error
) {
	for (unsigned int i = 0; i < cfg->receive_lcores.nb_cpus; i++) {
		unsigned int cpu = cfg->receive_lcores.cpus[i];

		if (cpu == cfg->main_lcore)
			return refuse(
				error, cfg, "receive-lcores",
				"CPU %u is the main lcore's; allowed: any other CPU", cpu
			);
		if (!rtap_cpu_list_contains(usable, cpu))
			return refuse_cpu(error, cfg, "receive-lcores", cpu, usable);
	}
	return 0;
}

static int copy_other_cpus(
	struct rtap_cpu_list *lcores, const struct rtap_cpu_list *cpus, unsigned int main_lcore
) {
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < cpus->nb_cpus; i++) {
		if (cpus->cpus[i] != main_lcore)
			rc = rtap_cpu_list_add(lcores, cpus->cpus[i]);
	}
	return rc;
}

// The lcores of the receive workers: as configured, else all CPUs but the main lcore's.
static int choose_lcores(
	struct rtap_eal_args *args, const struct rtap_config *cfg, const struct rtap_eal_host *host,
	struct rtap_config_error *error
) {
	bool configured = cfg->receive_lcores.nb_cpus > 0;
	unsigned int main_lcore = (unsigned int)cfg->main_lcore;
	struct rtap_cpu_list *lcores = &args->receive_lcores;
	int rc;

	if (!rtap_cpu_list_contains(host->usable, main_lcore))
		return refuse_cpu(error, cfg, "main-lcore", main_lcore, host->usable);
	rc = check_configured_lcores(cfg, host->usable, error);
	if (rc == 0)
		rc = copy_other_cpus(
			lcores, configured ? &cfg->receive_lcores : host->allowed, main_lcore
		);
	if (rc == 0 && lcores->nb_cpus == 0) // one CPU for all
		rc = rtap_cpu_list_add(lcores, main_lcore + 1);
	for (unsigned int i = 0; rc == 0 && i < lcores->nb_cpus; i++) {
		if (lcores->cpus[i] > RTAP_EAL_MAX_LCORE)
			rc = refuse(
				error, cfg, "receive-lcores",
				"lcore %u is more than DPDK takes; allowed: up to %d, name them",
				lcores->cpus[i], RTAP_EAL_MAX_LCORE
			);
	}
	return rc;
}

// "0@0,1@1": each lcore on the CPU of its number, if there is one.
static char *lcores_text(
	unsigned int main_lcore, const struct rtap_cpu_list *receive_lcores,
	const struct rtap_cpu_list *usable
) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	fprintf(out, "%u@%u", main_lcore, main_lcore);
	for (unsigned int i = 0; i < receive_lcores->nb_cpus; i++) {
		unsigned int lcore = receive_lcores->cpus[i];
		bool own_cpu = rtap_cpu_list_contains(usable, lcore);

		fprintf(out, ",%u@%u", lcore, own_cpu ? lcore : main_lcore);
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int add_lcores(
	struct rtap_eal_args *args, const struct rtap_config *cfg,
	const struct rtap_cpu_list *usable
) {
	unsigned int main_lcore = (unsigned int)cfg->main_lcore;
	char *text = lcores_text(main_lcore, &args->receive_lcores, usable);
	int rc = text != NULL ? add(args, "--lcores=%s", text) : errno_set(ENOMEM);

	free(text);
	return rc == 0 ? add(args, "--main-lcore=%u", main_lcore) : rc;
}

static int add_socket_mem(struct rtap_eal_args *args, const struct rtap_eal_host *host) {
	char text[512];
	size_t used = 0;

	if (host->nb_sockets == 0)
		return 0;
	for (unsigned int i = 0; i < host->nb_sockets && used < sizeof(text); i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%u", i > 0 ? "," : "",
			host->socket_mem_mib[i]
		);
	return add(args, "--socket-mem=%s", text);
}

static int add_devices(struct rtap_eal_args *args, const struct rtap_string_list *devices) {
	unsigned int nb_pci = 0;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < devices->nb_items; i++) {
		bool pci = rtap_config_device_is_pci(devices->items[i]);

		rc = add(args, pci ? "--allow=%s" : "--vdev=%s", devices->items[i]);
		nb_pci += pci;
	}
	if (rc == 0 && devices->nb_items > 0 && nb_pci == 0)
		rc = add(args, "--no-pci");
	return rc;
}

static int add_huge_dir(struct rtap_eal_args *args, const struct rtap_config *cfg) {
	if (*cfg->hugepage_directory == '\0')
		return 0;
	return add(args, "--huge-dir=%s", cfg->hugepage_directory);
}

// EAL's notices and information are for its own developers: it says no more than its warnings.
static int add_log_level(struct rtap_eal_args *args, enum rtap_log_level level) {
	static const char *const names[] = {
		[RTAP_LOG_ERR] = "error",      [RTAP_LOG_WARNING] = "warning",
		[RTAP_LOG_NOTICE] = "warning", [RTAP_LOG_INFO] = "warning",
		[RTAP_LOG_DEBUG] = "debug",
	};

	return add(args, "--log-level=%s", names[level]);
}

static int build_primary(
	struct rtap_eal_args *args, const struct rtap_config *cfg, const struct rtap_eal_host *host,
	struct rtap_config_error *error
) {
	int rc = choose_lcores(args, cfg, host, error);

	rc = rc ?: add(args, "%s", host->program);
	rc = rc ?: add(args, "--file-prefix=%s", cfg->instance);
	rc = rc ?: add(args, "--proc-type=primary");
	rc = rc ?: add_lcores(args, cfg, host->usable);
	rc = rc ?: add_socket_mem(args, host);
	rc = rc ?: add(args, "--single-file-segments");
	rc = rc ?: add_huge_dir(args, cfg);
	rc = rc ?: add_devices(args, &cfg->devices);
	rc = rc ?: add_log_level(args, cfg->log_level);
	for (unsigned int i = 0; rc == 0 && i < host->nb_user_args; i++)
		rc = add(args, "%s", host->user_args[i]);
	return rc ?: finish(args);
}

// EAL pins its main thread to the CPUs of its one lcore: give that all CPUs that EAL can name.
static int add_shared_lcore(
	struct rtap_eal_args *args, const struct rtap_config *cfg,
	const struct rtap_cpu_list *allowed, struct rtap_config_error *error
) {
	struct rtap_cpu_list cpus = {0};
	char *text = NULL;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < allowed->nb_cpus; i++) {
		if (allowed->cpus[i] <= RTAP_EAL_MAX_LCORE)
			rc = rtap_cpu_list_add(&cpus, allowed->cpus[i]);
	}
	if (rc == 0 && cpus.nb_cpus == 0)
		rc = refuse(
			error, cfg, "CPUs of this process",
			"DPDK takes none of them; allowed: at least one from 0 to %d",
			RTAP_EAL_MAX_LCORE
		);
	if (rc == 0 && (text = rtap_cpu_list_text(&cpus)) == NULL)
		rc = errno_set(ENOMEM);
	rc = rc ?: add(args, "--lcores=%d@(%s)", RTAP_EAL_MAX_LCORE, text);
	free(text);
	rtap_cpu_list_fini(&cpus);
	return rc;
}

static int build_secondary(
	struct rtap_eal_args *args, const struct rtap_config *cfg, const struct rtap_eal_host *host,
	struct rtap_config_error *error
) {
	int rc = add(args, "%s", host->program);

	rc = rc ?: add(args, "--file-prefix=%s", cfg->instance);
	rc = rc ?: add(args, "--proc-type=secondary");
	rc = rc ?: add(args, "--no-pci");
	rc = rc ?: add_shared_lcore(args, cfg, host->allowed, error);
	rc = rc ?: add_huge_dir(args, cfg);
	rc = rc ?: add_log_level(args, cfg->log_level);
	return rc ?: finish(args);
}

int rtap_eal_args_primary(
	struct rtap_eal_args *args, const struct rtap_config *cfg, const struct rtap_eal_host *host,
	struct rtap_config_error *error
) {
	int rc;

	*args = (struct rtap_eal_args){0};
	rc = build_primary(args, cfg, host, error);
	if (rc != 0)
		rtap_eal_args_fini(args);
	return rc;
}

int rtap_eal_args_secondary(
	struct rtap_eal_args *args, const struct rtap_config *cfg, const struct rtap_eal_host *host,
	struct rtap_config_error *error
) {
	int rc;

	*args = (struct rtap_eal_args){0};
	rc = build_secondary(args, cfg, host, error);
	if (rc != 0)
		rtap_eal_args_fini(args);
	return rc;
}

void rtap_eal_args_fini(struct rtap_eal_args *args) {
	for (int i = 0; i < args->argc; i++)
		free(args->strings[i]);
	free(args->strings);
	free(args->argv);
	rtap_cpu_list_fini(&args->receive_lcores);
	*args = (struct rtap_eal_args){0};
}
