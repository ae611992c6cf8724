// SPDX-License-Identifier: BSD-3-Clause
// Hand messages to librdkafka.

#include "rdkafka_batch.h"

#include <rte_branch_prediction.h>

#include <stdlib.h>
#include <string.h>

// Of a copy that could not be made; librdkafka has no use for it when it takes a message.
#define NO_MEMORY RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE

#define COPIES_AT_ONCE 16

static bool is_copied(const struct message *msg) {
	return unlikely(msg->nb_segs != 1);
}

static void *linearise(const struct message *msg) {
	const struct rte_mbuf *segment = msg->frame;
	uint32_t left = msg->len, bytes;
	char *copy = malloc(left), *to = copy;

	for (; copy != NULL && segment != NULL; segment = segment->next) {
		bytes = RTE_MIN(rte_pktmbuf_data_len(segment), left);
		memcpy(to, rte_pktmbuf_mtod(segment, const void *), bytes);
		to += bytes;
		left -= bytes;
	}
	return copy;
}

// Returns false when there is no memory for a copy.
static bool make(struct rdkafka_batch *b, unsigned int i) {
	const struct message *msg = b->messages[i];
	bool copied = is_copied(msg);

	message_key(msg->time_ns, b->key_unit, b->keys[i]);
	b->produced[i] = (rd_kafka_message_t){
		// librdkafka reads it only; its struct has no const.
		.payload = copied ? linearise(msg) : (void *)(uintptr_t)msg->data,
		.len = msg->len,
		.key = b->keys[i],
		.key_len = MESSAGE_KEY_BYTES,
		._private = (void *)(uintptr_t)msg->tag,
	};
	return b->produced[i].payload != NULL;
}

static rd_kafka_headers_t *headers_of(const struct message *msg) {
	rd_kafka_headers_t *headers = rd_kafka_headers_new(MESSAGE_NB_HEADERS);
	struct message_headers h;

	message_headers(msg, &h);
	for (unsigned int i = 0; i < MESSAGE_NB_HEADERS; i++)
		rd_kafka_header_add(
			headers, h.items[i].name, -1, h.items[i].value, (ssize_t)h.items[i].size
		);
	return headers;
}

static void produce_with_headers(
	const struct rdkafka_client *client, int32_t partition, int flags,
	const struct message *msg, rd_kafka_message_t *m
) {
	rd_kafka_headers_t *headers = headers_of(msg);

	m->err = rd_kafka_producev(
		client->rk, RD_KAFKA_V_RKT(client->topic), RD_KAFKA_V_PARTITION(partition),
		RD_KAFKA_V_VALUE(m->payload, m->len), RD_KAFKA_V_KEY(m->key, m->key_len),
		RD_KAFKA_V_OPAQUE(m->_private), RD_KAFKA_V_MSGFLAGS(flags),
		RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END
	);
	if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_headers_destroy(headers);
}

// Copies are librdkafka's once it takes them.
static void settle_copies(struct rdkafka_batch *b, unsigned int from, unsigned int nb) {
	for (unsigned int i = from; i < from + nb; i++) {
		if (b->produced[i].err == RD_KAFKA_RESP_ERR_NO_ERROR)
			rtap_counter_add(&b->counters->linearised, 1);
		else
			free(b->produced[i].payload);
	}
}

// How many messages librdkafka takes at once: one with headers, or a run that is copied or not. Of
// copies only a few, since those of a run that the full queue refuses are made in vain.
static unsigned int run_length(const struct rdkafka_batch *b, unsigned int from, unsigned int nb) {
	bool copied = is_copied(b->messages[from]);
	unsigned int run = 1;

	if (b->messages[from]->origin != NULL)
		return 1;
	if (copied && nb > from + COPIES_AT_ONCE)
		nb = from + COPIES_AT_ONCE;
	while (from + run < nb && is_copied(b->messages[from + run]) == copied)
		run++;
	return run;
}

// Returns how many got an answer.
static unsigned int produce_run(
	struct rdkafka_batch *b, const struct rdkafka_client *client, int32_t partition,
	unsigned int from, unsigned int run
) {
	const struct message *first = b->messages[from];
	int flags = is_copied(first) ? RD_KAFKA_MSG_F_FREE : 0;
	rd_kafka_message_t *m = &b->produced[from];
	unsigned int made = 0;

	while (made < run && make(b, from + made))
		made++;
	if (made > 0 && first->origin != NULL)
		produce_with_headers(client, partition, flags, first, m);
	else if (made > 0)
		rd_kafka_produce_batch(client->topic, partition, flags, m, (int)made);
	if (is_copied(first))
		settle_copies(b, from, made);
	if (made == run)
		return run;
	m[made].err = NO_MEMORY;
	return made + 1;
}

void rdkafka_batch_produce(
	struct rdkafka_batch *b, const struct rdkafka_client *client, int32_t partition,
	unsigned int nb
) {
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
	unsigned int done = 0;

	while (done < nb
	       && (err == RD_KAFKA_RESP_ERR_NO_ERROR || err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
	) {
		done += produce_run(b, client, partition, done, run_length(b, done, nb));
		err = b->produced[done - 1].err;
	}
	for (; done < nb; done++)
		b->produced[done].err = err;
}

const char *rdkafka_batch_why(rd_kafka_resp_err_t err) {
	if (likely(err == RD_KAFKA_RESP_ERR_NO_ERROR))
		return NULL;
	return err == NO_MEMORY ? "no memory for a packet of several segments"
				: rd_kafka_err2str(err);
}
