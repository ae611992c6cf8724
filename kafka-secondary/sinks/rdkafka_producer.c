// SPDX-License-Identifier: BSD-3-Clause
// One producer of librdkafka.

#include "rdkafka_producer.h"

#include "now.h"
#include "rdkafka_denied.h"
#include "rdkafka_properties.h"
#include "rdkafka_turns.h"
#include "statistics_file.h"

#include <rte_branch_prediction.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TYPE "kafka"

#define REPORTS_AT_ONCE 512
#define EVENTS_AT_ONCE 32

// ---- open ----

int rdkafka_producer_open_client(
	const struct rdkafka_producer *p, struct rdkafka_client *client, char *why, size_t why_size
) {
	rd_kafka_conf_t *conf = rdkafka_properties_build(
		p->setup->cfg, p->setup->nb_rings, p->alone, why, why_size
	);

	if (conf == NULL)
		return -EINVAL;
	rd_kafka_conf_set_log_cb(conf, rdkafka_topic_on_log);
	rd_kafka_conf_set_throttle_cb(conf, rdkafka_topic_on_throttle);
	rd_kafka_conf_set_opaque(conf, p->topic);
	return rdkafka_client_open(client, conf, p->setup->cfg->topic, why, why_size);
}

static uint64_t number(rd_kafka_t *rk, const char *name) {
	char value[24] = "";
	size_t size = sizeof(value);

	rd_kafka_conf_get(rd_kafka_conf(rk), name, value, &size);
	return strcmp(value, "true") == 0 ? 1 : strtoull(value, NULL, 10);
}

// What is in force: the user may have set it, idempotence against `order`, too.
static void look_at_properties(struct rdkafka_producer *p) {
	uint64_t batch_bytes = number(p->client.rk, "batch.size");
	uint64_t most_bytes = number(p->client.rk, "message.max.bytes");

	p->idempotent = number(p->client.rk, "enable.idempotence") != 0;
	p->outbox.batch_messages = (uint32_t)number(p->client.rk, "batch.num.messages");
	p->outbox.batch_bytes = batch_bytes < most_bytes ? batch_bytes : most_bytes;
}

int rdkafka_producer_open(
	struct rdkafka_producer *p, const struct sink_setup *setup, struct rdkafka_topic *topic,
	struct rdkafka_progress *progress, bool alone, char *why, size_t why_size
) {
	int rc;

	p->setup = setup;
	p->topic = topic;
	p->progress = progress;
	p->alone = alone;
	p->batch.key_unit = setup->cfg->key_unit;
	p->batch.counters = setup->counters;
	rc = rdkafka_producer_open_client(p, &p->client, why, why_size);
	if (rc < 0)
		return rc;
	p->events = rd_kafka_queue_get_main(p->client.rk);
	look_at_properties(p);
	return 0;
}

void rdkafka_producer_close(struct rdkafka_producer *p) {
	rdkafka_outbox_fini(&p->outbox);
	rd_kafka_queue_destroy(p->events);
	rdkafka_client_close(p->client);
}

// ---- offers ----

enum sink_report rdkafka_producer_judge(struct rdkafka_producer *p, rd_kafka_resp_err_t err) {
	if (likely(err == RD_KAFKA_RESP_ERR_NO_ERROR))
		return SINK_SENT;
	rdkafka_denied_note(p, err);
	switch (err) {
	case RD_KAFKA_RESP_ERR__QUEUE_FULL:
		return SINK_NO_ROOM;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		return SINK_TOO_LARGE;
	case RD_KAFKA_RESP_ERR__FATAL:
		p->dead |= !rdkafka_denied_id(p); // of a denial an event will say so
		return SINK_REFUSED;
	default:
		return SINK_REFUSED;
	}
}

// Move the messages of `partition` from rest[] into the batch, in order. Returns how many.
static unsigned int
fill_batch(struct rdkafka_producer *p, int32_t partition, unsigned int *nb_rest) {
	unsigned int nb = 0, kept = 0;

	for (unsigned int i = 0; i < *nb_rest; i++) {
		if (p->rest[i]->partition == partition)
			p->batch.messages[nb++] = p->rest[i];
		else
			p->rest[kept++] = p->rest[i];
	}
	*nb_rest = kept;
	return nb;
}

static void report_batch(struct rdkafka_producer *p, unsigned int nb) {
	for (unsigned int i = 0; i < nb; i++) {
		const struct message *msg = p->batch.messages[i];
		rd_kafka_resp_err_t err = p->batch.produced[i].err;

		enum sink_report report = rdkafka_producer_judge(p, err);

		rdkafka_producer_report(
			p, msg->partition, msg->tag, report, msg->len,
			report == SINK_REFUSED ? err : 0, rdkafka_batch_why(err)
		);
	}
}

// A batch goes to one partition: alternating per message would halve the rate.
void rdkafka_producer_offer(
	struct rdkafka_producer *p, const struct message *messages, unsigned int nb
) {
	unsigned int nb_rest = nb;

	for (unsigned int i = 0; i < nb; i++)
		rdkafka_progress_offered(p->progress, messages[i].partition);
	if (p->idempotent) {
		rdkafka_turns_keep(p, messages, nb);
		return;
	}
	for (unsigned int i = 0; i < nb; i++)
		p->rest[i] = &messages[i];
	while (nb_rest > 0) {
		int32_t partition = p->rest[0]->partition;
		unsigned int nb_batch = fill_batch(p, partition, &nb_rest);

		rdkafka_batch_produce(&p->batch, &p->client, partition, nb_batch);
		report_batch(p, nb_batch);
	}
}

// ---- reports and events ----

// The idempotent producer infers from one batch's success that the one before it is stored, too,
// whatever the broker had answered for that. A broker that does not know the producer (yet, or any
// more) takes any sequence number, so only an offset is its word.
static bool is_inferred(const struct rdkafka_producer *p, const rd_kafka_message_t *m) {
	return p->idempotent && m->err == RD_KAFKA_RESP_ERR_NO_ERROR && m->offset < 0;
}

static enum sink_report report_of(const struct rdkafka_producer *p, const rd_kafka_message_t *m) {
	switch (m->err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return is_inferred(p, m) ? SINK_RETURNED : SINK_DELIVERED;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		return p->alone ? SINK_TOO_LARGE : SINK_SUSPECT;
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
		return p->alone ? SINK_INVALID : SINK_SUSPECT;
	default:
		return SINK_RETURNED;
	}
}

static const char *why_of(const struct rdkafka_producer *p, const rd_kafka_message_t *m) {
	if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return rd_kafka_err2str(m->err);
	return is_inferred(p, m) ? "no broker confirmed it" : NULL;
}

// The error that a message which comes back waits for; 0 when none is told. A client that is denied
// its producer id purges what it has, for no reason of its own.
static rd_kafka_resp_err_t
refusal_of(const struct rdkafka_producer *p, enum sink_report report, rd_kafka_resp_err_t err) {
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR
	    || (report != SINK_RETURNED && report != SINK_SUSPECT))
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	return rdkafka_denied_id(p) ? RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED : err;
}

static unsigned int pass_reports(struct rdkafka_producer *p, rd_kafka_event_t *event) {
	const rd_kafka_message_t *messages[REPORTS_AT_ONCE];
	uint64_t now_ns = p->idempotent ? rtap_monotonic_ns() : 0;
	unsigned int nb = 0;
	size_t n;

	while ((n = rd_kafka_event_message_array(event, messages, REPORTS_AT_ONCE)) > 0) {
		for (size_t i = 0; i < n; i++) {
			const rd_kafka_message_t *m = messages[i];
			enum sink_report report = report_of(p, m);

			if (report == SINK_DELIVERED)
				rdkafka_denied_end(p);
			else
				rdkafka_denied_note(p, m->err);
			rdkafka_producer_report(
				p, m->partition, (uint64_t)(uintptr_t)m->_private, report, m->len,
				refusal_of(p, report, m->err), why_of(p, m)
			);
			if (p->idempotent)
				rdkafka_turns_report(p, m->partition, report, now_ns);
		}
		nb += (unsigned int)n;
	}
	return nb;
}

static void on_error(struct rdkafka_producer *p, rd_kafka_event_t *event) {
	if (rdkafka_denied_id(p)) {
		rdkafka_denied_begin(p);
		return;
	}
	if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__FATAL
	    || rd_kafka_event_error_is_fatal(event)) {
		LOG(ERR,
		    "fatal: %s; this transmit worker ends, the next one continues where Kafka is",
		    rd_kafka_event_error_string(event));
		p->dead = true;
		return;
	}
	LOG(DEBUG, "%s", rd_kafka_event_error_string(event));
}

unsigned int rdkafka_producer_serve(struct rdkafka_producer *p, int timeout_ms) {
	rd_kafka_event_t *event;
	unsigned int nb = 0;

	if (p->denied.since_ns == 0)
		rdkafka_turns_send(p);
	else
		rdkafka_denied_replace_if_due(p);
	// Bounded: the caller has rings to read and a heartbeat to give.
	for (unsigned int i = 0; i < EVENTS_AT_ONCE; i++) {
		event = rd_kafka_queue_poll(p->events, timeout_ms);
		if (event == NULL)
			break;
		if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
			nb += pass_reports(p, event);
		else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
			on_error(p, event);
		else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_STATS)
			statistics_file_write(rd_kafka_event_stats(event));
		rd_kafka_event_destroy(event);
		timeout_ms = 0;
	}
	return nb;
}
