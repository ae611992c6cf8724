// SPDX-License-Identifier: BSD-3-Clause
// One batch of a partition at a time.

#include "rdkafka_outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_MESSAGES 256

void rdkafka_outbox_fini(struct rdkafka_outbox *o) {
	for (uint32_t i = 0; i < o->nb_partitions; i++)
		free(o->partitions[i].messages);
	free(o->partitions);
	free(o->ready);
	*o = (struct rdkafka_outbox){0};
}

static int know_partitions(struct rdkafka_outbox *o, uint32_t nb) {
	struct outbox_partition *partitions;
	int32_t *ready;

	if (nb <= o->nb_partitions)
		return 0;
	ready = realloc(o->ready, nb * sizeof(*ready));
	if (ready == NULL)
		return -ENOMEM;
	o->ready = ready;
	partitions = realloc(o->partitions, nb * sizeof(*partitions));
	if (partitions == NULL)
		return -ENOMEM;
	memset(partitions + o->nb_partitions, 0, (nb - o->nb_partitions) * sizeof(*partitions));
	o->partitions = partitions;
	o->nb_partitions = nb;
	return 0;
}

static int make_room(struct outbox_partition *p) {
	uint32_t nb = p->head - p->tail;
	uint32_t size = p->messages == NULL ? FIRST_MESSAGES : 2 * (p->mask + 1);
	struct message *messages;

	if (p->messages != NULL && nb <= p->mask)
		return 0;
	messages = malloc(size * sizeof(*messages));
	if (messages == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; p->messages != NULL && i < nb; i++)
		messages[i] = p->messages[(p->tail + i) & p->mask];
	free(p->messages);
	p->messages = messages;
	p->mask = size - 1;
	p->tail = 0;
	p->head = nb;
	return 0;
}

int rdkafka_outbox_add(struct rdkafka_outbox *o, const struct message *msg) {
	struct outbox_partition *p;

	if (msg->partition < 0)
		return -EINVAL;
	if (know_partitions(o, (uint32_t)msg->partition + 1) < 0)
		return -ENOMEM;
	p = &o->partitions[msg->partition];
	if (make_room(p) < 0)
		return -ENOMEM;
	p->messages[p->head++ & p->mask] = *msg;
	rdkafka_outbox_relist(o, msg->partition);
	return 0;
}

void rdkafka_outbox_relist(struct rdkafka_outbox *o, int32_t partition) {
	struct outbox_partition *p = &o->partitions[partition];

	if (p->listed || p->in_flight > 0 || p->head == p->tail)
		return;
	p->listed = true;
	o->ready[o->nb_ready++] = partition;
}

void rdkafka_outbox_forget(struct rdkafka_outbox *o) {
	for (uint32_t i = 0; i < o->nb_partitions; i++)
		o->partitions[i].confirmed_ns = 0;
}

int32_t rdkafka_outbox_next(struct rdkafka_outbox *o) {
	int32_t partition;

	if (o->nb_ready == 0)
		return -1;
	partition = o->ready[0]; // each in its turn
	memmove(o->ready, o->ready + 1, --o->nb_ready * sizeof(*o->ready));
	o->partitions[partition].listed = false;
	return partition;
}

uint32_t rdkafka_outbox_batch(struct rdkafka_outbox *o, int32_t partition, uint64_t now_ns) {
	struct outbox_partition *p = &o->partitions[partition];
	uint32_t nb, waiting = p->head - p->tail;
	uint64_t bytes = 0;

	if (p->in_flight > 0 || waiting == 0)
		return 0;
	if (now_ns - p->confirmed_ns > RDKAFKA_OUTBOX_IDLE_NS)
		p->confirmed_ns = 0; // as at the beginning
	if (p->confirmed_ns == 0)
		return 1;
	for (nb = 0; nb < waiting && nb < o->batch_messages; nb++) {
		const struct message *msg = &p->messages[(p->tail + nb) & p->mask];

		bytes += msg->len + MESSAGE_KEY_BYTES + RDKAFKA_OUTBOX_RECORD_BYTES;
		bytes += msg->origin != NULL ? msg->origin->header_bytes : 0;
		if (bytes > o->batch_bytes)
			break;
	}
	return nb > 0 ? nb : 1;
}

const struct message *
rdkafka_outbox_look(const struct rdkafka_outbox *o, int32_t partition, uint32_t i) {
	const struct outbox_partition *p = &o->partitions[partition];

	return &p->messages[(p->tail + i) & p->mask];
}

void rdkafka_outbox_remove(
	struct rdkafka_outbox *o, int32_t partition, uint32_t nb, uint32_t nb_in_flight
) {
	struct outbox_partition *p = &o->partitions[partition];

	p->tail += nb;
	p->in_flight += nb_in_flight;
}

void rdkafka_outbox_report(
	struct rdkafka_outbox *o, int32_t partition, bool confirmed, uint64_t now_ns
) {
	struct outbox_partition *p;

	if ((uint32_t)partition >= o->nb_partitions)
		return; // librdkafka names none for a message that it never placed
	p = &o->partitions[partition];
	if (p->in_flight > 0)
		p->in_flight--;
	if (confirmed)
		p->confirmed_ns = now_ns;
	rdkafka_outbox_relist(o, partition);
}
