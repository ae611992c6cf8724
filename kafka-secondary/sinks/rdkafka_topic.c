// SPDX-License-Identifier: BSD-3-Clause
// Watch the topic.

#include "rdkafka_topic.h"

#include "log.h"
#include "now.h"
#include "rdkafka_security.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LOG_TYPE "kafka"

#define METADATA_TIMEOUT_MS 5000
#define WATCH_KNOWN_S 10 // rounds of a second between two looks while all is well

static void heard_partitions(struct rdkafka_topic *t, int32_t nb) {
	int32_t before = atomic_load(&t->nb_partitions);

	if (nb == before)
		return;
	atomic_store(&t->nb_partitions, nb);
	if (!t->logs)
		return;
	LOG(NOTICE, "topic %s: %" PRId32 " partitions%s", t->cfg->topic, nb,
	    before > 0 ? "; their number changed: flows are redistributed" : "");
	if (nb < (int32_t)t->nb_rings)
		LOG(WARNING,
		    "topic %s: %" PRId32
		    " partitions for %u transmit rings: rings share partitions, "
		    "times within a partition may go back by a few ms; add partitions",
		    t->cfg->topic, nb, t->nb_rings);
}

// Kafka 4.0 and later refuse what librdkafka before 2.6.1 makes of SCRAM, as if the password were
// wrong: it sends its nonce twice.
static const char *hint(const char *failure) {
	if (strstr(failure, "mechanism SCRAM-") == NULL || rd_kafka_version() >= 0x020601ff)
		return "";
	return "; with the right password it may be that Kafka 4.0 and later need librdkafka 2.6.1 for "
	       "SCRAM: until then use client certificates, GSSAPI, or PLAIN over TLS";
}

static void bootstrap_servers(const struct rdkafka_topic *t, char *text, size_t size) {
	if (rd_kafka_conf_get(rd_kafka_conf(t->client.rk), "bootstrap.servers", text, &size)
	    != RD_KAFKA_CONF_OK)
		text[0] = '\0';
}

// No answer. While a broker is connected that means little (rdkafka_health.h): the messages tell.
static enum rtap_wait
look_without_answer(struct rdkafka_topic *t, rd_kafka_resp_err_t err, char *what, size_t size) {
	char brokers[256], failure[400];
	struct sink_waits waits;

	rdkafka_health_look(&t->health, rtap_monotonic_ns(), &waits);
	if (waits.throttled || (err == RD_KAFKA_RESP_ERR__TIMED_OUT && t->health.metadata != NULL))
		return t->health.topic_wait; // as before: only this thread writes it
	bootstrap_servers(t, brokers, sizeof(brokers));
	rdkafka_health_last_failure(&t->health, failure, sizeof(failure));
	snprintf(
		what, size, "no broker reachable at %s (%s); packets wait in the rings, retrying%s",
		brokers, failure[0] != '\0' ? failure : rd_kafka_err2str(err), hint(failure)
	);
	return RTAP_WAIT_BROKERS;
}

// Ask once; returns what all wait for by the state of the topic. `what` is what to say then, ""
// when it is said already.
static enum rtap_wait look_at_topic(struct rdkafka_topic *t, char *what, size_t size) {
	const struct rd_kafka_metadata *metadata;
	const rd_kafka_metadata_topic_t *found;
	rd_kafka_resp_err_t err;
	char brokers[256];

	what[0] = '\0';
	err = rd_kafka_metadata(t->client.rk, 0, t->client.topic, &metadata, METADATA_TIMEOUT_MS);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return look_without_answer(t, err, what, size);
	rdkafka_health_heard(&t->health, metadata);
	found = metadata->topic_cnt > 0 ? &metadata->topics[0] : NULL;
	err = found != NULL ? found->err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR && found->partition_cnt > 0) {
		heard_partitions(t, found->partition_cnt);
		return RTAP_WAIT_NOTHING;
	}
	if (err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
		if (t->logs)
			rdkafka_topic_say_denied(t, RDKAFKA_DENIED_TOPIC);
		return RTAP_WAIT_PERMISSION;
	}
	bootstrap_servers(t, brokers, sizeof(brokers));
	if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
		snprintf(
			what, size,
			"topic %s does not exist at %s; waiting for it, ringtap never creates "
			"one: kafka-topics.sh --create --topic %s --partitions N --config "
			"message.timestamp.type=LogAppendTime",
			t->cfg->topic, brokers, t->cfg->topic
		);
	else
		snprintf(what, size, "topic %s: %s; waiting", t->cfg->topic, rd_kafka_err2str(err));
	return RTAP_WAIT_TOPIC;
}

// At the first look that is well, and again while partitions wait: it may be the reason.
static void ask_configuration(struct rdkafka_topic *t, bool waits) {
	uint64_t now_ns = rtap_monotonic_ns();
	bool known = t->health.config.known;

	if (t->asked_ns != 0 && ((known && !waits) || now_ns - t->asked_ns < RTAP_LOG_AGAIN_NS))
		return;
	t->asked_ns = now_ns;
	rdkafka_topic_config_ask(&t->health.config, t->client.rk, t->cfg->topic);
	if (!known && t->health.config.known && t->logs)
		rdkafka_topic_config_warn(&t->health.config, t->client.rk, t->cfg->topic);
}

void rdkafka_topic_forget_denial(struct rdkafka_topic *t) {
	pthread_mutex_lock(&t->lock);
	t->denied_limit = (struct rtap_log_limit){0};
	pthread_mutex_unlock(&t->lock);
}

static void take_client(struct rdkafka_topic *t) {
	struct rdkafka_client old = t->client;

	pthread_mutex_lock(&t->lock);
	if (t->next.rk != NULL) {
		t->client = t->next;
		t->next.rk = NULL;
	}
	pthread_mutex_unlock(&t->lock);
	if (t->client.rk != old.rk)
		rdkafka_client_close(old);
}

static void
say(struct rdkafka_topic *t, enum rtap_wait before, enum rtap_wait now, const char *what,
    struct rtap_log_limit *limit) {
	uint64_t hidden;

	if (before == RTAP_WAIT_NOTHING && now != RTAP_WAIT_NOTHING)
		*limit = (struct rtap_log_limit){0};
	if (what[0] != '\0'
	    && rtap_log_limit_pass(limit, rtap_monotonic_ns(), RTAP_LOG_AGAIN_NS, &hidden))
		LOG(WARNING, "%s", what);
	if (before != RTAP_WAIT_NOTHING && now == RTAP_WAIT_NOTHING) {
		LOG(NOTICE, "topic %s is reachable again", t->cfg->topic);
		rdkafka_topic_forget_denial(t);
	}
}

static bool
is_time_to_look(struct rdkafka_topic *t, enum rtap_wait before, unsigned int nb_rounds) {
	struct sink_waits waits;

	rdkafka_health_look(&t->health, rtap_monotonic_ns(), &waits);
	return before != RTAP_WAIT_NOTHING || waits.nb_partitions > 0 || waits.throttled
		|| nb_rounds % WATCH_KNOWN_S == 0;
}

static void *watch_topic(void *arg) {
	struct rdkafka_topic *t = arg;
	enum rtap_wait before = RTAP_WAIT_NOTHING, now;
	struct rtap_log_limit limit = {0};
	struct sink_waits waits;
	char what[1024];

	for (unsigned int nb_rounds = 0;; nb_rounds++) {
		if (is_time_to_look(t, before, nb_rounds)) {
			now = look_at_topic(t, what, sizeof(what));
			if (t->logs)
				say(t, before, now, what, &limit);
			rdkafka_health_look(&t->health, rtap_monotonic_ns(), &waits);
			if (now == RTAP_WAIT_NOTHING && t->health.metadata != NULL)
				ask_configuration(t, waits.nb_partitions > 0);
			rdkafka_health_judge(&t->health, now);
			rdkafka_remedy_say(&t->remedy, &t->health);
			before = now;
		}
		sleep(1);
		take_client(t);
	}
	return NULL;
}

static const char *what_is_denied(enum rdkafka_denial denial) {
	switch (denial) {
	case RDKAFKA_DENIED_IDEMPOTENCE:
		return ": the broker refuses InitProducerId, which needs WRITE on a topic, before "
		       "Kafka 3.0 IDEMPOTENT_WRITE on the cluster";
	case RDKAFKA_DENIED_TOPIC:
		return ": the broker does not show it";
	case RDKAFKA_DENIED_WRITE:
		break;
	}
	return "";
}

void rdkafka_topic_say_denied(struct rdkafka_topic *t, enum rdkafka_denial denial) {
	const char *who = t->principal[0] != '\0' ? t->principal : "this client";
	const char *whom = t->principal[0] != '\0' ? t->principal : "User:NAME";
	uint64_t hidden;
	bool pass;

	pthread_mutex_lock(&t->lock);
	pass = rtap_log_limit_pass(
		&t->denied_limit, rtap_monotonic_ns(), RTAP_LOG_AGAIN_NS, &hidden
	);
	pthread_mutex_unlock(&t->lock);
	if (pass)
		LOG(WARNING,
		    "%s has no WRITE on topic %s%s; packets wait in the rings; grant it: "
		    "kafka-acls.sh --bootstrap-server HOST:PORT --add --allow-principal '%s' "
		    "--operation Write --topic %s",
		    who, t->cfg->topic, what_is_denied(denial), whom, t->cfg->topic);
}

void rdkafka_topic_change_client(struct rdkafka_topic *t, struct rdkafka_client next) {
	pthread_mutex_lock(&t->lock);
	t->next = next;
	pthread_mutex_unlock(&t->lock);
}

bool rdkafka_topic_is_changing_client(struct rdkafka_topic *t) {
	bool changing;

	pthread_mutex_lock(&t->lock);
	changing = t->next.rk != NULL;
	pthread_mutex_unlock(&t->lock);
	return changing;
}

void rdkafka_topic_on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
	if (strcmp(facility, "FAIL") == 0)
		rdkafka_health_note_failure(
			&((struct rdkafka_topic *)rd_kafka_opaque(rk))->health, text
		);
	else if (level <= LOG_ERR && strcmp(facility, "ERROR") != 0)
		LOG(WARNING, "%s: %s", facility, text);
	LOG(DEBUG, "%s: %s", facility, text);
}

void rdkafka_topic_on_throttle(
	rd_kafka_t *rk, const char *broker, int32_t id, int ms, void *opaque
) {
	struct rdkafka_topic *t = opaque;

	rdkafka_health_note_throttle(&t->health, broker, id, ms);
}

void rdkafka_topic_init(
	struct rdkafka_topic *t, const struct rtap_config *cfg, unsigned int nb_rings, bool logs
) {
	pthread_mutex_init(&t->lock, NULL);
	rdkafka_health_init(&t->health, cfg->topic);
	t->cfg = cfg;
	t->nb_rings = nb_rings;
	t->logs = logs;
}

int rdkafka_topic_watch(struct rdkafka_topic *t, struct rdkafka_client client) {
	t->client = client;
	rdkafka_security_principal(rd_kafka_conf(client.rk), t->principal, sizeof(t->principal));
	return -pthread_create(&t->watcher, NULL, watch_topic, t);
}
