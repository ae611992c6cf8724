// SPDX-License-Identifier: BSD-3-Clause
// Carry messages with librdkafka.

#include "rdkafka_sink.h"

#include "now.h"
#include "rdkafka_producer.h"
#include "rdkafka_progress.h"
#include "rdkafka_topic.h"
#include "statistics_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCAN_NS (500 * RTAP_MS_NS)

struct rdkafka_sink {
	struct sink sink;
	struct sink_setup setup;
	struct rdkafka_topic topic;
	struct rdkafka_progress progress;
	uint64_t scanned_ns;
	struct rdkafka_producer producer;
	struct rdkafka_producer *alone; // NULL until it is needed: it costs threads
};

static int open_alone(struct rdkafka_sink *s, char *why, size_t why_size) {
	struct rdkafka_producer *p = calloc(1, sizeof(*p));
	int rc = -ENOMEM;

	snprintf(why, why_size, "out of memory");
	if (p != NULL)
		rc = rdkafka_producer_open(
			p, &s->setup, &s->topic, &s->progress, true, why, why_size
		);
	if (rc < 0)
		free(p);
	else
		s->alone = p;
	return rc;
}

static void offer(struct sink *sink, const struct message *messages, unsigned int nb) {
	struct rdkafka_sink *s = (struct rdkafka_sink *)sink;
	char why[256];

	if (!message_is_alone(&messages[0])) {
		rdkafka_producer_offer(&s->producer, messages, nb);
		return;
	}
	if (s->alone != NULL || open_alone(s, why, sizeof(why)) == 0) {
		rdkafka_producer_offer(s->alone, messages, nb);
		return;
	}
	for (unsigned int i = 0; i < nb; i++)
		s->setup.report(s->setup.arg, messages[i].tag, SINK_REFUSED, messages[i].len, why);
}

static unsigned int serve(struct sink *sink, int timeout_ms) {
	struct rdkafka_sink *s = (struct rdkafka_sink *)sink;
	unsigned int nb = rdkafka_producer_serve(&s->producer, timeout_ms);

	return s->alone == NULL ? nb : nb + rdkafka_producer_serve(s->alone, 0);
}

static int32_t nb_partitions(const struct sink *sink) {
	const struct rdkafka_sink *s = (const struct rdkafka_sink *)sink;

	return atomic_load_explicit(&s->topic.nb_partitions, memory_order_relaxed);
}

static bool is_dead(const struct sink *sink) {
	const struct rdkafka_sink *s = (const struct rdkafka_sink *)sink;

	return s->producer.dead || (s->alone != NULL && s->alone->dead);
}

static void look(struct sink *sink, uint64_t now_ns, struct sink_waits *found) {
	struct rdkafka_sink *s = (struct rdkafka_sink *)sink;
	struct partition_wait waits[RDKAFKA_HEALTH_WAITS];
	uint32_t nb;

	if (now_ns - s->scanned_ns >= SCAN_NS) {
		s->scanned_ns = now_ns;
		nb = rdkafka_progress_scan(
			&s->progress, now_ns, RDKAFKA_HEALTH_WAIT_NS, waits, RDKAFKA_HEALTH_WAITS
		);
		rdkafka_health_note_waits(&s->topic.health, waits, nb);
	}
	rdkafka_health_look(&s->topic.health, now_ns, found);
	statistics_file_reopen_if_asked();
}

static const struct sink_ops ops = {
	.offer = offer,
	.serve = serve,
	.nb_partitions = nb_partitions,
	.is_dead = is_dead,
	.look = look,
};

struct sink *rdkafka_sink_create(const struct sink_setup *setup, char *why, size_t why_size) {
	struct rdkafka_sink *s = calloc(1, sizeof(*s));
	int rc;

	snprintf(why, why_size, "out of memory");
	if (s == NULL)
		return NULL;
	s->sink.ops = &ops;
	s->setup = *setup;
	rdkafka_topic_init(&s->topic, setup->cfg, setup->nb_rings, setup->logs_topic);
	if (rdkafka_producer_open(
		    &s->producer, &s->setup, &s->topic, &s->progress, false, why, why_size
	    )
	    < 0)
		goto free_sink;
	rc = rdkafka_topic_watch(&s->topic, s->producer.client);
	if (rc == 0)
		return &s->sink;
	snprintf(why, why_size, "topic %s: %s", setup->cfg->topic, strerror(-rc));
	rdkafka_producer_close(&s->producer);
free_sink:
	free(s);
	return NULL;
}
