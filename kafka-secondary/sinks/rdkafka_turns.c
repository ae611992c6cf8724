// SPDX-License-Identifier: BSD-3-Clause
// Send one batch of a partition at a time.

#include "rdkafka_turns.h"

#include "now.h"

void rdkafka_turns_keep(
	struct rdkafka_producer *p, const struct message *messages, unsigned int nb
) {
	bool no_memory = false;

	for (unsigned int i = 0; i < nb; i++) {
		const struct message *msg = &messages[i];

		no_memory = no_memory || rdkafka_outbox_add(&p->outbox, msg) < 0;
		if (no_memory)
			rdkafka_producer_report(
				p, msg->partition, msg->tag, SINK_REFUSED, msg->len, 0,
				"out of memory"
			);
	}
}

static void empty_outbox(struct rdkafka_producer *p, int32_t partition) {
	uint32_t nb = rdkafka_outbox_waiting(&p->outbox, partition);

	for (uint32_t i = 0; i < nb; i++) {
		const struct message *msg = rdkafka_outbox_look(&p->outbox, partition, i);

		rdkafka_producer_report(
			p, partition, msg->tag, SINK_RETURNED, msg->len, 0,
			"it waited after one that failed"
		);
	}
	rdkafka_outbox_remove(&p->outbox, partition, nb, 0);
}

// Hand the oldest `nb` messages of a partition, at most SINK_MAX_OFFER, to the client. Returns how
// many left the outbox: fewer when the client's queue is full.
static uint32_t send_some(struct rdkafka_producer *p, int32_t partition, uint32_t nb) {
	uint32_t i, nb_sent = 0;
	bool refused = false;

	for (i = 0; i < nb; i++)
		p->batch.messages[i] = rdkafka_outbox_look(&p->outbox, partition, i);
	rdkafka_batch_produce(&p->batch, &p->client, partition, nb);
	for (i = 0; i < nb; i++) {
		const struct message *msg = p->batch.messages[i];
		rd_kafka_resp_err_t err = p->batch.produced[i].err;
		enum sink_report report = rdkafka_producer_judge(p, err);

		if (report == SINK_NO_ROOM)
			break;
		rdkafka_producer_report(
			p, partition, msg->tag, report, msg->len, report == SINK_REFUSED ? err : 0,
			rdkafka_batch_why(err)
		);
		nb_sent += report == SINK_SENT;
		refused |= report == SINK_REFUSED;
	}
	rdkafka_outbox_remove(&p->outbox, partition, i, nb_sent);
	if (refused)
		empty_outbox(p, partition);
	return i;
}

void rdkafka_turns_send(struct rdkafka_producer *p) {
	uint64_t now_ns = rtap_monotonic_ns();
	uint32_t nb, some, sent;
	int32_t partition;

	while ((partition = rdkafka_outbox_next(&p->outbox)) >= 0) {
		nb = rdkafka_outbox_batch(&p->outbox, partition, now_ns);
		for (; nb > 0 && rdkafka_outbox_waiting(&p->outbox, partition) >= nb; nb -= some) {
			some = nb < SINK_MAX_OFFER ? nb : SINK_MAX_OFFER;
			sent = send_some(p, partition, some);
			if (sent == some)
				continue;
			rdkafka_outbox_relist(&p->outbox, partition);
			return; // the client's queue is full, for all
		}
		// All of the batch was too large: nothing is on its way that would call for a turn.
		rdkafka_outbox_relist(&p->outbox, partition);
	}
}

void rdkafka_turns_report(
	struct rdkafka_producer *p, int32_t partition, enum sink_report report, uint64_t now_ns
) {
	// Not after one that is proved bad: it will not be sent again.
	if (report == SINK_RETURNED || report == SINK_SUSPECT)
		empty_outbox(p, partition);
	rdkafka_outbox_report(&p->outbox, partition, report == SINK_DELIVERED, now_ns);
}
