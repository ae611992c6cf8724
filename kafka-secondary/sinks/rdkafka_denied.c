// SPDX-License-Identifier: BSD-3-Clause
// Replace a client that was denied its producer id.

#include "rdkafka_denied.h"

#include "now.h"

#define LOG_TYPE "kafka"

#define FIRST_NS RTAP_SECOND_NS // until a denied client is replaced; doubles
#define MOST_NS (10 * RTAP_SECOND_NS)

bool rdkafka_denied_id(const struct rdkafka_producer *p) {
	char text[256];

	return rd_kafka_fatal_error(p->client.rk, text, sizeof(text))
		== RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

void rdkafka_denied_begin(struct rdkafka_producer *p) {
	p->denied.lately = true;
	rdkafka_topic_say_denied(p->topic, RDKAFKA_DENIED_IDEMPOTENCE);
	if (p->denied.since_ns != 0)
		return;
	p->denied.since_ns = rtap_monotonic_ns();
	p->denied.wait_ns = p->denied.wait_ns == 0 ? FIRST_NS : 2 * p->denied.wait_ns;
	if (p->denied.wait_ns > MOST_NS)
		p->denied.wait_ns = MOST_NS;
}

void rdkafka_denied_note(struct rdkafka_producer *p, rd_kafka_resp_err_t err) {
	if (err != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
		return;
	p->denied.lately = true;
	rdkafka_topic_say_denied(p->topic, RDKAFKA_DENIED_WRITE);
}

void rdkafka_denied_end(struct rdkafka_producer *p) {
	if (!p->denied.lately)
		return;
	p->denied.lately = false;
	p->denied.wait_ns = 0;
	rdkafka_topic_forget_denial(p->topic);
	LOG(NOTICE, "topic %s takes packets again", p->setup->cfg->topic);
}

// The old one is closed by whoever may still be using it.
static void replace(struct rdkafka_producer *p) {
	struct rdkafka_client dead = p->client, next;
	uint64_t hidden;
	char why[256];

	if (rdkafka_producer_open_client(p, &next, why, sizeof(why)) < 0) {
		if (rtap_log_limit_pass(
			    &p->denied.no_client, rtap_monotonic_ns(), RTAP_LOG_AGAIN_NS, &hidden
		    ))
			LOG(WARNING, "%s; packets wait in the rings, retrying", why);
		p->denied.since_ns = rtap_monotonic_ns();
		return;
	}
	rd_kafka_queue_destroy(p->events);
	p->client = next;
	p->events = rd_kafka_queue_get_main(next.rk);
	p->denied.since_ns = 0;
	rdkafka_outbox_forget(&p->outbox);
	if (p->alone)
		rdkafka_client_close_aside(dead);
	else
		rdkafka_topic_change_client(p->topic, next);
}

void rdkafka_denied_replace_if_due(struct rdkafka_producer *p) {
	uint64_t waited_ns = rtap_monotonic_ns() - p->denied.since_ns;

	if (waited_ns < p->denied.wait_ns)
		return;
	if (rd_kafka_outq_len(p->client.rk) == 0
	    && (p->alone || !rdkafka_topic_is_changing_client(p->topic)))
		replace(p);
	else if (waited_ns > 6 * MOST_NS) // a message that the dead client forgot
		p->dead = true;
}
