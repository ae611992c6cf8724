// SPDX-License-Identifier: BSD-3-Clause
// Find a topic's partitions and where to begin in each, and end it all.

#include "now.h"
#include "topic_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define START_TIMEOUT_MS 10000

static int start_timeout_ms(const struct topic_reader *reader) {
	unsigned int timeout_s = reader->cfg.timeout_s;

	if (timeout_s != 0 && timeout_s < START_TIMEOUT_MS / 1000)
		return (int)timeout_s * 1000;
	return START_TIMEOUT_MS;
}

int topic_add_partitions(struct topic_reader *reader, unsigned int nb, char *text) {
	struct partition *more = reallocarray(reader->partitions, nb, sizeof(*more));

	if (more == NULL) {
		snprintf(text, TOPIC_READER_TEXT_BYTES, "out of memory");
		return -ENOMEM;
	}
	reader->partitions = more;
	for (; reader->nb_partitions < nb; reader->nb_partitions++)
		more[reader->nb_partitions] = (struct partition
		){.id = (int32_t)reader->nb_partitions};
	return 0;
}

static int take_partitions(
	struct topic_reader *reader, const struct rd_kafka_metadata_topic *topic, char *text
) {
	if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR || topic->partition_cnt == 0) {
		bool unknown = topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;

		snprintf(
			text, TOPIC_READER_TEXT_BYTES, "topic %s: %s", reader->cfg.topic,
			unknown ? "does not exist" : rd_kafka_err2str(topic->err)
		);
		return -EIO;
	}
	return topic_add_partitions(reader, (unsigned int)topic->partition_cnt, text);
}

static int look_up_topic(struct topic_reader *reader, char *text) {
	rd_kafka_resp_err_t err;

	err = rd_kafka_metadata(
		reader->kafka, 0, reader->topic, &reader->metadata, start_timeout_ms(reader)
	);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return topic_unreachable(reader, err, text);
	return take_partitions(reader, &reader->metadata->topics[0], text);
}

// Ask the same of all partitions. Returns 0; -EIO with `text` set.
static int ask_all(struct topic_reader *reader, int64_t ask, uint64_t deadline_ms, char *text) {
	int32_t leader;
	rd_kafka_resp_err_t err = topic_ask_all(reader, ask, deadline_ms, &leader);

	return err == RD_KAFKA_RESP_ERR_NO_ERROR ? 0
						 : topic_leader_failed(reader, leader, err, text);
}

static int find_ends(struct topic_reader *reader, uint64_t deadline_ms, char *text) {
	int rc = ask_all(reader, RD_KAFKA_OFFSET_BEGINNING, deadline_ms, text);

	for (unsigned int i = 0; i < reader->nb_partitions; i++)
		reader->partitions[i].low = reader->partitions[i].answer;
	if (rc == 0)
		rc = ask_all(reader, RD_KAFKA_OFFSET_END, deadline_ms, text);
	for (unsigned int i = 0; rc == 0 && i < reader->nb_partitions; i++) {
		struct partition *part = &reader->partitions[i];

		part->end = part->answer;
		part->start = reader->cfg.from_end ? part->end : part->low;
	}
	return rc;
}

// Where the first record is that was made in the range of time or after it.
static int seek_time(struct topic_reader *reader, uint64_t deadline_ms, char *text) {
	uint64_t from_ms = reader->cfg.from_ns / RTAP_MS_NS;
	uint64_t margin_ms = reader->cfg.margin_s * 1000;
	int rc;

	if (from_ms <= margin_ms)
		return 0;
	rc = ask_all(reader, (int64_t)(from_ms - margin_ms), deadline_ms, text);
	for (unsigned int i = 0; rc == 0 && i < reader->nb_partitions; i++) {
		struct partition *part = &reader->partitions[i];

		// A negative one: no record is that young.
		part->start = part->answer >= 0 ? part->answer : part->end;
	}
	return rc;
}

int topic_start_partition(struct topic_reader *reader, struct partition *part, char *text) {
	int rc = log_position_init(&part->position, part->start, part->low, reader->cfg.follow);

	if (rc < 0) {
		snprintf(text, TOPIC_READER_TEXT_BYTES, "out of memory");
		return rc;
	}
	part->hidden_at = -1;
	part->resting = part->start >= part->end;
	// Up to the last stable offset nothing may be there, and much after it.
	part->done = !reader->cfg.follow && part->resting && !reader->committed;
	if (part->done || rd_kafka_consume_start(reader->topic, part->id, part->start) == 0)
		return 0;
	return topic_partition_failed(
		reader, part->id, rd_kafka_err2str(rd_kafka_last_error()), text
	);
}

static int open_topic(struct topic_reader *reader, char *text) {
	uint64_t deadline_ms;
	int rc = topic_client_create(reader, text);

	if (rc == 0)
		rc = look_up_topic(reader, text);
	deadline_ms = topic_now_ms() + (uint64_t)start_timeout_ms(reader);
	if (rc == 0)
		rc = find_ends(reader, deadline_ms, text);
	if (rc == 0)
		rc = seek_time(reader, deadline_ms, text);
	for (unsigned int i = 0; rc == 0 && i < reader->nb_partitions; i++)
		rc = topic_start_partition(reader, &reader->partitions[i], text);
	return rc;
}

struct topic_reader *topic_reader_open(
	const struct topic_reader_config *cfg, char text[static TOPIC_READER_TEXT_BYTES]
) {
	struct topic_reader *reader = calloc(1, sizeof(*reader));
	int rc;

	if (reader == NULL) {
		snprintf(text, TOPIC_READER_TEXT_BYTES, "out of memory");
		return NULL;
	}
	reader->cfg = *cfg;
	rc = open_topic(reader, text);
	if (rc < 0) {
		topic_reader_close(reader);
		errno = -rc;
		return NULL;
	}
	reader->last_message_ms = reader->last_look_ms = topic_now_ms();
	return reader;
}

void topic_reader_close(struct topic_reader *reader) {
	for (unsigned int i = 0; i < reader->nb_partitions; i++) {
		rd_kafka_consume_stop(reader->topic, reader->partitions[i].id);
		log_position_fini(&reader->partitions[i].position);
	}
	if (reader->metadata != NULL)
		rd_kafka_metadata_destroy(reader->metadata);
	if (reader->topic != NULL)
		rd_kafka_topic_destroy(reader->topic);
	if (reader->kafka != NULL)
		rd_kafka_destroy(reader->kafka);
	free(reader->partitions);
	free(reader);
}
