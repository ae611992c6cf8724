// SPDX-License-Identifier: BSD-3-Clause
// Read the packets of a topic with librdkafka's simple consumer: a queue for each partition, no
// group.

#include "topic_reader.h"

#include "now.h"
#include "topic_state.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MS 100 // for the partition that is behind
#define POLL_MS 5 // between looks at all partitions

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
			event = topic_read_partition(reader, part, 0, packet, text);
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
	if (!reader->cfg.follow || !topic_is_past(reader, rtap_utc_ns()))
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
	uint64_t stall_ns = TOPIC_STALL_MS * RTAP_MS_NS, newest = newest_ns(reader);

	return oldest_ns(reader, newest < stall_ns ? 0 : newest - stall_ns);
}

static enum topic_event read_next(
	struct topic_reader *reader, struct partition *behind, struct packet **packet, char *text
) {
	enum topic_event event;

	// Those that rest must not starve while others are busy: one look each time.
	event = look_at_resting(reader, behind != NULL ? 1 : reader->nb_partitions, packet, text);
	if (event == TOPIC_IDLE && behind != NULL)
		event = topic_read_partition(reader, behind, WAIT_MS, packet, text);
	if (event != TOPIC_IDLE)
		return event;
	end_by_clock(reader);
	topic_end_hidden(reader);
	rd_kafka_poll(reader->kafka, behind != NULL ? 0 : POLL_MS);
	return check_timeout(reader, text);
}

enum topic_event topic_reader_next(
	struct topic_reader *reader, struct packet **packet,
	char text[static TOPIC_READER_TEXT_BYTES]
) {
	bool all_done;
	struct partition *behind;

	find_behind(reader, &all_done);
	if (topic_look(reader, all_done && !reader->looked_at_end, text) < 0)
		return TOPIC_FAILED;
	reader->looked_at_end |= all_done;
	if (reader->note[0] != '\0') {
		memcpy(text, reader->note, TOPIC_READER_TEXT_BYTES);
		reader->note[0] = '\0';
		return TOPIC_NOTED;
	}
	behind = find_behind(reader, &all_done); // there may be more of them
	return all_done ? TOPIC_END : read_next(reader, behind, packet, text);
}
