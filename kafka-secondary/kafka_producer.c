// SPDX-License-Identifier: BSD-3-Clause
// One producer of one worker.

#include "kafka_producer.h"

#include "kafka_settings.h"
#include "log.h"
#include "now.h"
#include "rdkafka_client.h"
#include "rdkafka_outbox.h"
#include "rdkafka_topic.h"
#include "statistics_file.h"

#include <librdkafka/rdkafka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TYPE "kafka"

#define REPORTS_AT_ONCE 512
#define EVENTS_AT_ONCE 32
#define DENIED_FIRST_NS (UINT64_C(1) * 1000000000) // until a denied client is replaced; doubles
#define DENIED_MOST_NS (UINT64_C(10) * 1000000000)
#define SAY_AGAIN_NS (UINT64_C(60) * 1000000000)

struct kafka_producer {
	struct rdkafka_client
		client; // the topic's, until it is denied its producer id and replaced
	bool lone;
	bool was_denied; // and nothing arrived since
	uint64_t denied_ns; // when it was denied, 0 = it is not
	uint64_t denied_wait_ns; // how long to wait before the next one is tried
	struct rtap_log_limit no_client; // for why there is no next one
	rd_kafka_queue_t *events;
	struct rdkafka_topic topic;
	_Atomic bool fatal;
	bool idempotent;
	struct rdkafka_outbox outbox; // used by an idempotent one
	const struct message *batch_records[KAFKA_MAX_BATCH];
	rd_kafka_message_t batch[KAFKA_MAX_BATCH]; // of batch_records
	uint16_t batch_index[KAFKA_MAX_BATCH]; // record of each message of the batch
	uint16_t rest[KAFKA_MAX_BATCH]; // records that are not yet in a batch
};

static uint64_t number(rd_kafka_t *rk, const char *name) {
	char value[24] = "";
	size_t size = sizeof(value);

	rd_kafka_conf_get(rd_kafka_conf(rk), name, value, &size);
	return strcmp(value, "true") == 0 ? 1 : strtoull(value, NULL, 10);
}

// What is in force: the user may have set it, idempotence against `order`, too.
static void look_at_properties(struct kafka_producer *p) {
	uint64_t batch_bytes = number(p->client.rk, "batch.size");
	uint64_t most_bytes = number(p->client.rk, "message.max.bytes");

	p->idempotent = number(p->client.rk, "enable.idempotence") != 0;
	p->outbox.batch_records = (uint32_t)number(p->client.rk, "batch.num.messages");
	p->outbox.batch_bytes = batch_bytes < most_bytes ? batch_bytes : most_bytes;
}

static int
open_client(struct kafka_producer *p, struct rdkafka_client *client, char *why, size_t why_size) {
	rd_kafka_conf_t *conf = kafka_settings_build(
		p->topic.cfg, p->topic.nb_rings, p->lone, why, why_size
	);

	if (conf == NULL)
		return -EINVAL;
	rd_kafka_conf_set_log_cb(conf, rdkafka_topic_on_log);
	rd_kafka_conf_set_opaque(conf, &p->topic);
	return rdkafka_client_open(client, conf, p->topic.cfg->topic, why, why_size);
}

struct kafka_producer *kafka_producer_create(
	const struct rtap_config *cfg, unsigned int nb_rings, bool lone, bool speaks, char *why,
	size_t why_size
) {
	struct kafka_producer *p = calloc(1, sizeof(*p));
	int rc;

	snprintf(why, why_size, "out of memory");
	if (p == NULL)
		return NULL;
	pthread_mutex_init(&p->topic.lock, NULL);
	p->topic.cfg = cfg;
	p->topic.nb_rings = nb_rings;
	p->topic.speaks = speaks;
	p->lone = lone;
	if (open_client(p, &p->client, why, why_size) < 0)
		goto free_producer;
	p->events = rd_kafka_queue_get_main(p->client.rk);
	p->topic.client = p->client;
	look_at_properties(p);
	kafka_settings_principal(
		rd_kafka_conf(p->client.rk), p->topic.principal, sizeof(p->topic.principal)
	);
	rc = lone ? 0 : rdkafka_topic_watch(&p->topic);
	if (rc == 0)
		return p;
	snprintf(why, why_size, "topic %s: %s", cfg->topic, strerror(-rc));
	rd_kafka_queue_destroy(p->events);
	rdkafka_client_close(p->client);
free_producer:
	free(p);
	return NULL;
}

// ---- denied ----

static bool is_denied_id(const struct kafka_producer *p) {
	char text[256];

	return rd_kafka_fatal_error(p->client.rk, text, sizeof(text))
		== RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

// A client that is denied its producer id is dead, and so would be the next worker's: this worker waits
// with its rings, and another client asks again.
static void note_denied_id(struct kafka_producer *p) {
	p->was_denied = true;
	rdkafka_topic_say_denied(&p->topic, KAFKA_DENIED_IDEMPOTENCE);
	if (p->denied_ns != 0)
		return;
	p->denied_ns = rtap_monotonic_ns();
	p->denied_wait_ns = p->denied_wait_ns == 0 ? DENIED_FIRST_NS : 2 * p->denied_wait_ns;
	if (p->denied_wait_ns > DENIED_MOST_NS)
		p->denied_wait_ns = DENIED_MOST_NS;
}

static void note_error(struct kafka_producer *p, rd_kafka_resp_err_t err) {
	if (err != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
		return;
	p->was_denied = true;
	rdkafka_topic_say_denied(&p->topic, KAFKA_DENIED_WRITE);
}

static void note_granted(struct kafka_producer *p) {
	p->was_denied = false;
	p->denied_wait_ns = 0;
	rdkafka_topic_forget_denial(&p->topic);
	LOG(NOTICE, "topic %s takes packets again", p->topic.cfg->topic);
}

// Nothing is with the dead client any more: take another one. Whoever watches the topic ends the old one.
static void replace_client(struct kafka_producer *p) {
	struct rdkafka_client dead = p->client, next;
	uint64_t hidden;
	char why[256];

	if (open_client(p, &next, why, sizeof(why)) < 0) {
		if (rtap_log_limit_pass(&p->no_client, rtap_monotonic_ns(), SAY_AGAIN_NS, &hidden))
			LOG(WARNING, "%s; packets wait in the rings, trying on", why);
		p->denied_ns = rtap_monotonic_ns();
		return;
	}
	rd_kafka_queue_destroy(p->events);
	p->client = next;
	p->events = rd_kafka_queue_get_main(next.rk);
	p->denied_ns = 0;
	rdkafka_outbox_forget(&p->outbox);
	if (p->lone)
		rdkafka_client_close_aside(dead);
	else
		rdkafka_topic_change_client(&p->topic, next);
}

static void replace_client_if_due(struct kafka_producer *p) {
	uint64_t waited_ns = rtap_monotonic_ns() - p->denied_ns;

	if (waited_ns < p->denied_wait_ns)
		return;
	if (rd_kafka_outq_len(p->client.rk) == 0
	    && (p->lone || !rdkafka_topic_is_changing_client(&p->topic)))
		replace_client(p);
	else if (waited_ns > 6 * DENIED_MOST_NS) // a record that the dead client forgot
		atomic_store(&p->fatal, true);
}

static enum kafka_offer offer_result(struct kafka_producer *p, rd_kafka_resp_err_t err) {
	switch (err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return KAFKA_ACCEPTED;
	case RD_KAFKA_RESP_ERR__QUEUE_FULL:
		return KAFKA_QUEUE_FULL;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		return KAFKA_TOO_LARGE;
	case RD_KAFKA_RESP_ERR__FATAL:
		if (is_denied_id(p))
			return KAFKA_REFUSED; // an event will say so
		atomic_store(&p->fatal, true);
		return KAFKA_FATAL;
	default:
		return KAFKA_REFUSED;
	}
}

static rd_kafka_message_t message_of(const struct message *r) {
	// librdkafka reads payload and key only; its struct has no const.
	return (rd_kafka_message_t){
		.payload = (void *)(uintptr_t)r->payload,
		.len = r->len,
		.key = (void *)(uintptr_t)r->key,
		.key_len = sizeof(r->key),
		._private = (void *)(uintptr_t)r->tag,
	};
}

static rd_kafka_headers_t *headers_of(const struct message *r) {
	rd_kafka_headers_t *headers = rd_kafka_headers_new(MESSAGE_NB_HEADERS);
	struct message_headers h;

	message_headers(r, &h);
	for (unsigned int i = 0; i < MESSAGE_NB_HEADERS; i++)
		rd_kafka_header_add(
			headers, h.items[i].name, -1, h.items[i].value, (ssize_t)h.items[i].size
		);
	return headers;
}

static rd_kafka_resp_err_t produce_with_headers(
	struct kafka_producer *p, int32_t partition, const struct message *r,
	const rd_kafka_message_t *m
) {
	rd_kafka_headers_t *headers = headers_of(r);
	rd_kafka_resp_err_t err = rd_kafka_producev(
		p->client.rk, RD_KAFKA_V_RKT(p->client.topic), RD_KAFKA_V_PARTITION(partition),
		RD_KAFKA_V_VALUE(m->payload, m->len), RD_KAFKA_V_KEY(m->key, m->key_len),
		RD_KAFKA_V_OPAQUE(m->_private), RD_KAFKA_V_MSGFLAGS(0), RD_KAFKA_V_HEADERS(headers),
		RD_KAFKA_V_END
	);

	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_headers_destroy(headers);
	return err;
}

// Hand batch_records[] to the client; what it says stands in batch[].err. What is refused for more than
// its own size takes all that follow with it: they would overtake.
static void produce(struct kafka_producer *p, int32_t partition, unsigned int nb) {
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (unsigned int i = 0; i < nb; i++)
		p->batch[i] = message_of(p->batch_records[i]);
	if (nb == 0 || p->batch_records[0]->origin == NULL) {
		rd_kafka_produce_batch(p->client.topic, partition, 0, p->batch, (int)nb);
		return;
	}
	// A batch has no headers in librdkafka.
	for (unsigned int i = 0; i < nb; i++) {
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR
		    || err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
			err = produce_with_headers(p, partition, p->batch_records[i], &p->batch[i]);
		p->batch[i].err = err;
	}
}

// Move the records of `partition` from rest[] into batch_records[], in order. Returns how many.
static unsigned int fill_batch(
	struct kafka_producer *p, struct message *records, int32_t partition, unsigned int *nb_rest
) {
	unsigned int nb = 0, kept = 0;

	for (unsigned int i = 0; i < *nb_rest; i++) {
		struct message *r = &records[p->rest[i]];

		if (r->partition != partition) {
			p->rest[kept++] = p->rest[i];
			continue;
		}
		p->batch_index[nb] = p->rest[i];
		p->batch_records[nb++] = r;
	}
	*nb_rest = kept;
	return nb;
}

static unsigned int take_results(
	struct kafka_producer *p, struct message *records, unsigned int nb, const char **error
) {
	unsigned int accepted = 0;

	for (unsigned int i = 0; i < nb; i++) {
		struct message *r = &records[p->batch_index[i]];

		r->result = offer_result(p, p->batch[i].err);
		accepted += r->result == KAFKA_ACCEPTED;
		note_error(p, p->batch[i].err);
		if (r->result != KAFKA_ACCEPTED && *error == NULL)
			*error = rd_kafka_err2str(p->batch[i].err);
	}
	return accepted;
}

// Into the outbox with all of them; polls send them.
static unsigned int
store(struct kafka_producer *p, struct message *records, unsigned int nb, const char **error) {
	unsigned int accepted = 0;
	bool no_memory = false;

	for (unsigned int i = 0; i < nb; i++) {
		struct message *r = &records[i];

		no_memory = no_memory || rdkafka_outbox_add(&p->outbox, r) < 0;
		r->result = no_memory ? KAFKA_REFUSED : KAFKA_ACCEPTED;
		accepted += !no_memory;
	}
	if (no_memory)
		*error = "out of memory";
	return accepted;
}

// A batch goes to one partition: alternating per message would halve the rate.
unsigned int kafka_producer_offer(
	struct kafka_producer *p, struct message *records, unsigned int nb, const char **error
) {
	unsigned int accepted = 0, nb_rest = nb;

	*error = NULL;
	if (p->idempotent)
		return store(p, records, nb, error);
	for (unsigned int i = 0; i < nb; i++)
		p->rest[i] = (uint16_t)i;
	while (nb_rest > 0) {
		int32_t partition = records[p->rest[0]].partition;
		unsigned int nb_batch = fill_batch(p, records, partition, &nb_rest);

		produce(p, partition, nb_batch);
		accepted += take_results(p, records, nb_batch, error);
	}
	return accepted;
}

// ---- turns and reports ----

// What waits behind a record that did not arrive goes back with it, or it would overtake.
static void
empty_outbox(struct kafka_producer *p, int32_t partition, kafka_report_cb report, void *arg) {
	uint32_t nb = rdkafka_outbox_waiting(&p->outbox, partition);

	for (uint32_t i = 0; i < nb; i++) {
		const struct message *r = rdkafka_outbox_look(&p->outbox, partition, i);

		report(arg, r->tag, KAFKA_RETURNED, r->len, "it waited behind one that failed");
	}
	rdkafka_outbox_remove(&p->outbox, partition, nb, false);
}

// Hand the oldest `nb` records of a partition, at most KAFKA_MAX_BATCH, to the client. Returns how many
// left the outbox: fewer when the client's queue is full.
static uint32_t send_some(
	struct kafka_producer *p, int32_t partition, uint32_t nb, kafka_report_cb report, void *arg
) {
	bool refused = false;
	uint32_t i;

	for (i = 0; i < nb; i++)
		p->batch_records[i] = rdkafka_outbox_look(&p->outbox, partition, i);
	produce(p, partition, nb);
	for (i = 0; i < nb && p->batch[i].err != RD_KAFKA_RESP_ERR__QUEUE_FULL; i++) {
		const struct message *r = rdkafka_outbox_look(&p->outbox, partition, 0);
		uint64_t tag = r->tag;
		uint32_t len = r->len;
		enum kafka_offer result = offer_result(p, p->batch[i].err);

		rdkafka_outbox_remove(&p->outbox, partition, 1, result == KAFKA_ACCEPTED);
		if (result == KAFKA_ACCEPTED)
			continue;
		if (result == KAFKA_TOO_LARGE) {
			report(arg, tag, KAFKA_UNSENDABLE, len, rd_kafka_err2str(p->batch[i].err));
			continue;
		}
		note_error(p, p->batch[i].err);
		report(arg, tag, KAFKA_RETURNED, len, rd_kafka_err2str(p->batch[i].err));
		refused = true;
	}
	if (refused)
		empty_outbox(p, partition, report, arg);
	return i;
}

static void send_turns(struct kafka_producer *p, kafka_report_cb report, void *arg) {
	uint64_t now_ns = rtap_monotonic_ns();
	uint32_t nb, some, sent;
	int32_t partition;

	while ((partition = rdkafka_outbox_next(&p->outbox)) >= 0) {
		nb = rdkafka_outbox_batch(&p->outbox, partition, now_ns);
		for (; nb > 0 && rdkafka_outbox_waiting(&p->outbox, partition) >= nb; nb -= some) {
			some = nb < KAFKA_MAX_BATCH ? nb : KAFKA_MAX_BATCH;
			sent = send_some(p, partition, some, report, arg);
			if (sent == some)
				continue;
			rdkafka_outbox_relist(&p->outbox, partition);
			return; // the client's queue is full, for all
		}
		// All of the batch was too large: nothing is on its way that would call for a turn.
		rdkafka_outbox_relist(&p->outbox, partition);
	}
}

// The idempotent producer infers from one batch's success that the one before it is stored, too, whatever
// the broker had answered for that. A broker that does not know the producer (yet, or any more) takes
// any sequence number, so only an offset is its word.
static bool is_inferred(const struct kafka_producer *p, const rd_kafka_message_t *m) {
	return p->idempotent && m->err == RD_KAFKA_RESP_ERR_NO_ERROR && m->offset < 0;
}

static enum kafka_outcome outcome_of(const struct kafka_producer *p, const rd_kafka_message_t *m) {
	switch (m->err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return is_inferred(p, m) ? KAFKA_RETURNED : KAFKA_DELIVERED;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		return KAFKA_SUSPECT_SIZE;
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
		return KAFKA_SUSPECT_CONTENT;
	default:
		return KAFKA_RETURNED;
	}
}

static const char *reason_of(const struct kafka_producer *p, const rd_kafka_message_t *m) {
	return is_inferred(p, m) ? "no broker confirmed it" : rd_kafka_err2str(m->err);
}

static unsigned int
hand_out(struct kafka_producer *p, rd_kafka_event_t *event, kafka_report_cb report, void *arg) {
	const rd_kafka_message_t *messages[REPORTS_AT_ONCE];
	uint64_t now_ns = p->idempotent ? rtap_monotonic_ns() : 0;
	unsigned int nb = 0;
	size_t n;

	while ((n = rd_kafka_event_message_array(event, messages, REPORTS_AT_ONCE)) > 0) {
		for (size_t i = 0; i < n; i++) {
			const rd_kafka_message_t *m = messages[i];
			enum kafka_outcome outcome = outcome_of(p, m);

			if (outcome != KAFKA_DELIVERED)
				note_error(p, m->err);
			else if (p->was_denied)
				note_granted(p);
			report(arg, (uint64_t)(uintptr_t)m->_private, outcome, m->len,
			       reason_of(p, m));
			if (!p->idempotent)
				continue;
			// Nothing overtakes a packet that is proved bad.
			if (outcome == KAFKA_RETURNED || (outcome != KAFKA_DELIVERED && !p->lone))
				empty_outbox(p, m->partition, report, arg);
			rdkafka_outbox_report(
				&p->outbox, m->partition, outcome == KAFKA_DELIVERED, now_ns
			);
		}
		nb += (unsigned int)n;
	}
	return nb;
}

static void on_error(struct kafka_producer *p, rd_kafka_event_t *event) {
	if (is_denied_id(p)) {
		note_denied_id(p);
		return;
	}
	if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__FATAL
	    || rd_kafka_event_error_is_fatal(event)) {
		LOG(ERR, "fatal: %s; this worker ends, the next one goes on from where Kafka is",
		    rd_kafka_event_error_string(event));
		atomic_store(&p->fatal, true);
		return;
	}
	LOG(DEBUG, "%s", rd_kafka_event_error_string(event));
}

unsigned int
kafka_producer_poll(struct kafka_producer *p, int timeout_ms, kafka_report_cb report, void *arg) {
	rd_kafka_event_t *event;
	unsigned int nb = 0;

	if (p->denied_ns == 0)
		send_turns(p, report, arg);
	else
		replace_client_if_due(p);
	// Bounded: the caller has rings to read and a heartbeat to give.
	for (unsigned int i = 0; i < EVENTS_AT_ONCE; i++) {
		event = rd_kafka_queue_poll(p->events, timeout_ms);
		if (event == NULL)
			break;
		if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
			nb += hand_out(p, event, report, arg);
		else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
			on_error(p, event);
		else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_STATS)
			statistics_file_write(rd_kafka_event_stats(event));
		rd_kafka_event_destroy(event);
		timeout_ms = 0;
	}
	return nb;
}

int32_t kafka_producer_nb_partitions(const struct kafka_producer *p) {
	return atomic_load_explicit(&p->topic.nb_partitions, memory_order_relaxed);
}

bool kafka_producer_is_fatal(const struct kafka_producer *p) {
	return atomic_load_explicit(&p->fatal, memory_order_relaxed);
}
