// SPDX-License-Identifier: BSD-3-Clause
// See now and then whether a topic is still the one that is read: partitions that were added, a log
// that is another one, leaders that do not answer.

#include "topic_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define LOOK_MS 5000
#define LOOK_TIMEOUT_MS 1000
#define SILENT_LOOKS 3 // until it is said that a leader does not answer
#define SAY_AGAIN_MS 60000

// All that is in a partition that was added came since, so it is read from its beginning.
static int start_added(struct topic_reader *reader, unsigned int nb, char *text) {
	unsigned int first = reader->nb_partitions;
	int rc = nb > first ? topic_add_partitions(reader, nb, text) : 0;

	for (unsigned int i = first; rc == 0 && i < nb; i++)
		rc = topic_start_partition(reader, &reader->partitions[i], text);
	return rc;
}

// Whether it is time to say something again.
static bool is_due(uint64_t *last_ms) {
	uint64_t now_ms = topic_now_ms();

	if (*last_ms != 0 && now_ms - *last_ms < SAY_AGAIN_MS)
		return false;
	*last_ms = now_ms;
	return true;
}

static void say_deleted(struct topic_reader *reader) {
	if (is_due(&reader->last_silence_ms))
		snprintf(
			reader->note, sizeof(reader->note),
			"topic %s: does not exist any more; waiting for one of its name",
			reader->cfg.topic
		);
}

static void say_silence(struct topic_reader *reader, int32_t leader, rd_kafka_resp_err_t err) {
	if (++reader->nb_silent >= SILENT_LOOKS && is_due(&reader->last_silence_ms))
		topic_leader_failed(reader, leader, err, reader->note);
}

static int look_for_added(struct topic_reader *reader, char *text) {
	const struct rd_kafka_metadata *metadata;

	if (rd_kafka_metadata(reader->kafka, 0, reader->topic, &metadata, LOOK_TIMEOUT_MS)
	    != RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0; // the next look will tell
	if (metadata->topics[0].partition_cnt == 0) { // perhaps it is being created again
		say_deleted(reader);
		rd_kafka_metadata_destroy(metadata);
		return 0;
	}
	rd_kafka_metadata_destroy(reader->metadata);
	reader->metadata = metadata;
	if (!reader->cfg.follow)
		return 0;
	return start_added(reader, (unsigned int)metadata->topics[0].partition_cnt, text);
}

void topic_log_restarted(struct topic_reader *reader, struct partition *part, int64_t was_at) {
	// Of what was there at start the rest is gone.
	if (!reader->cfg.follow) {
		part->position.nb_removed += (uint64_t
		)(part->end > was_at ? part->end - was_at : 0);
		part->done = true;
	}
	if (is_due(&reader->last_restart_ms))
		snprintf(
			reader->note, sizeof(reader->note),
			"topic %s, partition %" PRId32 ": its log begins again at offset %" PRId64
			" after %" PRId64 " (topic deleted and created again, or log truncated); "
			"what was not read of the old one is lost",
			reader->cfg.topic, part->id, part->position.next, was_at
		);
}

void topic_records_removed(struct topic_reader *reader, struct partition *part, int64_t was_at) {
	if (is_due(&reader->last_removed_ms))
		snprintf(
			reader->note, sizeof(reader->note),
			"topic %s, partition %" PRId32 ": records from offset %" PRId64
			" on were removed before they were read, %" PRIu64
			" so far; keep them longer (retention.ms, retention.bytes)",
			reader->cfg.topic, part->id, was_at, part->position.nb_removed
		);
}

static void read_again(struct topic_reader *reader, struct partition *part, int64_t low) {
	int64_t was_at = part->position.next;

	log_position_restart(&part->position, low);
	if (reader->cfg.follow)
		rd_kafka_seek(reader->topic, part->id, low, 0);
	part->resting = part->at_end = false;
	topic_log_restarted(reader, part, was_at);
}

static bool is_suspect(struct partition *part) {
	if (part->answer == TOPIC_NO_ANSWER)
		return false;
	return log_position_question(&part->position) >= 0
		? !log_position_fits(&part->position, part->answer)
		: part->answer < part->position.low;
}

// Of partitions of which nothing can be asked, the log's start is looked at.
static rd_kafka_resp_err_t
find_suspects(struct topic_reader *reader, uint64_t deadline_ms, int32_t *leader, bool *any) {
	rd_kafka_resp_err_t err;

	for (unsigned int i = 0; i < reader->nb_partitions; i++) {
		int64_t ask = log_position_question(&reader->partitions[i].position);

		reader->partitions[i].ask = ask >= 0 ? ask : RD_KAFKA_OFFSET_BEGINNING;
	}
	err = topic_ask(reader, deadline_ms, leader);
	*any = false;
	for (unsigned int i = 0; i < reader->nb_partitions; i++) {
		struct partition *part = &reader->partitions[i];

		part->found = part->answer;
		part->suspect = is_suspect(part);
		*any |= part->suspect;
	}
	return err;
}

// Whether the logs are those that were read. The answers of leaders that came before an error
// count.
static rd_kafka_resp_err_t look_at_logs(struct topic_reader *reader, int32_t *leader) {
	uint64_t deadline_ms = topic_now_ms() + LOOK_TIMEOUT_MS;
	bool any;
	rd_kafka_resp_err_t err = find_suspects(reader, deadline_ms, leader, &any);

	if (any && err == RD_KAFKA_RESP_ERR_NO_ERROR)
		err = topic_ask_all(reader, RD_KAFKA_OFFSET_BEGINNING, deadline_ms, leader);
	for (unsigned int i = 0; any && i < reader->nb_partitions; i++) {
		struct partition *part = &reader->partitions[i];

		if (part->suspect && part->answer != TOPIC_NO_ANSWER
		    && log_position_is_other(&part->position, part->found, part->answer))
			read_again(reader, part, part->answer);
	}
	return err;
}

int topic_look(struct topic_reader *reader, bool now, char *text) {
	rd_kafka_resp_err_t err;
	int32_t leader;
	int rc;

	if (!now && topic_now_ms() - reader->last_look_ms < LOOK_MS)
		return 0;
	rc = look_for_added(reader, text);
	if (rc < 0)
		return rc;
	err = look_at_logs(reader, &leader);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		reader->nb_silent = 0;
	else
		say_silence(reader, leader, err);
	reader->last_look_ms = topic_now_ms();
	return 0;
}
