// SPDX-License-Identifier: BSD-3-Clause
// What is told to a mock cluster while it runs.

#include "commands.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 6
#define MAX_ERRORS 100000
#define MAX_DELAY_MS 60000
#define EVERY 0 // brokers are numbered from 1
#define NO_BROKER (-1)

const char commands_help[]
	= "Commands are read from the standard input, one a line, and each is answered by one line:\n"
	  "'ok', 'ok NUMBER' or 'error: WHY'. The end of the input is not the end of the cluster.\n\n"
	  "  error BROKER API CODE COUNT [MS]\n"
	  "                        answer the next COUNT requests with CODE and do nothing else about\n"
	  "                        them; the answer is held back for MS. NO_ERROR: obey, but answer\n"
	  "                        late. _TRANSPORT: close the connection instead of an answer\n"
	  "  pending BROKER API    how many of these have not yet met a request\n"
	  "  rtt BROKER MS         hold every answer back, to readers too; 0 ends it at once\n"
	  "  down BROKER           close its connections, accept none; leaders stay where they are\n"
	  "  up BROKER\n"
	  "  leader PARTITION BROKER|none\n"
	  "  topic-error CODE      what metadata says about the topic; NO_ERROR ends it\n\n"
	  "BROKER is 1 to N, or all: each of them. API is produce, fetch, list-offsets, metadata or\n"
	  "init-producer-id. CODE is a name as in librdkafka's rd_kafka_err2name(), such as\n"
	  "NOT_LEADER_FOR_PARTITION, TOPIC_AUTHORIZATION_FAILED or UNKNOWN.\n";

// Kafka's numbers.
static const struct {
	const char *name;
	int16_t key;
} apis[] = {
	{"produce", 0},           {"fetch", 1}, {"list-offsets", 2}, {"metadata", 3},
	{"init-producer-id", 22},
};

struct request {
	const struct commands *commands;
	char *words[MAX_WORDS + 1]; // ends with NULL
	char *answer;
	size_t size;
};

// ---- arguments: each function returns false once the answer says what is wrong ----

static bool refuse(const struct request *r, const char *text, const char *why) {
	snprintf(r->answer, r->size, "error: %s: %s", text, why);
	return false;
}

static bool to_number(const struct request *r, const char *text, long min, long max, int *value) {
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || number < min
	    || number > max)
		return refuse(r, text, "not a number, or out of range");
	*value = (int)number;
	return true;
}

static bool to_broker(const struct request *r, const char *text, int *broker) {
	if (strcmp(text, "all") != 0)
		return to_number(r, text, 1, r->commands->nb_brokers, broker);
	*broker = EVERY;
	return true;
}

static bool to_api(const struct request *r, const char *text, int16_t *key) {
	for (size_t i = 0; i < sizeof(apis) / sizeof(apis[0]); i++)
		if (strcmp(text, apis[i].name) == 0) {
			*key = apis[i].key;
			return true;
		}
	return refuse(r, text, "no such API");
}

static bool to_code(const struct request *r, const char *text, rd_kafka_resp_err_t *code) {
	const struct rd_kafka_err_desc *descs;
	size_t nb;

	rd_kafka_get_err_descs(&descs, &nb);
	for (size_t i = 0; i < nb; i++)
		if (descs[i].name != NULL && strcmp(text, descs[i].name) == 0) {
			*code = descs[i].code;
			return true;
		}
	return refuse(r, text, "no such error code");
}

static void answer_result(const struct request *r, rd_kafka_resp_err_t err) {
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		snprintf(r->answer, r->size, "ok");
	else
		snprintf(r->answer, r->size, "error: %s", rd_kafka_err2name(err));
}

// What the mock cluster calls all brokers.
static int32_t broker_id(int broker) {
	return broker == EVERY ? -1 : broker;
}

// ---- commands ----

static void run_error(const struct request *r) {
	rd_kafka_mock_cluster_t *cluster = r->commands->cluster;
	rd_kafka_resp_err_t code, err = RD_KAFKA_RESP_ERR_NO_ERROR;
	int broker, nb, delay_ms = 0;
	int16_t api;

	if (!to_broker(r, r->words[1], &broker) || !to_api(r, r->words[2], &api)
	    || !to_code(r, r->words[3], &code) || !to_number(r, r->words[4], 1, MAX_ERRORS, &nb)
	    || (r->words[5] != NULL && !to_number(r, r->words[5], 0, MAX_DELAY_MS, &delay_ms)))
		return;
	// A broker's own list: that of the cluster cannot be asked how long it is.
	for (int i = 1; i <= r->commands->nb_brokers; i++)
		for (int n = 0; n < nb && (broker == EVERY || broker == i); n++)
			err = rd_kafka_mock_broker_push_request_error_rtts(
				cluster, i, api, 1, code, delay_ms
			);
	answer_result(r, err);
}

static void run_pending(const struct request *r) {
	size_t total = 0;
	int broker;
	int16_t api;

	if (!to_broker(r, r->words[1], &broker) || !to_api(r, r->words[2], &api))
		return;
	for (int i = 1; i <= r->commands->nb_brokers; i++) {
		size_t nb = 0; // left alone when there never was one

		if (broker == EVERY || broker == i)
			rd_kafka_mock_broker_error_stack_cnt(r->commands->cluster, i, api, &nb);
		total += nb;
	}
	snprintf(r->answer, r->size, "ok %zu", total);
}

static void run_rtt(const struct request *r) {
	int broker, ms;

	if (to_broker(r, r->words[1], &broker) && to_number(r, r->words[2], 0, MAX_DELAY_MS, &ms))
		answer_result(
			r, rd_kafka_mock_broker_set_rtt(r->commands->cluster, broker_id(broker), ms)
		);
}

static void run_down(const struct request *r) {
	int broker;

	if (to_broker(r, r->words[1], &broker))
		answer_result(
			r, rd_kafka_mock_broker_set_down(r->commands->cluster, broker_id(broker))
		);
}

static void run_up(const struct request *r) {
	int broker;

	if (to_broker(r, r->words[1], &broker))
		answer_result(
			r, rd_kafka_mock_broker_set_up(r->commands->cluster, broker_id(broker))
		);
}

static void run_leader(const struct request *r) {
	const struct commands *c = r->commands;
	int partition, broker = NO_BROKER;

	if (!to_number(r, r->words[1], 0, c->nb_partitions - 1, &partition)
	    || (strcmp(r->words[2], "none") != 0
		&& !to_number(r, r->words[2], 1, c->nb_brokers, &broker)))
		return;
	answer_result(
		r, rd_kafka_mock_partition_set_leader(c->cluster, c->topic, partition, broker)
	);
}

static void run_topic_error(const struct request *r) {
	rd_kafka_resp_err_t code;

	if (!to_code(r, r->words[1], &code))
		return;
	rd_kafka_mock_topic_set_error(r->commands->cluster, r->commands->topic, code);
	answer_result(r, RD_KAFKA_RESP_ERR_NO_ERROR);
}

static const struct {
	const char *name;
	int min_words, max_words; // its name included
	bool of_topic;
	void (*run)(const struct request *r);
} commands[] = {
	{"error", 5, 6, false, run_error},
	{"pending", 3, 3, false, run_pending},
	{"rtt", 3, 3, false, run_rtt},
	{"down", 2, 2, false, run_down},
	{"up", 2, 2, false, run_up},
	{"leader", 3, 3, true, run_leader},
	{"topic-error", 2, 2, true, run_topic_error},
};

void commands_run(const struct commands *c, char *line, char *answer, size_t size) {
	struct request r = {.commands = c, .answer = answer, .size = size};
	char *rest;
	int nb = 0;

	for (char *word = strtok_r(line, " \t\n", &rest); word != NULL && nb <= MAX_WORDS;
	     word = strtok_r(NULL, " \t\n", &rest), nb++)
		if (nb < MAX_WORDS)
			r.words[nb] = word;
	for (size_t i = 0; nb > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(r.words[0], commands[i].name) != 0)
			continue;
		if (nb < commands[i].min_words || nb > commands[i].max_words)
			refuse(&r, r.words[0], "wrong number of arguments");
		else if (commands[i].of_topic && c->topic == NULL)
			refuse(&r, r.words[0], "needs --topic");
		else
			commands[i].run(&r);
		return;
	}
	refuse(&r, nb > 0 ? r.words[0] : "", "no such command; see --help");
}
