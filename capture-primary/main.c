// SPDX-License-Identifier: BSD-3-Clause
// capture-primary: own the ports of an instance and put every packet on its transmit rings.

#include "capture.h"
#include "capture_filter.h"
#include "control_loop.h"
#include "device_check.h"
#include "device_sockets.h"
#include "eal.h"
#include "exit_code.h"
#include "instance_locks.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "runtime_files.h"
#include "standard_fds.h"
#include "standard_output.h"
#include "stop_flag.h"
#include "table_thread.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define LOG_TYPE "main"

// The exit code for what a helper returned: the errors that all of them use alike.
static enum rtap_exit_code exit_code_of(int rc) {
	switch (-rc) {
	case 0:
		return RTAP_EXIT_OK;
	case EINVAL:
		return RTAP_EXIT_CONFIG;
	case ENOMEM:
		return RTAP_EXIT_HUGEPAGES;
	case ENODEV:
		return RTAP_EXIT_NO_PORTS;
	case EBUSY:
		return RTAP_EXIT_ALREADY_RUNNING;
	case EIO:
		return RTAP_EXIT_PORT;
	default:
		return RTAP_EXIT_FAILURE;
	}
}

static int compile_filter(const struct rtap_config *cfg, struct capture_filter **filter) {
	char why[512], place[512];
	int rc = capture_filter_create(filter, cfg->filter, why, sizeof(why));

	if (rc == 0)
		return 0;
	LOG(ERR, "%s: %s", rtap_config_place(cfg, "filter", place, sizeof(place)), why);
	return -EINVAL;
}

static int find_group(const struct rtap_config *cfg, gid_t *gid) {
	const struct group *group;
	char place[512];

	*gid = (gid_t)-1;
	if (cfg->group[0] == '\0')
		return 0;
	group = getgrnam(cfg->group);
	if (group == NULL) {
		LOG(ERR, "%s: this machine has no group '%s'; run `groupadd --system %s`",
		    rtap_config_place(cfg, "group", place, sizeof(place)), cfg->group, cfg->group);
		return -EINVAL;
	}
	*gid = group->gr_gid;
	return 0;
}

static int check_only(const struct rtap_config *cfg) {
	struct sizing s;
	gid_t gid;
	int rc;

	rc = find_group(cfg, &gid);
	if (rc == 0)
		rc = eal_plan(cfg, &s);
	if (rc < 0)
		return exit_code_of(rc);
	rtap_config_print(cfg, stdout);
	sizing_print(&s, cfg, stdout);
	return rtap_standard_output_end("capture-primary", RTAP_EXIT_OK);
}

// Devices for EAL alone are neither checked nor watched.
static void warn_of_hidden_devices(const struct primary_options *opt) {
	for (int i = 0; i < opt->nb_eal_args; i++)
		if (strncmp(opt->eal_args[i], "--vdev", 6) == 0)
			LOG(WARNING,
			    "%s: a device among EAL's arguments is neither checked nor watched; name it "
			    "under `devices`",
			    opt->eal_args[i]);
}

static enum rtap_exit_code
run(const struct rtap_config *cfg, const struct rtap_instance *inst,
    const struct primary_options *opt, const struct capture_filter *filter) {
	static struct capture capture;
	uint8_t boot_id[RTAP_BOOT_ID_SIZE];
	struct sizing plan;
	uint64_t left;
	gid_t gid;
	int rc;

	rc = find_group(cfg, &gid);
	if (rc == 0)
		rc = eal_plan(cfg, &plan);
	if (rc < 0)
		return exit_code_of(rc);
	if (getrandom(boot_id, sizeof(boot_id), 0) != sizeof(boot_id)) {
		LOG(ERR, "cannot read random numbers: %s", strerror(errno));
		return RTAP_EXIT_FAILURE;
	}
	if (opt->wait)
		rtap_notify_patience(cfg->orphan_timeout_s);
	rc = instance_locks_take(inst, gid, boot_id, opt->wait, cfg->orphan_timeout_s);
	if (rc == 0)
		rc = runtime_files_take(inst, cfg->hugepage_directory);
	if (rc < 0)
		return exit_code_of(rc);
	warn_of_hidden_devices(opt);
	rc = device_sockets_remove_stale(cfg);
	if (rc == 0)
		rc = eal_start(cfg, &plan, opt->eal_args, (unsigned int)opt->nb_eal_args);
	if (rc < 0)
		goto remove_files;
	rtap_stop_flag_install();
	if (filter != NULL)
		LOG(NOTICE, "only packets that match \"%s\" are captured", cfg->filter);
	rc = capture_create(&capture, cfg, inst, filter, boot_id, gid);
	if (rc < 0)
		goto remove_files;
	table_thread_start(&capture.counters, cfg->stats_interval_s);
	rc = instance_locks_let_in(inst);
	if (rc < 0)
		goto remove_files;
	capture_set_state(&capture, RTAP_STATE_CAPTURING);
	LOG(NOTICE, "ready: instance %s in %s, %u ports, %u receive queues, %u transmit rings",
	    inst->name, inst->dir, capture.nb_ports, capture.nb_queues, capture.zone.nb_rings);
	rtap_notify("READY=1");

	left = control_loop_run(&capture);

	// Files first: closing a device may meet a lock of EAL that a killed secondary left taken.
	table_thread_print_final(&capture.counters);
	runtime_files_remove_all(inst);
	capture_destroy(&capture);
	if (capture.device_replaced)
		return RTAP_EXIT_DEVICE;
	return left > 0 ? RTAP_EXIT_LEFT_BEHIND : RTAP_EXIT_OK;
remove_files:
	runtime_files_remove_all(inst);
	return exit_code_of(rc);
}

// What needs no configuration.
static int answer(const struct primary_options *opt) {
	if (opt->help)
		fputs(primary_options_help, stdout);
	else if (opt->version)
		puts("capture-primary " RTAP_VERSION);
	else
		rtap_config_print_reference(stdout);
	return rtap_standard_output_end("capture-primary", RTAP_EXIT_OK);
}

int main(int argc, char **argv) {
	struct rtap_config cfg = {0};
	struct rtap_config_error error;
	struct capture_filter *filter;
	struct rtap_instance inst;
	struct primary_options opt;
	enum rtap_exit_code code;
	int rc;

	signal(SIGHUP, SIG_IGN); // the end of a terminal is not the end of a capture
	rtap_standard_fds_open();
	if (primary_options_parse(&opt, argc, argv) < 0)
		return RTAP_EXIT_USAGE;
	if (opt.help || opt.version || opt.help_keys)
		return answer(&opt);
	if (rtap_config_load(&cfg, opt.config_path, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return RTAP_EXIT_CONFIG;
	}
	if (rtap_overrides_apply(&opt.overrides, &cfg, &error) < 0) {
		fprintf(stderr, "capture-primary: %s\n", error.text);
		return RTAP_EXIT_USAGE;
	}
	rtap_log_init("capture-primary", cfg.log_level);
	rc = compile_filter(&cfg, &filter);
	if (rc == 0)
		rc = device_check(&cfg);
	if (rc < 0)
		return exit_code_of(rc);
	if (opt.check)
		return check_only(&cfg);
	if (geteuid() != 0) {
		LOG(ERR,
		    "hugepages and devices need root; start it with sudo or as a system service");
		return RTAP_EXIT_NOT_ROOT;
	}
	if (rtap_instance_init(&inst, cfg.instance) < 0) {
		LOG(ERR, "%s: instance: \"%s\" is not allowed", cfg.file, cfg.instance);
		return RTAP_EXIT_CONFIG;
	}
	code = run(&cfg, &inst, &opt, filter);
	LOG(NOTICE, "ended");
	// Never through EAL's clean-up: it waits for locks that a killed secondary may hold.
	// Nothing is left to flush: the table thread does that, and a pipe without a reader would
	// hold up the end.
	_exit(code);
}
