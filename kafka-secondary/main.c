// SPDX-License-Identifier: BSD-3-Clause
// kafka-secondary: carry packets from the transmit rings of a capture-primary to Kafka.

#include "attach.h"
#include "attributes.h"
#include "descriptors.h"
#include "detach.h"
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

#define LEAST_FILES 64 // EAL's, and some brokers'

// The exit code for what a helper returned: the errors that all of them use alike.
static enum rtap_exit_code exit_code_of(int rc) {
	switch (-rc) {
	case 0:
		return RTAP_EXIT_OK;
	case EINVAL:
		return RTAP_EXIT_CONFIG;
	case ESRCH:
		return RTAP_EXIT_NO_PRIMARY;
	case EPROTO:
		return RTAP_EXIT_MISMATCH;
	case ETIMEDOUT:
	case EIO:
		return RTAP_EXIT_ATTACH;
	default:
		return RTAP_EXIT_FAILURE;
	}
}

// In the child: the exit code says whether the workers' user may use the properties.
static RTAP_NORETURN void
validate_and_exit(const struct rtap_config *cfg, const struct run_as *who) {
	unsigned int nb_rings = (unsigned int)(cfg->receive_queues * cfg->transmit_rings_per_queue);
	int rc = run_as_become(who);

	prctl(PR_SET_PDEATHSIG, SIGKILL); // a file of TLS may hold up a read for ever
	if (rc < 0)
		LOG(ERR, "run-as: %s: %s", who->name, strerror(-rc));
	else
		rc = rdkafka_validate(cfg, nb_rings);
	_exit(rc < 0 ? RTAP_EXIT_CONFIG : RTAP_EXIT_OK);
}

// librdkafka's constructor starts threads: a process that attaches and forks must not have them.
// Returns 0; -EINVAL when the properties are refused, another negative errno when they could not be
// validated. Logged.
static int validate_in_child(const struct rtap_config *cfg, const struct run_as *who) {
	int status;
	pid_t pid = fork();

	if (pid == 0)
		validate_and_exit(cfg, who);
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		int rc = -errno;

		LOG(ERR, "fork: %s", strerror(-rc));
		return rc;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == RTAP_EXIT_OK ? 0 : -EINVAL;
	LOG(ERR,
	    "the process that validates the properties under `kafka` was killed by signal %d (%s); look "
	    "for the reason in the kernel's log (dmesg), then start again",
	    WTERMSIG(status), strsignal(WTERMSIG(status)));
	return -ECANCELED;
}

static int print_versions(void) {
	printf("kafka-secondary " RTAP_VERSION "\n%s\n", rte_version());
	rtap_rdkafka_print_version(stdout);
	return RTAP_EXIT_OK;
}

static int print_properties(const struct secondary_options *opt) {
	int rc = rdkafka_list_print(stdout, stderr, opt->json, opt->names, opt->nb_names);

	if (rc != -ENOMEM)
		return rc == 0 ? RTAP_EXIT_OK : RTAP_EXIT_USAGE;
	fputs("kafka-secondary: out of memory\n", stderr);
	return RTAP_EXIT_FAILURE;
}

// What needs no configuration.
static int answer(const struct secondary_options *opt) {
	if (opt->help) {
		fputs(secondary_options_help, stdout);
		return RTAP_EXIT_OK;
	}
	return opt->version ? print_versions() : print_properties(opt);
}

// Look up what the configuration names on this machine: values that stand elsewhere, the workers'
// user.
static int look_up(struct rtap_config *cfg, struct run_as *who) {
	struct rtap_config_error error;
	int rc = rtap_config_read_secrets(cfg, &error);

	if (rc < 0) {
		LOG(ERR, "%s", error.text);
		return rc;
	}
	return run_as_find(who, cfg);
}

static int check_only(const struct rtap_config *cfg, const struct run_as *who) {
	int rc = validate_in_child(cfg, who);

	if (rc < 0)
		return exit_code_of(rc);
	rtap_config_print(cfg, stdout);
	return rtap_standard_output_end("kafka-secondary", RTAP_EXIT_OK);
}

// Attach and serve until the end. Returns the exit code.
static int
run(const struct rtap_config *cfg, const struct rtap_instance *inst, const struct run_as *who) {
	static struct attachment attachment;
	sigset_t mask;
	int rc;

	// A signal in the middle of EAL would leave its locks behind.
	rtap_stop_flag_block(&mask);
	rc = attach(&attachment, cfg, inst);
	if (rc < 0) {
		// Files of our pid may be another's, in another pid namespace.
		if (attachment.eal_started)
			detach(inst);
		return exit_code_of(rc);
	}
	rtap_stop_flag_install();
	rtap_stop_flag_unblock(&mask);
	LOG(NOTICE, "attached to instance %s: %u transmit rings; starting %u workers", inst->name,
	    attachment.header.nb_rings, (unsigned int)cfg->workers);
	rc = supervisor_run(cfg, inst, who, &attachment);
	detach(inst);
	LOG(NOTICE, "ended");
	return rc;
}

int main(int argc, char **argv) {
	struct rtap_config cfg = {0};
	struct rtap_config_error error;
	struct secondary_options opt;
	struct rtap_instance inst;
	struct run_as who;
	int rc;

	signal(SIGHUP, SIG_IGN); // until there is a file to reopen
	prctl(PR_SET_DUMPABLE, 0); // no core dump of us or of a worker: secrets would be in it
	rtap_standard_fds_open();
	if (secondary_options_parse(&opt, argc, argv) < 0)
		return RTAP_EXIT_USAGE;
	if (opt.help || opt.version || opt.properties)
		return rtap_standard_output_end("kafka-secondary", answer(&opt));
	if (rtap_config_load(&cfg, opt.config_path, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return RTAP_EXIT_CONFIG;
	}
	if (rtap_overrides_apply(&opt.overrides, &cfg, &error) < 0) {
		fprintf(stderr, "kafka-secondary: %s\n", error.text);
		return RTAP_EXIT_USAGE;
	}
	rtap_log_init("kafka-secondary", cfg.log_level);
	if (look_up(&cfg, &who) < 0)
		return RTAP_EXIT_CONFIG;
	if (opt.check)
		return check_only(&cfg, &who);
	if (geteuid() != 0) {
		LOG(ERR,
		    "hugepages and EAL's files need root; start it with sudo or as a system service"
		);
		return RTAP_EXIT_NOT_ROOT;
	}
	if (rtap_descriptors_raise(LEAST_FILES) < 0)
		return RTAP_EXIT_FAILURE;
	if (rtap_instance_init(&inst, cfg.instance) < 0) {
		LOG(ERR, "%s: instance: \"%s\" is not allowed", cfg.file, cfg.instance);
		return RTAP_EXIT_CONFIG;
	}
	rc = validate_in_child(&cfg, &who);
	if (rc < 0)
		return exit_code_of(rc);
	// What needs a human has been looked at; a primary that is not there yet does not.
	rtap_notify("READY=1");
	_exit(run(&cfg, &inst, &who)); // never through EAL's clean-up
}
