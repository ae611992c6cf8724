// SPDX-License-Identifier: BSD-3-Clause
// Say what partitions wait for, and the remedy.

#include "rdkafka_remedy.h"

#include <inttypes.h>
#include <stdio.h>

#define LOG_TYPE "kafka"

#define THROTTLE_WORTH_MS 500 // a word

static void name_partitions(const struct wait_group *g, char *text, size_t size) {
	uint32_t nb_named = g->nb < RDKAFKA_HEALTH_NAMED ? g->nb : RDKAFKA_HEALTH_NAMED;
	size_t len = (size_t)snprintf(text, size, "partition%s", g->nb > 1 ? "s" : "");

	for (uint32_t i = 0; i < nb_named; i++)
		len += (size_t
		)snprintf(text + len, size - len, "%s %" PRId32, i > 0 ? "," : "", g->named[i]);
	if (g->nb > nb_named)
		snprintf(text + len, size - len, " and %" PRIu32 " more", g->nb - nb_named);
}

// What is wrong and the remedy; "" when other lines say it.
static void
explain(const struct rdkafka_health *h, const struct wait_group *g, uint64_t now_ns, char *text,
	size_t size) {
	int32_t leader = g->first != NULL ? g->first->leader : -1;
	const char *failure = rdkafka_health_failure_of(h, leader, now_ns);
	char name[128];

	rdkafka_health_broker_name(h, leader, name, sizeof(name));
	text[0] = '\0';
	switch (g->reason) {
	case RTAP_WAIT_LEADER:
		snprintf(
			text, size,
			"the leader cannot be reached, broker %" PRId32
			" at %s: %s; check that broker, its "
			"advertised.listeners, DNS and firewall",
			leader, name, failure != NULL ? failure : "no connection"
		);
		break;
	case RTAP_WAIT_ELECTION:
		snprintf(
			text, size,
			"there is no leader: all replicas are down; start a broker that "
			"has one"
		);
		break;
	case RTAP_WAIT_REPLICAS:
		if (g->first == NULL)
			break;
		snprintf(
			text, size,
			"brokers refuse to write: %d of %d replicas are in sync and min.insync.replicas "
			"is %" PRIu64
			"; start the brokers that are down, or lower min.insync.replicas",
			g->first->isr_cnt, g->first->replica_cnt, h->config.min_insync_replicas
		);
		break;
	case RTAP_WAIT_CLOCK:
		snprintf(
			text, size,
			"brokers refuse the time of the packets (Invalid timestamp): the clock of this "
			"machine and that of the brokers differ by more than the topic's "
			"message.timestamp.after.max.ms or before.max.ms allows; synchronise both, or let "
			"the brokers stamp: " RDKAFKA_LET_BROKERS_STAMP,
			h->topic
		);
		break;
	case RTAP_WAIT_ANSWER:
		if (g->first == NULL)
			break; // brokers do not name the partition (yet)
		snprintf(
			text, size,
			"broker %" PRId32
			" at %s has not answered; it may be out of reach, or wait for "
			"replicas (%d of %d are in sync) or its disks, its log says more",
			leader, name, g->first->isr_cnt, g->first->replica_cnt
		);
		break;
	default: // said by the watcher, by rdkafka_topic_say_denied(), or with the ring's pause
		break;
	}
}

static void say_group(const struct rdkafka_health *h, const struct wait_group *g, uint64_t now_ns) {
	char partitions[160], text[1024]; // a topic's name has up to 249 characters

	explain(h, g, now_ns, text, sizeof(text));
	if (text[0] == '\0')
		return;
	name_partitions(g, partitions, sizeof(partitions));
	LOG(WARNING,
	    "topic %s, %s: nothing was confirmed for %" PRIu64 " s: %s; packets wait in the rings",
	    h->topic, partitions, (now_ns - g->since_ns) / RTAP_SECOND_NS, text);
}

static void say_groups(struct rdkafka_remedy *r, const struct rdkafka_health *h, uint64_t now_ns) {
	bool pass[RTAP_NB_WAITS] = {false}, asked[RTAP_NB_WAITS] = {false};
	uint64_t hidden;

	for (unsigned int i = 0; i < h->nb_groups; i++) {
		enum rtap_wait reason = h->groups[i].reason;

		if (!asked[reason])
			pass[reason] = rtap_log_limit_pass(
				&r->limits[reason], now_ns, RTAP_LOG_AGAIN_NS, &hidden
			);
		asked[reason] = true;
		if (pass[reason])
			say_group(h, &h->groups[i], now_ns);
	}
	if (h->nb_groups == 0 && r->said)
		LOG(NOTICE, "topic %s: packets are confirmed again", h->topic);
	r->said = h->nb_groups > 0;
}

static void
say_throttle(struct rdkafka_remedy *r, const struct rdkafka_health *h, uint64_t now_ns) {
	const struct broker_throttle *t = rdkafka_health_throttled(h, RDKAFKA_HEALTH_ANY, now_ns);
	uint64_t hidden;

	if (t == NULL || t->ms < THROTTLE_WORTH_MS
	    || !rtap_log_limit_pass(&r->throttle_limit, now_ns, RTAP_LOG_AGAIN_NS, &hidden))
		return;
	LOG(WARNING,
	    "broker %" PRId32
	    " at %s holds this client back by %d ms: a quota (producer_byte_rate or "
	    "request_percentage) is below the traffic; packets wait in the rings; raise it: "
	    "kafka-configs.sh --bootstrap-server HOST:PORT --describe --entity-type clients --entity-type "
	    "users shows it",
	    t->id, t->broker, t->ms);
}

void rdkafka_remedy_say(struct rdkafka_remedy *r, struct rdkafka_health *h) {
	uint64_t now_ns;

	pthread_mutex_lock(&h->lock);
	now_ns = rtap_monotonic_ns();
	say_throttle(r, h, now_ns);
	// Right after an outage packets are on their way, and its failures are no reason any more.
	if (h->topic_wait == RTAP_WAIT_NOTHING
	    && now_ns - h->well_since_ns >= RDKAFKA_HEALTH_WAIT_NS)
		say_groups(r, h, now_ns);
	pthread_mutex_unlock(&h->lock);
}
