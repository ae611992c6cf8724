// SPDX-License-Identifier: BSD-3-Clause
// Thousands of random filters of the usual terms, from a seed: each takes what `tcpdump -r` takes,
// of packets in one buffer and in several, or is refused as tcpdump refuses it. Each runs in a
// child.

#include "capture_filter.h"
#include "check_main.h"
#include "packets.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NB_ROUNDS 8
#define FILTERS_PER_ROUND 300
#define MAX_TERMS 6
#define MAX_EXPRESSION 1024

enum verdict {
	REFUSED,
	TAKEN,
	BY_CHANCE, // libpcap's program reads memory that it never wrote
};

struct verdicts {
	enum verdict of_filter;
	bool wanted[NB_FRAMES];
};

static char path[] = "/tmp/rtap-filter-XXXXXX";
static uint64_t state;

static unsigned int random_below(unsigned int n) {
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)(state >> 33) % n;
}

static void put_term(FILE *out) {
	static const char *const terms[] = {
		"ip",
		"ip6",
		"arp",
		"tcp",
		"udp",
		"icmp",
		"icmp6",
		"sctp",
		"vlan",
		"mpls",
		"pppoes",
		"geneve",
		"ip broadcast",
		"ip multicast",
		"ether broadcast",
		"ether multicast",
		"ip6 multicast",
		"ip proto 47",
		"ip6 protochain 17",
		"tcp[tcpflags] & tcp-syn != 0",
		"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
		"ip[6:2] & 0x1fff != 0",
		"ip[2:2] - ((ip[0] & 0xf) << 2) > 100",
		"udp[8:4] & 0x80000000 != 0",
		"ether[0] & 1 = 1",
		"net 10.0.0.0/8",
		"ip6 net 2000::/3",
		"src net 10.0.0.0/9",
		"ether host 02:00:00:00:00:01",
		"gateway 10.0.0.1",
		"ether proto 0x8100",
		"host 10.0.0.1",
		"ether[len - 16 : 4] = 0x72746170",
	};
	static const char *const directions[] = {"", "src ", "dst ", "src and dst "};
	static const char *const protocols[] = {"", "tcp ", "udp ", "ip ", "ip6 "};
	const char *direction = directions[random_below(4)];
	unsigned int low = 1 + random_below(30000), offset = random_below(80);

	switch (random_below(10)) {
	case 0:
		fprintf(out, "%s%sport %u", protocols[random_below(3)], direction, low);
		break;
	case 1:
		fprintf(out, "%sportrange %u-%u", direction, low, low + random_below(30000));
		break;
	case 2:
		fprintf(out, "%s %u", random_below(2) ? "greater" : "less",
			60 + random_below(1500));
		break;
	case 3:
		fprintf(out, "vlan %u", random_below(16));
		break;
	case 4:
		fprintf(out, "%s[%u:%u] %s %u", random_below(2) ? "ether" : "ip", offset,
			1u << random_below(3), random_below(2) ? ">" : "!=", random_below(256));
		break;
	default:
		fputs(terms[random_below(sizeof(terms) / sizeof(terms[0]))], out);
		break;
	}
}

static void put_expression(FILE *out, unsigned int nb_terms) {
	unsigned int left = nb_terms > 1 ? 1 + random_below(nb_terms - 1) : 0;
	bool negated = random_below(4) == 0;

	fputs(negated ? "not (" : "(", out);
	if (nb_terms == 1) {
		put_term(out);
	} else {
		put_expression(out, left);
		fputs(random_below(2) ? " and " : " or ", out);
		put_expression(out, nb_terms - left);
	}
	fputs(")", out);
}

static void write_file(void) {
	pcap_t *kind = pcap_open_dead(DLT_EN10MB, 262144);
	pcap_dumper_t *file;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	file = pcap_dump_fopen(kind, fdopen(fd, "w"));
	ck_assert_ptr_nonnull(file);
	for (unsigned int i = 0; i < NB_FRAMES; i++) {
		struct pcap_pkthdr header = {
			.ts.tv_sec = i, // its number
			.caplen = (bpf_u_int32)lengths[i],
			.len = (bpf_u_int32)lengths[i],
		};

		pcap_dump((u_char *)file, &header, frames[i]);
	}
	pcap_dump_close(file);
	pcap_close(kind);
}

static void ask_tcpdump(const char *expression, struct verdicts *said) {
	int fds[2], status;
	struct pcap_pkthdr *header;
	char error[PCAP_ERRBUF_SIZE];
	const u_char *data;
	pcap_t *output;
	pid_t child;

	memset(said, 0, sizeof(*said));
	ck_assert_int_eq(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		freopen("/dev/null", "w", stderr);
		execlp("tcpdump", "tcpdump", "-r", path, "-w", "-", expression, NULL);
		_exit(127);
	}
	close(fds[1]);
	output = pcap_fopen_offline(fdopen(fds[0], "r"), error); // nothing when it refuses
	if (output != NULL) {
		while (pcap_next_ex(output, &header, &data) == 1)
			said->wanted[header->ts.tv_sec] = true;
		pcap_close(output);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 127);
	said->of_filter = WEXITSTATUS(status) == 0 ? TAKEN : REFUSED;
}

static void run_filter(const char *expression, unsigned int nb_segs, struct verdicts *said) {
	struct rte_mbuf *pkts[NB_FRAMES];
	struct capture_filter *filter;
	unsigned int nb_wanted;
	char why[256];

	if (capture_filter_create(&filter, expression, why, sizeof(why)) < 0) {
		if (strstr(why, "by chance") != NULL)
			said->of_filter = BY_CHANCE;
		return;
	}
	said->of_filter = TAKEN;
	for (unsigned int i = 0; i < NB_FRAMES; i++)
		pkts[i] = packets_get(i, nb_segs);
	nb_wanted = capture_filter_run(filter, pkts, NB_FRAMES);
	for (unsigned int i = 0; i < nb_wanted; i++)
		said->wanted[(struct rte_mbuf(*)[MAX_SEGMENTS])pkts[i] - mbufs] = true;
	capture_filter_destroy(filter);
}

static void ask_ours(const char *expression, unsigned int nb_segs, struct verdicts *said) {
	pid_t child;
	int status;

	memset(said, 0, sizeof(*said));
	child = fork();
	if (child == 0) {
		run_filter(expression, nb_segs, said);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status), "signal %d: %s", WTERMSIG(status), expression);
}

static void remove_file(void) {
	unlink(path);
}

START_TEST(as_tcpdump) {
	struct verdicts tcpdump,
		*ours = mmap(
			NULL, sizeof(*ours), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			0
		);
	unsigned int nb_taken = 0, nb_by_chance = 0;

	ck_assert_ptr_ne(ours, MAP_FAILED);
	packets_make_frames((uint64_t)_i + 1);
	state = UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)_i + 1);
	write_file();
	for (unsigned int i = 0; i < FILTERS_PER_ROUND; i++) {
		char expression[MAX_EXPRESSION] = "";
		FILE *out = fmemopen(expression, sizeof(expression), "w");

		put_expression(out, 1 + random_below(MAX_TERMS));
		fclose(out);
		ask_tcpdump(expression, &tcpdump);
		ask_ours(expression, 1 + i % MAX_SEGMENTS, ours);
		if (ours->of_filter == BY_CHANCE) {
			ck_assert_msg(strstr(expression, "geneve") != NULL, "%s", expression);
			nb_by_chance++;
			continue;
		}
		ck_assert_msg(
			tcpdump.of_filter == ours->of_filter, "tcpdump %s: %s",
			tcpdump.of_filter == TAKEN ? "takes" : "refuses", expression
		);
		for (unsigned int k = 0; k < NB_FRAMES; k++)
			ck_assert_msg(
				tcpdump.wanted[k] == ours->wanted[k], "frame %u: %s", k, expression
			);
		nb_taken += tcpdump.of_filter == TAKEN;
	}
	ck_assert_uint_gt(nb_taken, FILTERS_PER_ROUND / 2);
	ck_assert_uint_gt(nb_by_chance, 0);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("filter_random");
	TCase *tc = tcase_create("filter_random");

	tcase_add_checked_fixture(tc, NULL, remove_file);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, as_tcpdump, 0, NB_ROUNDS);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
