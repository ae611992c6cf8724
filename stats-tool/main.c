// SPDX-License-Identifier: BSD-3-Clause
// stats-tool: print what an instance received, holds, delivered and dropped.

#include "check.h"
#include "counters_file.h"
#include "exit_code.h"
#include "options.h"
#include "print.h"
#include "standard_output.h"
#include "table.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char cut_short[] = "stats-tool: the counters file was cut short while it was read\n";

// ringtap never truncates a counters file; another program that does must not crash its readers.
static void on_sigbus(int signo) {
	ssize_t n = write(STDERR_FILENO, cut_short, sizeof(cut_short) - 1);

	(void)n;
	_exit(RTAP_EXIT_MISMATCH);
}

static enum rtap_exit_code explain_no_permission(const struct rtap_instance *inst) {
	const struct group *group = NULL;
	struct stat st;

	if (stat(inst->dir, &st) == 0 && st.st_gid != 0)
		group = getgrgid(st.st_gid);
	if (group != NULL)
		fprintf(stderr,
			"stats-tool: no permission for %s: be a member of group '%s', or root\n",
			inst->dir, group->gr_name);
	else
		fprintf(stderr,
			"stats-tool: no permission for %s: be root, or set 'group:' in the configuration "
			"of the primary\n",
			inst->dir);
	return RTAP_EXIT_NOT_ROOT;
}

// One line with the remedy; returns the exit code.
static enum rtap_exit_code
explain_failure(const struct rtap_instance *inst, int rc, const char *why) {
	switch (-rc) {
	case ENOENT:
		fprintf(stderr,
			"stats-tool: there is no instance '%s' (%s/counters): start capture-primary, or "
			"name another one with -i\n",
			inst->name, inst->dir);
		return RTAP_EXIT_NO_PRIMARY;
	case EACCES:
	case EPERM:
		return explain_no_permission(inst);
	case EPROTO:
		fprintf(stderr,
			"stats-tool: %s/counters: %s: use the stats-tool that belongs to the primary\n",
			inst->dir, why);
		return RTAP_EXIT_MISMATCH;
	default:
		fprintf(stderr, "stats-tool: %s/counters: %s\n", inst->dir, strerror(-rc));
		return RTAP_EXIT_FAILURE;
	}
}

// The table before and its time, for rates.
struct last_table {
	struct rtap_balance balance;
	uint64_t started_us; // of the primary: another one starts at 0 again
	uint64_t now_us;
};

static void print_table(const struct view *view, struct last_table *last) {
	struct rtap_balance now;
	double seconds = (double)(int64_t)(view->now_us - last->now_us) / 1e6;

	rtap_balance_compute(&view->counters, &now);
	rtap_table_print(stdout, &now);
	if (last->started_us == view->counters.header->started_us && last->now_us != 0
	    && seconds > 0) {
		fputc('\n', stdout);
		rtap_table_print_rates(stdout, &now, &last->balance, seconds);
	}
	last->balance = now;
	last->started_us = view->counters.header->started_us;
	last->now_us = view->now_us;
}

static enum rtap_exit_code
show(const struct stats_options *opt, const struct view *view, const struct rtap_counters *live,
     struct last_table *last) {
	if (opt->json) {
		print_json(stdout, view);
		return RTAP_EXIT_OK;
	}
	print_primary(stdout, view);
	if (opt->check)
		return check_laws(stdout, view, live);
	print_table(view, last);
	print_silent_workers(stdout, view);
	print_waiting_workers(stdout, view);
	if (opt->verbose) {
		fputc('\n', stdout);
		print_verbose(stdout, view);
	}
	return RTAP_EXIT_OK;
}

// Open the instance again each time, so that a watch follows it from one primary to the next.
static enum rtap_exit_code look_once(
	const struct stats_options *opt, const struct rtap_instance *inst, struct last_table *last
) {
	struct rtap_counters live;
	enum rtap_exit_code code;
	char why[128] = "";
	struct view view;
	int rc;

	rc = view_open(&view, &live, inst, why, sizeof(why));
	if (rc < 0)
		return explain_failure(inst, rc, why);
	code = show(opt, &view, &live, last);
	view_fini(&view);
	rtap_counters_unmap(&live);
	return code;
}

static void wait_seconds(double seconds) {
	const struct timespec t = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};

	nanosleep(&t, NULL);
}

// Until a signal ends it or the reader of our output is gone. An instance may come back.
static void
watch(const struct stats_options *opt, const struct rtap_instance *inst, struct last_table *last) {
	const char *separator = isatty(STDOUT_FILENO) ? "\033[H\033[2J" : "\n";

	while (fflush(stdout) == 0) {
		wait_seconds(opt->watch_s);
		if (!opt->json)
			fputs(separator, stdout);
		look_once(opt, inst, last);
	}
}

// Print what needs no instance.
static void answer(const struct stats_options *opt) {
	if (opt->help)
		fputs(stats_options_help, stdout);
	else if (opt->version)
		puts("stats-tool " RTAP_VERSION);
	else
		print_explanation(stdout);
}

int main(int argc, char **argv) {
	const struct sigaction bus = {.sa_handler = on_sigbus};
	enum rtap_exit_code code;
	struct last_table last = {0};
	struct stats_options opt;
	struct rtap_instance inst;

	if (stats_options_parse(&opt, argc, argv) < 0)
		return RTAP_EXIT_USAGE;
	if (opt.help || opt.version || opt.explain) {
		answer(&opt);
		return rtap_standard_output_end("stats-tool", RTAP_EXIT_OK);
	}
	if (rtap_instance_init(&inst, opt.instance) < 0) {
		fprintf(stderr, "stats-tool: '%s' cannot be the name of an instance\n",
			opt.instance);
		return RTAP_EXIT_USAGE;
	}
	sigaction(SIGBUS, &bus, NULL);
	code = look_once(&opt, &inst, &last);
	if (code == RTAP_EXIT_OK && opt.watch_s > 0)
		watch(&opt, &inst, &last);
	return rtap_standard_output_end("stats-tool", code);
}
