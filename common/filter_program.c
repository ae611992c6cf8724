// SPDX-License-Identifier: BSD-3-Clause
// A filter expression as a BPF program.

#include "filter_program.h"

#include "errno_set.h"
#include "filter_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/bpf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NETMASK 0 // as tcpdump -r: "ip broadcast" is 0.0.0.0 and 255.255.255.255

// What the child says first; nb_insns instructions follow.
struct answer {
	int error; // 0 or an errno
	unsigned int nb_insns;
	char why[256];
};

// An empty capture file: only of a file does libpcap know that nothing live can be asked.
static pcap_t *open_empty_file(void) {
	static const struct pcap_file_header header = {
		.magic = 0xa1b2c3d4,
		.version_major = PCAP_VERSION_MAJOR,
		.version_minor = PCAP_VERSION_MINOR,
		.snaplen = RTAP_FILTER_LONGEST_FRAME,
		.linktype = DLT_EN10MB,
	};
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_file_header copy = header;
	FILE *file = fmemopen(&copy, sizeof(copy), "r");

	return file != NULL ? pcap_fopen_offline(file, error) : NULL; // which copies what it needs
}

static void write_all(int fd, const void *data, size_t size) {
	const char *at = data;
	ssize_t n;

	for (; size > 0; at += n, size -= (size_t)n)
		if ((n = write(fd, at, size)) <= 0)
			return;
}

static _Noreturn void compile_in_child(const char *expression, int fd) {
	struct bpf_program program = {0};
	struct answer answer = {0};
	sigset_t alarm_only;
	pcap_t *file;

	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
	signal(SIGALRM, SIG_DFL);
	alarm(RTAP_FILTER_COMPILE_S);
	file = open_empty_file();
	if (file == NULL) {
		answer.error = ENOMEM;
	} else if (pcap_compile(file, &program, expression, 1, NETMASK) < 0) {
		answer.error = EINVAL;
		snprintf(answer.why, sizeof(answer.why), "%s", pcap_geterr(file));
	}
	answer.nb_insns = program.bf_len;
	write_all(fd, &answer, sizeof(answer));
	write_all(fd, program.bf_insns, program.bf_len * sizeof(*program.bf_insns));
	_exit(0);
}

// Returns whether all of it came.
static bool read_all(int fd, void *data, size_t size) {
	char *at = data;
	ssize_t n;

	for (; size > 0; at += n, size -= (size_t)n) {
		while ((n = read(fd, at, size)) < 0 && errno == EINTR)
			;
		if (n <= 0)
			return false;
	}
	return true;
}

// Returns 0, or an errno: EPROTO when the child ended before it had said everything.
static int read_program(int fd, struct bpf_program *program, struct answer *answer) {
	struct bpf_insn *insns;

	if (!read_all(fd, answer, sizeof(*answer)))
		return EPROTO;
	if (answer->error != 0)
		return answer->error;
	insns = calloc(answer->nb_insns, sizeof(*insns));
	if (insns == NULL)
		return ENOMEM;
	if (!read_all(fd, insns, answer->nb_insns * sizeof(*insns))) {
		free(insns);
		return EPROTO;
	}
	program->bf_insns = insns; // pcap_freecode() calls free()
	program->bf_len = answer->nb_insns;
	return 0;
}

static int judge(const struct bpf_program *program, struct answer *answer) {
	if (!bpf_validate(program->bf_insns, (int)program->bf_len))
		return EPROTO;
	if (!rtap_filter_reads_unwritten_memory(program))
		return 0;
	snprintf(
		answer->why, sizeof(answer->why),
		"libpcap compiles it to a program that reads memory it never wrote, and would take "
		"packets by chance; join what follows geneve with `and`, or use udp port 6081"
	);
	return EINVAL;
}

// `took_s`: the time until a child ended that said nothing. Its status is not asked: SIGCHLD may be
// ignored.
static int explain(int error, const struct answer *answer, time_t took_s, char *why, size_t size) {
	if (error == EINVAL)
		snprintf(
			why, size,
			"%s; allowed: an expression as tcpdump takes it, see man pcap-filter",
			answer->why
		);
	else if (error != EPROTO)
		snprintf(why, size, "%s", strerror(error));
	else if (took_s >= RTAP_FILTER_COMPILE_S) {
		snprintf(
			why, size,
			"compiling the expression takes more than %d s; use a shorter one",
			RTAP_FILTER_COMPILE_S
		);
		error = ETIME;
	} else
		snprintf(
			why, size,
			"libpcap ended its process while it compiled the expression; use another one"
		);
	return errno_set(error);
}

int rtap_filter_compile(
	const char *expression, struct bpf_program *program, char *why, size_t size
) {
	struct answer answer = {0};
	int fds[2], error;
	pid_t child, parent = getpid();
	time_t began = time(NULL);

	*program = (struct bpf_program){0};
	if (pipe2(fds, O_CLOEXEC) < 0)
		return explain(errno, NULL, 0, why, size);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			compile_in_child(expression, fds[1]);
		_exit(0);
	}
	error = child < 0 ? errno : 0;
	close(fds[1]);
	if (child > 0) {
		error = read_program(fds[0], program, &answer);
		if (error == 0 && (error = judge(program, &answer)) != 0)
			pcap_freecode(program);
		kill(child, SIGKILL); // it has nothing more to say
		waitpid(child, NULL, 0);
	}
	close(fds[0]);
	return error == 0 ? 0 : explain(error, &answer, time(NULL) - began, why, size);
}
