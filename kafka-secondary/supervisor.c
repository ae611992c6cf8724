// SPDX-License-Identifier: BSD-3-Clause
// Supervise the transmit workers.

#include "supervisor.h"

#include "log.h"
#include "notify.h"
#include "now.h"
#include "stop_flag.h"
#include "transmit_worker.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOG_TYPE "supervisor"

#define ROUND_NS 5000000
#define BACKOFF_FIRST_NS (10 * RTAP_MS_NS)
#define BACKOFF_MOST_NS (5 * RTAP_SECOND_NS)
#define BACKOFF_KILLED_NS                                                                          \
	RTAP_SECOND_NS // at most, after a worker was killed: it need not be at fault
#define HEALTHY_NS RTAP_SECOND_NS // a worker that lived this long is restarted without a delay

static volatile sig_atomic_t hangup; // SIGHUP came

struct child {
	pid_t pid; // 0 = none
	uint64_t started_ns;
	uint64_t start_at_ns; // not before
	uint64_t backoff_ns;
	bool killed; // by us: it hung
};

struct supervisor {
	const struct rtap_config *cfg;
	const struct rtap_instance *inst;
	const struct run_as *who;
	struct attachment *attachment;
	struct child children[RTAP_MAX_SLOTS];
	unsigned int nb_children;
	unsigned int stop_signals; // passed on so far
	bool no_more; // fork no more
	bool has_served; // a worker served rings: the properties are good
	enum rtap_exit_code exit_code;
};

static void start_child(struct supervisor *s, unsigned int number) {
	const struct transmit_worker_args args = {
		.cfg = s->cfg,
		.inst = s->inst,
		.who = s->who,
		.attachment = s->attachment,
		.number = number,
		.supervisor = getpid(),
	};
	struct child *c = &s->children[number];
	sigset_t mask;

	c->started_ns = rtap_monotonic_ns();
	c->killed = false;
	// The child wants no signal before it is a worker: it would count one for its parent.
	rtap_stop_flag_block(&mask);
	c->pid = fork();
	if (c->pid == 0)
		transmit_worker_run(&args, &mask);
	rtap_stop_flag_unblock(&mask);
	if (c->pid < 0) {
		LOG(ERR, "fork: %s", strerror(errno));
		c->pid = 0;
		c->start_at_ns = c->started_ns + BACKOFF_MOST_NS;
		return;
	}
	LOG(INFO, "worker %u started, pid %d", number, c->pid);
}

static void schedule_restart(struct child *c, uint64_t backoff_most_ns) {
	uint64_t now = rtap_monotonic_ns();

	if (now - c->started_ns > HEALTHY_NS)
		c->backoff_ns = 0;
	// The first crash is answered at once.
	c->start_at_ns = now + c->backoff_ns;
	c->backoff_ns = c->backoff_ns == 0 ? BACKOFF_FIRST_NS : c->backoff_ns * 2;
	if (c->backoff_ns > backoff_most_ns)
		c->backoff_ns = backoff_most_ns;
}

static void end_all(struct supervisor *s, enum rtap_exit_code code) {
	s->no_more = true;
	if (s->exit_code == RTAP_EXIT_OK)
		s->exit_code = code;
}

static void child_ended(struct supervisor *s, unsigned int number, int status) {
	struct child *c = &s->children[number];
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (WIFSIGNALED(status))
		LOG(WARNING, "worker %u (pid %d) was ended by signal %d (%s)%s", number, c->pid,
		    WTERMSIG(status), strsignal(WTERMSIG(status)), c->killed ? ": it hung" : "");
	else
		LOG(INFO, "worker %u (pid %d) ended with status %d", number, c->pid, code);
	c->pid = 0;
	switch (code) {
	case TRANSMIT_WORKER_PRIMARY_STOPPED:
		end_all(s, RTAP_EXIT_OK);
		break;
	case TRANSMIT_WORKER_PRIMARY_DIED:
		end_all(s, RTAP_EXIT_NO_PRIMARY);
		break;
	case TRANSMIT_WORKER_CONFIG:
		if (s->has_served)
			break; // the same properties worked before: try again
		end_all(s, RTAP_EXIT_CONFIG);
		rtap_stop_request(); // the others have the same properties
		break;
	case TRANSMIT_WORKER_DONE:
	case TRANSMIT_WORKER_GIVE_UP:
		break;
	default: // left packets, or killed
		if (s->no_more)
			end_all(s, RTAP_EXIT_LEFT_BEHIND);
		break;
	}
	schedule_restart(c, WIFSIGNALED(status) ? BACKOFF_KILLED_NS : BACKOFF_MOST_NS);
}

static void reap(struct supervisor *s) {
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned int i = 0; i < s->nb_children; i++)
			if (s->children[i].pid == pid)
				child_ended(s, i, status);
}

static const struct rtap_shm_slot *slot_of(const struct supervisor *s, pid_t pid) {
	const struct rtap_shm *shm = s->attachment->shm;
	const struct rtap_shm_slot *latest = NULL;

	// A slot left long ago may show the same pid: the latest heartbeat is the living one's.
	for (unsigned int i = 0; i < RTAP_MAX_SLOTS; i++)
		if (atomic_load(&shm->slots[i].pid) == pid
		    && (latest == NULL
			|| atomic_load(&shm->slots[i].heartbeat_ns)
				> atomic_load(&latest->heartbeat_ns)))
			latest = &shm->slots[i];
	return latest;
}

// A worker without a heartbeat hangs, whatever the reason: another one must serve its rings.
static void look_for_hung(struct supervisor *s) {
	uint64_t now = rtap_monotonic_ns(), timeout_ns = s->cfg->stuck_timeout_s * RTAP_SECOND_NS;

	for (unsigned int i = 0; i < s->nb_children; i++) {
		struct child *c = &s->children[i];
		const struct rtap_shm_slot *slot = c->pid > 0 ? slot_of(s, c->pid) : NULL;
		uint64_t beat = slot != NULL ? atomic_load(&slot->heartbeat_ns) : c->started_ns;

		if (beat < c->started_ns)
			beat = c->started_ns; // not yet at a slot
		if (slot != NULL && atomic_load(&slot->state) == RTAP_WORKER_SERVING)
			s->has_served = true;
		if (c->pid == 0 || c->killed || now < beat || now - beat <= timeout_ns)
			continue;
		LOG(WARNING,
		    "worker %u (pid %d) has had no heartbeat for %" PRIu64 " s; killing it", i,
		    c->pid, (now - beat) / RTAP_SECOND_NS);
		kill(c->pid, SIGKILL);
		c->killed = true;
	}
}

static void start_due(struct supervisor *s) {
	uint64_t now = rtap_monotonic_ns();

	for (unsigned int i = 0; i < s->nb_children; i++)
		if (s->children[i].pid == 0 && now >= s->children[i].start_at_ns)
			start_child(s, i);
}

static bool pass_stop_on(struct supervisor *s) {
	unsigned int nb = rtap_stop_requested();

	if (nb == s->stop_signals)
		return false;
	s->stop_signals = nb;
	s->no_more = true;
	// The second signal ends them at once: the next worker takes over what they hold.
	for (unsigned int i = 0; i < s->nb_children; i++)
		if (s->children[i].pid > 0)
			kill(s->children[i].pid, nb == 1 ? SIGTERM : SIGKILL);
	return true;
}

// The workers own the files that SIGHUP reopens: pass it on to them.
static void pass_hangup_on(const struct supervisor *s) {
	if (!hangup)
		return;
	hangup = 0;
	for (unsigned int i = 0; i < s->nb_children; i++)
		if (s->children[i].pid > 0)
			kill(s->children[i].pid, SIGHUP);
}

static bool any_child(const struct supervisor *s) {
	for (unsigned int i = 0; i < s->nb_children; i++)
		if (s->children[i].pid > 0)
			return true;
	return false;
}

// A sleep ends when a worker does: its rings wait for the next one.
static void on_child_end(int signo) {}

static void on_hangup(int signo) {
	hangup = 1;
}

enum rtap_exit_code supervisor_run(
	const struct rtap_config *cfg, const struct rtap_instance *inst, const struct run_as *who,
	struct attachment *attachment
) {
	static const struct timespec pause = {.tv_nsec = ROUND_NS};
	struct supervisor s = {
		.cfg = cfg,
		.inst = inst,
		.who = who,
		.attachment = attachment,
		.nb_children = (unsigned int)cfg->workers,
	};

	signal(SIGCHLD, on_child_end);
	signal(SIGHUP, on_hangup);
	do {
		if (pass_stop_on(&s) && s.stop_signals == 1)
			LOG(NOTICE,
			    "stopping: workers deliver what they hold, until nothing was "
			    "confirmed for %" PRIu64 " s",
			    cfg->drain_timeout_s);
		if (s.stop_signals > 0) // for as long as the workers get on
			rtap_notify_patience(cfg->drain_timeout_s);
		pass_hangup_on(&s);
		reap(&s);
		if (!s.no_more)
			start_due(&s);
		look_for_hung(&s);
		rtap_notify_alive();
		nanosleep(&pause, NULL);
	} while (!s.no_more || any_child(&s));
	return s.exit_code;
}
