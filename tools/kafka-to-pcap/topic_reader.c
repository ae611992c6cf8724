// SPDX-License-Identifier: BSD-3-Clause
// Read the packets of a topic with librdkafka's simple consumer: a queue for each partition, no
// group.

#include "topic_reader.h"

#include "now.h"
#include "packet_decode.h"
#include "topic_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WAIT_MS 100 // for the partition that is behind
#define POLL_MS 5 // between looks at all partitions
#define STALL_MS 1000

// Whether `part` has been read up to offset `next`, as far as is known without asking.
static void note_position(struct topic_reader *reader, struct partition *part, int64_t next) {
	int64_t low, high;

	part->waited_ms = 0;
	part->resting = part->at_end = false;
	if (!reader->cfg.follow) {
		part->done = next >= part->end;
		return;
	}
	if (rd_kafka_get_watermark_offsets(reader->kafka, reader->cfg.topic, part->id, &low, &high)
	    == RD_KAFKA_RESP_ERR_NO_ERROR)
		part->resting = next >= high;
}

static bool is_outside(const struct topic_reader *reader, uint64_t time_ns) {
	return time_ns < reader->cfg.from_ns || time_ns >= reader->cfg.to_ns;
}

// Whether nothing of the range of time can come any more, when it is `time_ns`.
static bool is_past(const struct topic_reader *reader, uint64_t time_ns) {
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
		|| (is_past(reader, decoded.time_ns) && is_past(reader, produced_ns(message)));
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

static enum topic_event take_message(
	struct topic_reader *reader, struct partition *part, rd_kafka_message_t *message,
	struct packet **packet, char *text
) {
	enum topic_event event = TOPIC_IDLE;

	reader->last_message_ms = topic_now_ms();
	if (!reader->cfg.follow && message->offset >= part->end) {
		part->done = true; // came after the start
	} else {
		note_position(reader, part, message->offset + 1);
		event = take_packet(reader, part, message, packet, text);
	}
	if (event != TOPIC_PACKET)
		rd_kafka_message_destroy(message);
	return event;
}

// Read `part` once. TOPIC_IDLE: nothing there.
static enum topic_event read_partition(
	struct topic_reader *reader, struct partition *part, int timeout_ms, struct packet **packet,
	char *text
) {
	rd_kafka_message_t *message = rd_kafka_consume(reader->topic, part->id, timeout_ms);

	if (message == NULL) {
		part->waited_ms += (uint64_t)timeout_ms;
		if (part->waited_ms >= STALL_MS)
			part->resting = true;
		return TOPIC_IDLE;
	}
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return take_message(reader, part, message, packet, text);
	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		part->resting = part->at_end = true;
		part->done = !reader->cfg.follow;
		rd_kafka_message_destroy(message);
		return TOPIC_IDLE;
	}
	topic_partition_failed(reader, part->id, rd_kafka_message_errstr(message), text);
	rd_kafka_message_destroy(message);
	return TOPIC_FAILED;
}

// The partition that is furthest behind, of those that are waited for.
static struct partition *find_behind(const struct topic_reader *reader, bool *all_done) {
	struct partition *behind = NULL;

	*all_done = true;
	for (unsigned int i = 0; i < reader->nb_partitions; i++) {
		struct partition *part = &reader->partitions[i];

		*all_done = *all_done && part->done;
		if (!part->done && !part->resting
		    && (behind == NULL || pace_ns(&part->pace) < pace_ns(&behind->pace)))
			behind = part;
	}
	return behind;
}

// Look at resting partitions, one after the other, `nb` of all at most.
static enum topic_event
look_at_resting(struct topic_reader *reader, unsigned int nb, struct packet **packet, char *text) {
	enum topic_event event = TOPIC_IDLE;

	for (; event == TOPIC_IDLE && nb > 0; nb--) {
		struct partition *part = &reader->partitions[reader->next_look];

		reader->next_look = (reader->next_look + 1) % reader->nb_partitions;
		if (part->resting && !part->done)
			event = read_partition(reader, part, 0, packet, text);
	}
	return event;
}

static enum topic_event check_timeout(struct topic_reader *reader, char *text) {
	uint64_t timeout_ms = (uint64_t)reader->cfg.timeout_s * 1000;

	if (timeout_ms == 0 || topic_now_ms() - reader->last_message_ms < timeout_ms)
		return TOPIC_IDLE;
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "topic %s: nothing came for %u s%s%s",
		reader->cfg.topic, reader->cfg.timeout_s, reader->reason[0] != '\0' ? ": " : "",
		reader->reason
	);
	return TOPIC_FAILED;
}

// Nothing tells of the end of the range where nothing comes, but the clock.
static void end_by_clock(struct topic_reader *reader) {
	if (!reader->cfg.follow || !is_past(reader, rtap_utc_ns()))
		return;
	for (unsigned int i = 0; i < reader->nb_partitions; i++)
		reader->partitions[i].done |= reader->partitions[i].at_end;
}

static uint64_t newest_ns(const struct topic_reader *reader) {
	uint64_t newest_ns = 0;

	for (unsigned int i = 0; i < reader->nb_partitions; i++)
		if (pace_ns(&reader->partitions[i].pace) > newest_ns)
			newest_ns = pace_ns(&reader->partitions[i].pace);
	return newest_ns;
}

// Where the partition is that is furthest behind, those that rest being at `resting_ns`.
static uint64_t oldest_ns(const struct topic_reader *reader, uint64_t resting_ns) {
	uint64_t oldest_ns = UINT64_MAX;

	for (unsigned int i = 0; i < reader->nb_partitions; i++) {
		const struct partition *part = &reader->partitions[i];
		uint64_t at_ns = part->resting ? resting_ns : pace_ns(&part->pace);

		if (!part->done && at_ns < oldest_ns)
			oldest_ns = at_ns;
	}
	return oldest_ns;
}

uint64_t topic_reader_reached_ns(const struct topic_reader *reader) {
	return oldest_ns(reader, newest_ns(reader));
}

uint64_t topic_reader_horizon_ns(const struct topic_reader *reader) {
	uint64_t stall_ns = STALL_MS * RTAP_MS_NS, newest = newest_ns(reader);

	return oldest_ns(reader, newest < stall_ns ? 0 : newest - stall_ns);
}

enum topic_event topic_reader_next(
	struct topic_reader *reader, struct packet **packet,
	char text[static TOPIC_READER_TEXT_BYTES]
) {
	bool all_done;
	struct partition *behind;
	enum topic_event event;

	if (topic_look_for_added(reader, text) < 0)
		return TOPIC_FAILED;
	behind = find_behind(reader, &all_done);
	if (all_done)
		return TOPIC_END;
	// Those that rest must not starve while others are busy: one look each time.
	event = look_at_resting(reader, behind != NULL ? 1 : reader->nb_partitions, packet, text);
	if (event == TOPIC_IDLE && behind != NULL)
		event = read_partition(reader, behind, WAIT_MS, packet, text);
	if (event != TOPIC_IDLE)
		return event;
	end_by_clock(reader);
	rd_kafka_poll(reader->kafka, behind != NULL ? 0 : POLL_MS);
	return check_timeout(reader, text);
}
