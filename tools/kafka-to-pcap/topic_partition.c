// SPDX-License-Identifier: BSD-3-Clause
// Read one partition: its packets, its end, and what is missing in between.

#include "packet_decode.h"
#include "siphash.h"
#include "topic_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINGERPRINT_BYTES 64 // of a packet, beside its key, time and offset

static void watermarks(
	const struct topic_reader *reader, const struct partition *part, int64_t *low, int64_t *high
) {
	if (rd_kafka_get_watermark_offsets(reader->kafka, reader->cfg.topic, part->id, low, high)
	    != RD_KAFKA_RESP_ERR_NO_ERROR)
		*low = *high = -1;
}

// Records beyond the last stable offset, when only what is before it comes.
static uint64_t nb_hidden(const struct topic_reader *reader, const struct partition *part) {
	int64_t low, high;

	if (!reader->committed || !part->at_end)
		return 0;
	watermarks(reader, part, &low, &high);
	return high > part->position.next ? (uint64_t)(high - part->position.next) : 0;
}

// Whether `part` has been read up to offset `next`, as far as is known without asking. A reader of
// what is committed is told more: see topic_end_hidden().
static void note_position(struct topic_reader *reader, struct partition *part, int64_t next) {
	int64_t low, high;

	part->waited_ms = 0;
	part->resting = part->at_end = false;
	if (!reader->cfg.follow) {
		part->done = next >= part->end && !reader->committed;
		return;
	}
	watermarks(reader, part, &low, &high);
	part->resting = high >= 0 && next >= high;
}

// Something came at `offset`. Returns false when it is of another log and not wanted.
static bool move_to(struct topic_reader *reader, struct partition *part, int64_t offset) {
	int64_t from = part->position.next, low = -1, high;

	if (offset == from)
		return true;
	watermarks(reader, part, &low, &high);
	switch (log_position_move(&part->position, offset, low)) {
	case LOG_GOES_ON:
		break;
	case LOG_REMOVED:
		topic_records_removed(reader, part, from);
		break;
	case LOG_RESTARTED:
		topic_log_restarted(reader, part, from);
		return reader->cfg.follow;
	}
	return true;
}

static bool is_outside(const struct topic_reader *reader, uint64_t time_ns) {
	return time_ns < reader->cfg.from_ns || time_ns >= reader->cfg.to_ns;
}

bool topic_is_past(const struct topic_reader *reader, uint64_t time_ns) {
	uint64_t margin_ns = reader->cfg.margin_s * RTAP_SECOND_NS;

	return time_ns >= margin_ns && time_ns - margin_ns >= reader->cfg.to_ns;
}

// When the record was made, which is later than its capture; as far ahead as can be where Kafka
// does not say.
static uint64_t produced_ns(const rd_kafka_message_t *message) {
	rd_kafka_timestamp_type_t type;
	int64_t ms = rd_kafka_message_timestamp(message, &type);

	return ms >= 0 ? (uint64_t)ms * RTAP_MS_NS : UINT64_MAX;
}

static enum topic_event note_skipped(
	const struct partition *part, const rd_kafka_message_t *message, const char *why, char *text
) {
	snprintf(
		text, TOPIC_READER_TEXT_BYTES,
		"partition %" PRId32 ", offset %" PRId64 ": no packet: %s", part->id,
		message->offset, why
	);
	return TOPIC_SKIPPED;
}

// TOPIC_PACKET: the message belongs to *packet now.
static enum topic_event take_packet(
	struct topic_reader *reader, struct partition *part, rd_kafka_message_t *message,
	struct packet **packet, char *text
) {
	struct packet decoded;
	const char *why = packet_decode(
		&decoded, message, reader->cfg.key_unit_ns, reader->cfg.max_time_ns
	);

	if (why != NULL)
		return note_skipped(part, message, why, text);
	pace_move(&part->pace, decoded.time_ns);
	// By Kafka's time, too: a clock that jumps ahead for a packet is not the end.
	part->done = part->done
		|| (topic_is_past(reader, decoded.time_ns)
		    && topic_is_past(reader, produced_ns(message)));
	if (is_outside(reader, decoded.time_ns))
		return TOPIC_OUTSIDE;
	*packet = malloc(sizeof(**packet));
	if (*packet == NULL) {
		snprintf(text, TOPIC_READER_TEXT_BYTES, "out of memory");
		return TOPIC_FAILED;
	}
	**packet = decoded;
	return TOPIC_PACKET;
}

static uint64_t fingerprint(const rd_kafka_message_t *message, int64_t ms) {
	uint64_t place[2] = {(uint64_t)message->offset, (uint64_t)ms}, key = 0;
	size_t len = message->payload == NULL ? 0 : message->len;

	if (message->key != NULL)
		memcpy(&key, message->key,
		       message->key_len < sizeof(key) ? message->key_len : sizeof(key));
	if (len > FINGERPRINT_BYTES)
		len = FINGERPRINT_BYTES;
	return siphash_compute(place, key + message->len, message->payload, len).low;
}

// Returns false when the record was read before, from the beginning of the same log.
static bool
is_new(const struct topic_reader *reader, struct partition *part,
       const rd_kafka_message_t *message) {
	rd_kafka_timestamp_type_t type;
	int64_t ms = rd_kafka_message_timestamp(message, &type);

	return log_position_take(
		&part->position, ms, reader->cfg.follow ? fingerprint(message, ms) : 0
	);
}

static enum topic_event take_message(
	struct topic_reader *reader, struct partition *part, rd_kafka_message_t *message,
	struct packet **packet, char *text
) {
	bool is_beyond = !reader->cfg.follow && message->offset >= part->end;
	enum topic_event event = TOPIC_OUTSIDE;

	reader->last_message_ms = topic_now_ms();
	if (!move_to(reader, part, is_beyond ? part->end : message->offset)) {
		event = TOPIC_IDLE;
	} else if (is_beyond) {
		part->done = true; // came after the start
		part->at_end = false;
		event = TOPIC_IDLE;
	} else {
		note_position(reader, part, message->offset + 1);
		if (is_new(reader, part, message))
			event = take_packet(reader, part, message, packet, text);
	}
	if (event != TOPIC_PACKET)
		rd_kafka_message_destroy(message);
	return event;
}

static void take_end(struct topic_reader *reader, struct partition *part, int64_t offset) {
	bool is_beyond = !reader->cfg.follow && offset > part->end;

	if (!move_to(reader, part, is_beyond ? part->end : offset))
		return;
	part->resting = part->at_end = true;
	part->end_ms = topic_now_ms();
	part->done = !reader->cfg.follow && (is_beyond || nb_hidden(reader, part) == 0);
}

enum topic_event topic_read_partition(
	struct topic_reader *reader, struct partition *part, int timeout_ms, struct packet **packet,
	char *text
) {
	rd_kafka_message_t *message = rd_kafka_consume(reader->topic, part->id, timeout_ms);

	if (message == NULL) {
		part->waited_ms += (uint64_t)timeout_ms;
		if (part->waited_ms >= TOPIC_STALL_MS)
			part->resting = true;
		return TOPIC_IDLE;
	}
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return take_message(reader, part, message, packet, text);
	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		take_end(reader, part, message->offset);
		rd_kafka_message_destroy(message);
		return TOPIC_IDLE;
	}
	topic_partition_failed(reader, part->id, rd_kafka_message_errstr(message), text);
	rd_kafka_message_destroy(message);
	return TOPIC_FAILED;
}

// What is there and does not come is behind an open transaction: had that ended, it would have come
// by now.
void topic_end_hidden(struct topic_reader *reader) {
	for (unsigned int i = 0; reader->committed && i < reader->nb_partitions; i++) {
		struct partition *part = &reader->partitions[i];
		uint64_t nb = nb_hidden(reader, part);

		if (nb == 0 || part->done || topic_now_ms() - part->end_ms < TOPIC_STALL_MS)
			continue;
		part->done = !reader->cfg.follow;
		if (part->hidden_at == part->position.next)
			continue;
		part->hidden_at = part->position.next;
		snprintf(
			reader->note, sizeof(reader->note),
			"topic %s, partition %" PRId32 ": %" PRIu64 " records wait behind a "
			"transaction that is open since offset %" PRId64
			"; isolation.level=read_uncommitted, the default here, reads them",
			reader->cfg.topic, part->id, nb, part->position.next
		);
	}
}

struct topic_gaps topic_reader_gaps(const struct topic_reader *reader) {
	struct topic_gaps gaps = {0};

	for (unsigned int i = 0; i < reader->nb_partitions; i++) {
		const struct partition *part = &reader->partitions[i];

		gaps.nb_removed += part->position.nb_removed;
		gaps.nb_empty += part->position.nb_empty;
		gaps.nb_restarts += part->position.nb_restarts;
		gaps.nb_hidden += nb_hidden(reader, part);
	}
	return gaps;
}
