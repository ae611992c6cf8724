// SPDX-License-Identifier: BSD-3-Clause
// List which properties of librdkafka ringtap sets, and which it refuses and why.

#include "rdkafka_rules.h"

#include "rdkafka_conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STATISTICS_MS "5000" // with a file, unless the user says otherwise

#define QUEUE_MESSAGES_MAX 2147483647 // librdkafka's own limit

const struct rdkafka_promise rdkafka_promises[RDKAFKA_NB_PROMISES] = {
	{"message.timeout.ms", "0", NULL,
	 "a message that times out in the client would have to be sent again anyway; nothing times out"},
	{"acks", NULL, "0", "\"delivered\" would mean sent, not stored; use -1 (all)"},
	{"delivery.report.only.error", "false", NULL,
	 "without the report of a success its buffer could never be released"},
	{"transactional.id", "", NULL, "packets are not sent in transactions"},
	{"allow.auto.create.topics", "false", NULL,
	 "ringtap never creates a topic; create it with the number of partitions you want"},
	{"bootstrap.servers", NULL, "",
	 "name the brokers, HOST:PORT,HOST:PORT, or leave it out for localhost:9092"},
};

int rdkafka_rules_check(const rd_kafka_conf_t *conf, char *why, size_t size) {
	char value[256];

	for (size_t i = 0; i < RDKAFKA_NB_PROMISES; i++) {
		const struct rdkafka_promise *p = &rdkafka_promises[i];

		rtap_rdkafka_get(conf, p->name, value, sizeof(value));
		if (p->required != NULL && strcmp(value, p->required) == 0)
			continue;
		if (p->forbidden != NULL && strcmp(value, p->forbidden) != 0)
			continue;
		snprintf(why, size, "%s=%s is refused: %s", p->name, value, p->why);
		return -EINVAL;
	}
	return 0;
}

// Such names would take the delivery report, the choice of the partition, or what is done with a
// packet away from us.
const char *rdkafka_rules_why_refused(const char *name) {
	const char *not_text = rtap_rdkafka_why_not_text(name);

	if (not_text != NULL)
		return not_text;
	if (strncmp(name, "partitioner", 11) == 0)
		return "the partition is chosen by flow, see the key `partitioner` at the top level";
	if (strcmp(name, "plugin.library.paths") == 0)
		return "transmit workers run no foreign code";
	return NULL;
}

void rdkafka_rules_own(
	struct rdkafka_own own[static RDKAFKA_NB_OWN], const struct rtap_config *cfg,
	unsigned int nb_rings
) {
	uint64_t nb_messages = (cfg->ack_window + cfg->worker_burst)
		* (nb_rings > 0 ? nb_rings : 1);
	char messages[sizeof(own->value)];

	// Every ring's window fits at once, so a ring that cannot send does not fill the queue of
	// others.
	snprintf(
		messages, sizeof(messages), "%" PRIu64,
		nb_messages < QUEUE_MESSAGES_MAX ? nb_messages : QUEUE_MESSAGES_MAX
	);
	const char *const table[RDKAFKA_NB_OWN][2] = {
		{"bootstrap.servers", "localhost:9092"},
		{"client.id", "ringtap"},
		{"acks", "-1"},
		{"message.timeout.ms", "0"},
		{"enable.idempotence", cfg->order == RTAP_ORDER_STRICT ? "true" : "false"},
		{"reconnect.backoff.max.ms", "1000"},
		{"allow.auto.create.topics", "false"},
		{"queue.buffering.max.messages", messages},
		{"queue.buffering.max.kbytes", "2147483647"}, // payloads are not copied
		{"log.connection.close", "false"},
		{"enable.metrics.push", "false"}, // to the brokers, from librdkafka 2.5 on
		{"statistics.interval.ms", cfg->statistics_file[0] != '\0' ? STATISTICS_MS : "0"},
	};

	for (size_t i = 0; i < RDKAFKA_NB_OWN; i++) {
		own[i].name = table[i][0];
		snprintf(own[i].value, sizeof(own[i].value), "%s", table[i][1]);
	}
}
