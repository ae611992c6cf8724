// SPDX-License-Identifier: BSD-3-Clause
// Connect to Kafka and find a topic's partitions and where to begin in each.

#include "now.h"
#include "topic_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_TIMEOUT_MS 10000
#define LOOK_MS 5000 // between looks for partitions that were added
#define LOOK_TIMEOUT_MS 500

// Called from rd_kafka_poll(). "All brokers down" follows the reason and says less; the
// state of the connection says nothing to the user.
static void on_error(rd_kafka_t *kafka, int err, const char *reason, void *opaque) {
	struct topic_reader *reader = opaque;
	char *detail;

	if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		return;
	snprintf(reader->reason, sizeof(reader->reason), "%s", reason);
	detail = strstr(reader->reason, " (after ");
	if (detail != NULL)
		*detail = '\0';
}

// For messages: they may come from a file.
static void note_brokers(struct topic_reader *reader, const rd_kafka_conf_t *conf) {
	size_t size = sizeof(reader->brokers);

	if (rd_kafka_conf_get(conf, "bootstrap.servers", reader->brokers, &size)
	    != RD_KAFKA_CONF_OK)
		snprintf(reader->brokers, sizeof(reader->brokers), "the brokers");
}

static rd_kafka_conf_t *make_conf(struct topic_reader *reader, char *text) {
	rd_kafka_conf_t *conf;

	conf = consumer_settings_build(&reader->cfg.settings, text, TOPIC_READER_TEXT_BYTES);
	if (conf == NULL)
		return NULL;
	note_brokers(reader, conf);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_opaque(conf, reader);
	return conf;
}

static int create_client(struct topic_reader *reader, char *text) {
	rd_kafka_conf_t *conf = make_conf(reader, text);

	if (conf == NULL)
		return -errno;
	reader->kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, TOPIC_READER_TEXT_BYTES);
	if (reader->kafka == NULL) { // properties that do not go together, or files of TLS
		rd_kafka_conf_destroy(conf);
		return consumer_settings_blame(&reader->cfg.settings, text);
	}
	reader->topic = rd_kafka_topic_new(reader->kafka, reader->cfg.topic, NULL);
	if (reader->topic != NULL)
		return 0;
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "topic %s: %s", reader->cfg.topic,
		rd_kafka_err2str(rd_kafka_last_error())
	);
	return -EIO;
}

static int start_timeout_ms(const struct topic_reader *reader) {
	unsigned int timeout_s = reader->cfg.timeout_s;

	if (timeout_s != 0 && timeout_s < START_TIMEOUT_MS / 1000)
		return (int)timeout_s * 1000;
	return START_TIMEOUT_MS;
}

static int unreachable(struct topic_reader *reader, rd_kafka_resp_err_t err, char *text) {
	rd_kafka_poll(reader->kafka, 0); // for on_error()
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "no answer from %s: %s", reader->brokers,
		reader->reason[0] != '\0' ? reader->reason : rd_kafka_err2str(err)
	);
	return -EIO;
}

static int add_partitions(struct topic_reader *reader, unsigned int nb, char *text) {
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
	return add_partitions(reader, (unsigned int)topic->partition_cnt, text);
}

static int look_up_topic(struct topic_reader *reader, char *text) {
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t err;
	int rc;

	err = rd_kafka_metadata(
		reader->kafka, 0, reader->topic, &metadata, start_timeout_ms(reader)
	);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return unreachable(reader, err, text);
	rc = take_partitions(reader, &metadata->topics[0], text);
	rd_kafka_metadata_destroy(metadata);
	return rc;
}

int topic_partition_failed(struct topic_reader *reader, int32_t id, const char *why, char *text) {
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "topic %s, partition %" PRId32 ": %s",
		reader->cfg.topic, id, why
	);
	return -EIO;
}

static int find_ends(struct topic_reader *reader, struct partition *part, char *text) {
	int64_t low, high;
	rd_kafka_resp_err_t err;

	err = rd_kafka_query_watermark_offsets(
		reader->kafka, reader->cfg.topic, part->id, &low, &high, start_timeout_ms(reader)
	);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return topic_partition_failed(reader, part->id, rd_kafka_err2str(err), text);
	part->end = high;
	part->start = reader->cfg.from_end ? high : low;
	return 0;
}

static int take_offsets(
	struct topic_reader *reader, const rd_kafka_topic_partition_list_t *offsets, char *text
) {
	for (unsigned int i = 0; i < reader->nb_partitions; i++) {
		const rd_kafka_topic_partition_t *found = &offsets->elems[i];
		struct partition *part = &reader->partitions[i];

		if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			return topic_partition_failed(
				reader, part->id, rd_kafka_err2str(found->err), text
			);
		// A negative one: no record is that young.
		part->start = found->offset >= 0 ? found->offset : part->end;
	}
	return 0;
}

// Where the first record is that was made in the range of time or after it.
static int seek_time(struct topic_reader *reader, char *text) {
	uint64_t from_ms = reader->cfg.from_ns / RTAP_MS_NS;
	uint64_t margin_ms = reader->cfg.margin_s * 1000;
	rd_kafka_topic_partition_list_t *offsets;
	rd_kafka_resp_err_t err;
	int rc;

	if (from_ms <= margin_ms)
		return 0;
	offsets = rd_kafka_topic_partition_list_new((int)reader->nb_partitions);
	for (unsigned int i = 0; i < reader->nb_partitions; i++)
		rd_kafka_topic_partition_list_add(
			offsets, reader->cfg.topic, reader->partitions[i].id
		)
			->offset
			= (int64_t)(from_ms - margin_ms);
	err = rd_kafka_offsets_for_times(reader->kafka, offsets, start_timeout_ms(reader));
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		rc = unreachable(reader, err, text);
	else
		rc = take_offsets(reader, offsets, text);
	rd_kafka_topic_partition_list_destroy(offsets);
	return rc;
}

static int start_partition(struct topic_reader *reader, struct partition *part, char *text) {
	part->resting = part->start >= part->end;
	part->done = !reader->cfg.follow && part->resting;
	if (part->done || rd_kafka_consume_start(reader->topic, part->id, part->start) == 0)
		return 0;
	return topic_partition_failed(
		reader, part->id, rd_kafka_err2str(rd_kafka_last_error()), text
	);
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
	rc = create_client(reader, text);
	if (rc == 0)
		rc = look_up_topic(reader, text);
	for (unsigned int i = 0; rc == 0 && i < reader->nb_partitions; i++)
		rc = find_ends(reader, &reader->partitions[i], text);
	if (rc == 0)
		rc = seek_time(reader, text);
	for (unsigned int i = 0; rc == 0 && i < reader->nb_partitions; i++)
		rc = start_partition(reader, &reader->partitions[i], text);
	if (rc < 0) {
		topic_reader_close(reader);
		errno = -rc;
		return NULL;
	}
	reader->last_message_ms = reader->last_look_ms = topic_now_ms();
	return reader;
}

void topic_reader_close(struct topic_reader *reader) {
	for (unsigned int i = 0; i < reader->nb_partitions; i++)
		rd_kafka_consume_stop(reader->topic, reader->partitions[i].id);
	if (reader->topic != NULL)
		rd_kafka_topic_destroy(reader->topic);
	if (reader->kafka != NULL)
		rd_kafka_destroy(reader->kafka);
	free(reader->partitions);
	free(reader);
}

// All that is in a partition that was added came since, so it is read from its beginning.
static int start_added(struct topic_reader *reader, unsigned int nb, char *text) {
	unsigned int first = reader->nb_partitions;
	int rc = nb > first ? add_partitions(reader, nb, text) : 0;

	for (unsigned int i = first; rc == 0 && i < nb; i++)
		rc = start_partition(reader, &reader->partitions[i], text);
	return rc;
}

int topic_look_for_added(struct topic_reader *reader, char *text) {
	const struct rd_kafka_metadata *metadata;
	int rc;

	if (!reader->cfg.follow || topic_now_ms() - reader->last_look_ms < LOOK_MS)
		return 0;
	reader->last_look_ms = topic_now_ms();
	if (rd_kafka_metadata(reader->kafka, 0, reader->topic, &metadata, LOOK_TIMEOUT_MS)
	    != RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0; // the next look will tell
	rc = start_added(reader, (unsigned int)metadata->topics[0].partition_cnt, text);
	rd_kafka_metadata_destroy(metadata);
	return rc;
}
