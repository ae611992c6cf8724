// SPDX-License-Identifier: BSD-3-Clause
// Know what each partition waits for.

#include "rdkafka_health.h"

#include "now.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// librdkafka repeats the same failure of a connection every 30 s.
#define FAILURE_LASTS_NS (40 * RTAP_SECOND_NS)
// The answer comes first and is held back afterwards (KIP-219), so the next one is late by this.
#define THROTTLE_SLACK_NS (5 * RTAP_SECOND_NS)

void rdkafka_health_init(struct rdkafka_health *h, const char *topic) {
	pthread_mutex_init(&h->lock, NULL);
	h->topic = topic;
}

// ---- what is noted ----

void rdkafka_health_note_failure(struct rdkafka_health *h, const char *text) {
	const char *thread_end = strncmp(text, "[thrd:", 6) == 0 ? strstr(text, "]: ") : NULL;
	const char *begin = thread_end != NULL ? thread_end + 3 : text;
	const char *end = strstr(begin, ": ");
	const char *scheme = strstr(begin, "://"); // of TLS and SASL: sasl_ssl://HOST:PORT/ID
	struct broker_failure *f, *oldest = h->failures;
	char broker[sizeof(f->broker)], *detail;

	if (scheme != NULL && end != NULL && scheme < end)
		begin = scheme + 3;
	if (end == NULL || (size_t)(end - begin) >= sizeof(broker))
		return;
	snprintf(broker, sizeof(broker), "%.*s", (int)(end - begin), begin);
	pthread_mutex_lock(&h->lock);
	for (f = h->failures; f < h->failures + RDKAFKA_HEALTH_BROKERS; f++) {
		if (strcmp(f->broker, broker) == 0)
			break;
		if (f->at_ns < oldest->at_ns)
			oldest = f;
	}
	if (f == h->failures + RDKAFKA_HEALTH_BROKERS)
		f = oldest;
	snprintf(f->broker, sizeof(f->broker), "%s", broker);
	snprintf(f->why, sizeof(f->why), "%s", end + 2);
	if ((detail = strstr(f->why, " (after ")) != NULL) // its state and how often it was so
		*detail = '\0';
	f->at_ns = rtap_monotonic_ns();
	pthread_mutex_unlock(&h->lock);
}

// The record of a broker; of a new one that which is over the longest. Under the lock.
static struct broker_throttle *throttle_of(struct rdkafka_health *h, int32_t id) {
	struct broker_throttle *found = h->throttles;

	for (unsigned int i = 0; i < RDKAFKA_HEALTH_BROKERS; i++) {
		struct broker_throttle *t = &h->throttles[i];

		if (t->broker[0] != '\0' && t->id == id)
			return t;
		if (t->until_ns < found->until_ns)
			found = t;
	}
	return found;
}

void rdkafka_health_note_throttle(
	struct rdkafka_health *h, const char *broker, int32_t id, int ms
) {
	struct broker_throttle *t;

	pthread_mutex_lock(&h->lock);
	t = throttle_of(h, id);
	// librdkafka tells of an answer without a throttle, too: it ends that of its own broker
	// only.
	if (ms > 0 || t->id == id) {
		snprintf(t->broker, sizeof(t->broker), "%s", broker);
		t->id = id;
		t->ms = ms;
		t->until_ns = ms > 0
			? rtap_monotonic_ns() + (uint64_t)ms * RTAP_MS_NS + THROTTLE_SLACK_NS
			: 0;
	}
	pthread_mutex_unlock(&h->lock);
}

const struct broker_throttle *
rdkafka_health_throttled(const struct rdkafka_health *h, int32_t id, uint64_t now_ns) {
	const struct broker_throttle *t;

	for (t = h->throttles; t < h->throttles + RDKAFKA_HEALTH_BROKERS; t++)
		if (t->until_ns > now_ns && (id == RDKAFKA_HEALTH_ANY || t->id == id))
			return t;
	return NULL;
}

void rdkafka_health_note_waits(
	struct rdkafka_health *h, const struct partition_wait *waits, uint32_t nb
) {
	uint32_t nb_kept = nb < RDKAFKA_HEALTH_WAITS ? nb : RDKAFKA_HEALTH_WAITS;

	pthread_mutex_lock(&h->lock);
	for (uint32_t i = 0; i < nb_kept; i++)
		h->waits[i] = waits[i];
	h->nb_waits = nb;
	pthread_mutex_unlock(&h->lock);
}

// ---- what is asked ----

void rdkafka_health_look(struct rdkafka_health *h, uint64_t now_ns, struct sink_waits *waits) {
	pthread_mutex_lock(&h->lock);
	*waits = (struct sink_waits){
		.nb_partitions = h->nb_waits,
		.reason = h->nb_waits > 0 ? h->reason : h->topic_wait,
		.throttled = rdkafka_health_throttled(h, RDKAFKA_HEALTH_ANY, now_ns) != NULL,
	};
	pthread_mutex_unlock(&h->lock);
}

void rdkafka_health_last_failure(struct rdkafka_health *h, char *why, size_t size) {
	const struct broker_failure *last = h->failures;

	pthread_mutex_lock(&h->lock);
	for (unsigned int i = 1; i < RDKAFKA_HEALTH_BROKERS; i++)
		if (h->failures[i].at_ns > last->at_ns)
			last = &h->failures[i];
	snprintf(why, size, "%s%s%s", last->broker, last->at_ns > 0 ? ": " : "", last->why);
	pthread_mutex_unlock(&h->lock);
}

// ---- the reason of one partition ----

static const rd_kafka_metadata_partition_t *
find_partition(const struct rdkafka_health *h, int32_t id) {
	const rd_kafka_metadata_topic_t *topic;

	if (h->metadata == NULL || h->metadata->topic_cnt == 0)
		return NULL;
	topic = &h->metadata->topics[0];
	for (int i = 0; i < topic->partition_cnt; i++)
		if (topic->partitions[i].id == id)
			return &topic->partitions[i];
	return NULL;
}

void rdkafka_health_broker_name(
	const struct rdkafka_health *h, int32_t id, char *name, size_t size
) {
	name[0] = '\0';
	for (int i = 0; h->metadata != NULL && i < h->metadata->broker_cnt; i++)
		if (h->metadata->brokers[i].id == id)
			snprintf(
				name, size, "%s:%d", h->metadata->brokers[i].host,
				h->metadata->brokers[i].port
			);
}

const char *rdkafka_health_failure_of(const struct rdkafka_health *h, int32_t id, uint64_t now_ns) {
	char name[128], with_id[160];

	rdkafka_health_broker_name(h, id, name, sizeof(name));
	snprintf(with_id, sizeof(with_id), "%s/%" PRId32, name, id);
	for (unsigned int i = 0; i < RDKAFKA_HEALTH_BROKERS; i++)
		if (strcmp(h->failures[i].broker, with_id) == 0
		    && now_ns - h->failures[i].at_ns < FAILURE_LASTS_NS)
			return h->failures[i].why;
	return NULL;
}

static enum rtap_wait reason_of_refusal(int32_t refusal) {
	switch (refusal) {
	case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
		return RTAP_WAIT_CLOCK;
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		return RTAP_WAIT_PERMISSION;
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
		return RTAP_WAIT_TOPIC;
	default:
		return RTAP_WAIT_REFUSED;
	}
}

// A partition with fewer replicas than min.insync.replicas takes packets as long as all are in
// sync.
static bool
lacks_replicas(const struct rdkafka_health *h, const rd_kafka_metadata_partition_t *part) {
	return part->isr_cnt < part->replica_cnt && h->config.known
		&& (uint64_t)part->isr_cnt < h->config.min_insync_replicas;
}

static enum rtap_wait reason_of(
	const struct rdkafka_health *h, const struct partition_wait *wait,
	const rd_kafka_metadata_partition_t *part, uint64_t now_ns
) {
	if (wait->refusal != 0)
		return reason_of_refusal(wait->refusal);
	if (part == NULL)
		return RTAP_WAIT_ANSWER;
	if (part->leader < 0)
		return RTAP_WAIT_ELECTION;
	if (lacks_replicas(h, part))
		return RTAP_WAIT_REPLICAS;
	if (rdkafka_health_failure_of(h, part->leader, now_ns) != NULL)
		return RTAP_WAIT_LEADER;
	return rdkafka_health_throttled(h, part->leader, now_ns) != NULL ? RTAP_WAIT_QUOTA
									 : RTAP_WAIT_ANSWER;
}

// ---- judge ----

void rdkafka_health_heard(struct rdkafka_health *h, const rd_kafka_metadata_t *metadata) {
	if (h->metadata != NULL)
		rd_kafka_metadata_destroy(h->metadata);
	h->metadata = metadata;
}

static void add_to_group(
	struct wait_group *groups, unsigned int *nb_groups, enum rtap_wait reason,
	const rd_kafka_metadata_partition_t *part, const struct partition_wait *wait
) {
	int32_t leader = part != NULL ? part->leader : -1;
	unsigned int i;

	for (i = 0; i < *nb_groups; i++)
		if (groups[i].reason == reason
		    && (groups[i].first != NULL ? groups[i].first->leader : -1) == leader)
			break;
	if (i == RDKAFKA_HEALTH_GROUPS)
		return;
	if (i == *nb_groups) {
		groups[i] = (struct wait_group
		){.reason = reason, .first = part, .since_ns = wait->since_ns};
		++*nb_groups;
	}
	if (groups[i].nb < RDKAFKA_HEALTH_NAMED)
		groups[i].named[groups[i].nb] = wait->partition;
	groups[i].nb++;
	if (wait->since_ns < groups[i].since_ns)
		groups[i].since_ns = wait->since_ns;
}

static unsigned int
group_waits(const struct rdkafka_health *h, struct wait_group *groups, uint64_t now_ns) {
	uint32_t nb = h->nb_waits < RDKAFKA_HEALTH_WAITS ? h->nb_waits : RDKAFKA_HEALTH_WAITS;
	unsigned int nb_groups = 0;

	for (uint32_t i = 0; i < nb; i++) {
		const rd_kafka_metadata_partition_t *part = find_partition(
			h, h->waits[i].partition
		);

		add_to_group(
			groups, &nb_groups, reason_of(h, &h->waits[i], part, now_ns), part,
			&h->waits[i]
		);
	}
	return nb_groups;
}

void rdkafka_health_judge(struct rdkafka_health *h, enum rtap_wait topic_wait) {
	unsigned int most = 0;
	uint64_t now_ns;

	pthread_mutex_lock(&h->lock);
	now_ns = rtap_monotonic_ns(); // not before what others noted
	h->nb_groups = group_waits(h, h->groups, now_ns);
	for (unsigned int i = 1; i < h->nb_groups; i++)
		if (h->groups[i].nb > h->groups[most].nb)
			most = i;
	if (h->topic_wait != RTAP_WAIT_NOTHING && topic_wait == RTAP_WAIT_NOTHING)
		h->well_since_ns = now_ns;
	h->topic_wait = h->reason = topic_wait;
	if (topic_wait == RTAP_WAIT_NOTHING && h->nb_groups > 0)
		h->reason = h->groups[most].reason;
	pthread_mutex_unlock(&h->lock);
}
