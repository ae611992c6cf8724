// SPDX-License-Identifier: BSD-3-Clause
// mock-cluster: the mock Kafka brokers of librdkafka, in a process of their own.

#include "commands.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define MAX_BROKERS 100
#define MAX_PARTITIONS 10000

struct options {
	int nb_brokers;
	int nb_partitions;
	const char *topic; // NULL: none is made
};

static void print_help(void) {
	printf("usage: mock-cluster [OPTION]...\n"
	       "Run the mock Kafka brokers of librdkafka on the loopback until SIGTERM or SIGINT.\n"
	       "The first line on stdout is bootstrap.servers=HOST:PORT[,...]\n\n"
	       "  -n, --brokers N     number of brokers, 1 to %d (default 1)\n"
	       "  -t, --topic TOPIC   make this topic, a replica on up to three brokers\n"
	       "  -p, --partitions P  its partitions, 1 to %d (default 4)\n"
	       "  -h, --help\n\n"
	       "Records are kept in memory, the newest 5 MiB of each partition: read while you write.\n\n"
	       "%s",
	       MAX_BROKERS, MAX_PARTITIONS, commands_help);
}

static bool parse_number(const char *name, const char *text, int max, int *value) {
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && number >= 1
	    && number <= max) {
		*value = (int)number;
		return true;
	}
	fprintf(stderr, "mock-cluster: --%s: %s: not a number from 1 to %d\n", name, text, max);
	return false;
}

// Returns -1 to go on, else the exit code.
static int parse_options(struct options *opts, int argc, char **argv) {
	static const struct option longopts[] = {
		{"brokers", required_argument, NULL, 'n'},
		{"topic", required_argument, NULL, 't'},
		{"partitions", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	bool ok = true;
	int c;

	*opts = (struct options){.nb_brokers = 1, .nb_partitions = 4};
	while (ok && (c = getopt_long(argc, argv, "n:t:p:h", longopts, NULL)) != -1) {
		if (c == 'h') {
			print_help();
			return EXIT_SUCCESS;
		}
		if (c == 'n')
			ok = parse_number("brokers", optarg, MAX_BROKERS, &opts->nb_brokers);
		else if (c == 'p')
			ok = parse_number(
				"partitions", optarg, MAX_PARTITIONS, &opts->nb_partitions
			);
		else if (c == 't')
			opts->topic = optarg;
		else
			ok = false;
	}
	if (ok && optind < argc) {
		fprintf(stderr, "mock-cluster: %s: not an option; see --help\n", argv[optind]);
		ok = false;
	}
	return ok ? -1 : EXIT_USAGE;
}

// Returns false at the end of the input.
static bool run_line(const struct commands *commands) {
	char *line = NULL, answer[256];
	size_t size = 0;
	ssize_t length = getline(&line, &size, stdin);

	if (length >= 0) {
		commands_run(commands, line, answer, sizeof(answer));
		printf("%s\n", answer);
		fflush(stdout);
	}
	free(line);
	return length >= 0;
}

// Run what the standard input says until one of the signals comes.
static void obey(const struct commands *commands, const sigset_t *stop) {
	struct pollfd fds[] = {
		{.fd = signalfd(-1, stop, SFD_CLOEXEC), .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN},
	};

	setvbuf(stdin, NULL, _IONBF, 0); // a line in a buffer would be hidden from poll()
	while (fds[0].fd >= 0 && fds[0].revents == 0) {
		if (poll(fds, 2, -1) > 0 && fds[1].revents != 0 && !run_line(commands))
			fds[1].fd = -1; // poll() leaves it out
	}
	close(fds[0].fd);
}

static int serve(rd_kafka_t *rk, const struct options *opts, const sigset_t *stop) {
	rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, opts->nb_brokers);
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
	const struct commands commands = {
		.cluster = cluster,
		.nb_brokers = opts->nb_brokers,
		.nb_partitions = opts->nb_partitions,
		.topic = opts->topic,
	};

	if (cluster == NULL) {
		fprintf(stderr, "mock-cluster: cannot listen on the loopback\n");
		return EXIT_FAILURE;
	}
	if (opts->topic != NULL)
		err = rd_kafka_mock_topic_create(
			cluster, opts->topic, opts->nb_partitions,
			opts->nb_brokers < 3 ? opts->nb_brokers : 3
		);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		fprintf(stderr, "mock-cluster: topic %s: %s\n", opts->topic, rd_kafka_err2str(err));
	} else {
		printf("bootstrap.servers=%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
		fflush(stdout);
		obey(&commands, stop);
	}
	rd_kafka_mock_cluster_destroy(cluster);
	return err == RD_KAFKA_RESP_ERR_NO_ERROR ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
	struct options opts;
	char error[256];
	rd_kafka_conf_t *conf;
	sigset_t stop;
	rd_kafka_t *rk;
	int rc = parse_options(&opts, argc, argv);

	if (rc >= 0)
		return rc;
	// Before the first thread: they all inherit it, and obey() alone sees these signals.
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	// It owns the cluster's threads and never connects; that this is odd need not be logged.
	conf = rd_kafka_conf_new();
	rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
	if (rk == NULL) {
		fprintf(stderr, "mock-cluster: %s\n", error);
		return EXIT_FAILURE;
	}
	rc = serve(rk, &opts, &stop);
	rd_kafka_destroy(rk);
	return rc;
}
