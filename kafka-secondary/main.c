// SPDX-License-Identifier: BSD-3-Clause
// kafka-secondary: carry packets from the transmit rings of a capture-primary to Kafka.

#include "attach.h"
#include "exit_code.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "rdkafka_conf.h"
#include "rdkafka_list.h"
#include "rdkafka_validate.h"
#include "run_as.h"
#include "standard_fds.h"
#include "standard_output.h"
#include "stop_flag.h"
#include "supervisor.h"

#include <rte_version.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_TYPE "main"

static int load_config(struct rtap_config *cfg, const struct options *opt) {
	struct rtap_config_error error;

	if (rtap_config_load(cfg, opt->config_path, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return RTAP_EXIT_CONFIG;
	}
	if (rtap_overrides_apply(&opt->overrides, cfg, &error) < 0) {
		fprintf(stderr, "kafka-secondary: %s\n", error.text);
		return RTAP_EXIT_USAGE;
	}
	return -1;
}

// librdkafka's constructor starts threads: a process that attaches and forks must not have them.
static int validate_in_child(const struct rtap_config *cfg, const struct run_as *who) {
	unsigned int nb_rings = (unsigned int)(cfg->receive_queues * cfg->transmit_rings_per_queue);
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int rc = run_as_become(who);

		if (rc < 0)
			LOG(ERR, "run-as: %s: %s", who->name, strerror(-rc));
		_exit(rc < 0 || rdkafka_validate(cfg, nb_rings) < 0 ? RTAP_EXIT_CONFIG
								    : RTAP_EXIT_OK);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		LOG(ERR, "fork: %s", strerror(errno));
		return RTAP_EXIT_FAILURE;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == RTAP_EXIT_OK)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : RTAP_EXIT_FAILURE;
}

static int check_only(const struct rtap_config *cfg, const struct run_as *who) {
	int code = validate_in_child(cfg, who);

	if (code >= 0)
		return code;
	rtap_config_print(cfg, stdout);
	return rtap_standard_output_end("kafka-secondary", RTAP_EXIT_OK);
}

static int print_versions(void) {
	printf("kafka-secondary " RTAP_VERSION "\n%s\n", rte_version());
	rtap_rdkafka_print_version(stdout);
	return rtap_standard_output_end("kafka-secondary", RTAP_EXIT_OK);
}

static int print_properties(const struct options *opt) {
	if (rdkafka_list_print(stdout, opt->json, opt->names, opt->nb_names) < 0) {
		fputs("kafka-secondary: out of memory\n", stderr);
		return RTAP_EXIT_FAILURE;
	}
	return rtap_standard_output_end("kafka-secondary", RTAP_EXIT_OK);
}

// What the configuration names on this machine: values that stand elsewhere, the workers' user.
static int look_up(struct rtap_config *cfg, struct run_as *who) {
	struct rtap_config_error error;

	if (rtap_config_read_secrets(cfg, &error) < 0) {
		LOG(ERR, "%s", error.text);
		return RTAP_EXIT_CONFIG;
	}
	return run_as_find(who, cfg) < 0 ? RTAP_EXIT_CONFIG : -1;
}

int main(int argc, char **argv) {
	struct rtap_config cfg = {0};
	struct rtap_instance inst;
	static struct attachment attachment;
	struct options opt;
	struct run_as who;
	sigset_t mask;
	int code;

	signal(SIGHUP, SIG_IGN); // until there is something to open anew
	prctl(PR_SET_DUMPABLE, 0); // no core dump of us or of a worker: secrets would be in it
	rtap_standard_fds_open();
	code = options_parse(&opt, argc, argv);
	if (code >= 0)
		return rtap_standard_output_end("kafka-secondary", code);
	if (opt.version)
		return print_versions();
	if (opt.properties)
		return print_properties(&opt);
	code = load_config(&cfg, &opt);
	if (code >= 0)
		return code;
	rtap_log_init("kafka-secondary", cfg.log_level);
	code = look_up(&cfg, &who);
	if (code >= 0)
		return code;
	if (opt.check)
		return check_only(&cfg, &who);
	if (geteuid() != 0) {
		LOG(ERR,
		    "hugepages and EAL's files need root; start it with sudo or as a system service"
		);
		return RTAP_EXIT_NOT_ROOT;
	}
	if (rtap_instance_init(&inst, cfg.instance) < 0) {
		LOG(ERR, "%s: instance: \"%s\" is not allowed", cfg.file, cfg.instance);
		return RTAP_EXIT_CONFIG;
	}
	code = validate_in_child(&cfg, &who);
	if (code >= 0)
		return code;
	// What needs a human has been looked at; a primary that is not there yet does not.
	rtap_notify("READY=1");
	// A signal in the middle of EAL would leave its locks behind.
	rtap_stop_flag_block(&mask);
	code = attach(&attachment, &cfg, &inst);
	if (code >= 0) {
		detach(&inst);
		_exit(code);
	}
	rtap_stop_flag_install();
	rtap_stop_flag_unblock(&mask);
	LOG(NOTICE, "attached to instance %s: %u transmit rings; starting %u workers", inst.name,
	    attachment.header.nb_rings, (unsigned int)cfg.workers);
	code = supervisor_run(&cfg, &inst, &who, &attachment);
	detach(&inst);
	LOG(NOTICE, "ended");
	_exit(code); // never through EAL's clean-up
}
