// SPDX-License-Identifier: BSD-3-Clause
// Read the packets of a topic with librdkafka's simple consumer: a queue for each partition, no group.

#include "topic_reader.h"

#include <librdkafka/rdkafka.h>

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define START_TIMEOUT_MS 10000
#define WAIT_MS 100 // for the partition that is behind
#define POLL_MS 5 // between looks at all partitions
#define STALL_MS 1000

struct partition {
	int32_t id;
	int64_t end; // offset where reading stops; of no meaning with follow
	uint64_t last_us; // time of the last packet
	uint64_t waited_ms; // for the next message
	bool done; // read up to its end
	bool resting; // all read that is known, or no data for STALL_MS: not waited for
};

struct topic_reader {
	struct topic_reader_config cfg;
	rd_kafka_t *kafka;
	rd_kafka_topic_t *topic;
	struct partition *partitions;
	unsigned int nb_partitions;
	unsigned int next_look; // partition to look at while it rests
	uint64_t last_message_ms; // monotonic
	char reason[256]; // what librdkafka said last about its connections
};

static uint64_t now_ms(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

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

static int set_property(rd_kafka_conf_t *conf, const char *name, const char *value, char *text) {
	if (rd_kafka_conf_set(conf, name, value, text, TOPIC_READER_TEXT_BYTES) == RD_KAFKA_CONF_OK)
		return 0;
	return -1;
}

static int set_user_property(rd_kafka_conf_t *conf, const char *property, char *text) {
	const char *value = strchr(property, '=');
	char name[128];

	if (value == NULL || (size_t)(value - property) >= sizeof(name)) {
		snprintf(text, TOPIC_READER_TEXT_BYTES, "-X %s: not NAME=VALUE", property);
		return -1;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(value - property), property);
	return set_property(conf, name, value + 1, text);
}

static rd_kafka_conf_t *make_conf(struct topic_reader *reader, char *text) {
	static const char *const defaults[][2] = {
		{"client.id", "kafka-to-pcap"},
		{"log_level", "0"}, // errors come as events, in our words
		{"enable.partition.eof", "true"},
		{"auto.offset.reset", "earliest"}, // retention may overtake us
		{"check.crcs", "true"},
		{"queued.max.messages.kbytes", "16384"}, // of each partition
	};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int rc = set_property(conf, "bootstrap.servers", reader->cfg.brokers, text);

	for (size_t i = 0; rc == 0 && i < sizeof(defaults) / sizeof(defaults[0]); i++)
		rc = set_property(conf, defaults[i][0], defaults[i][1], text);
	for (unsigned int i = 0; rc == 0 && i < reader->cfg.nb_properties; i++)
		rc = set_user_property(conf, reader->cfg.properties[i], text);
	if (rc < 0) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_opaque(conf, reader);
	return conf;
}

static int create_client(struct topic_reader *reader, char *text) {
	rd_kafka_conf_t *conf = make_conf(reader, text);

	if (conf == NULL)
		return -1;
	reader->kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, TOPIC_READER_TEXT_BYTES);
	if (reader->kafka == NULL) {
		rd_kafka_conf_destroy(conf);
		return -1;
	}
	reader->topic = rd_kafka_topic_new(reader->kafka, reader->cfg.topic, NULL);
	if (reader->topic != NULL)
		return 0;
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "topic %s: %s", reader->cfg.topic,
		rd_kafka_err2str(rd_kafka_last_error())
	);
	return -1;
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
		text, TOPIC_READER_TEXT_BYTES, "no answer from %s: %s", reader->cfg.brokers,
		reader->reason[0] != '\0' ? reader->reason : rd_kafka_err2str(err)
	);
	return -1;
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
		return -1;
	}
	reader->partitions = calloc((size_t)topic->partition_cnt, sizeof(*reader->partitions));
	if (reader->partitions == NULL) {
		snprintf(text, TOPIC_READER_TEXT_BYTES, "out of memory");
		return -1;
	}
	for (int i = 0; i < topic->partition_cnt; i++)
		reader->partitions[i].id = topic->partitions[i].id;
	reader->nb_partitions = (unsigned int)topic->partition_cnt;
	return 0;
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

static int start_partition(struct topic_reader *reader, struct partition *part, char *text) {
	int64_t low, high, start;
	rd_kafka_resp_err_t err;

	err = rd_kafka_query_watermark_offsets(
		reader->kafka, reader->cfg.topic, part->id, &low, &high, start_timeout_ms(reader)
	);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		snprintf(
			text, TOPIC_READER_TEXT_BYTES, "topic %s, partition %" PRId32 ": %s",
			reader->cfg.topic, part->id, rd_kafka_err2str(err)
		);
		return -1;
	}
	part->end = high;
	part->done = !reader->cfg.follow && low == high;
	start = reader->cfg.from_end ? high : low;
	part->resting = start == high;
	if (part->done || rd_kafka_consume_start(reader->topic, part->id, start) == 0)
		return 0;
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "topic %s, partition %" PRId32 ": %s",
		reader->cfg.topic, part->id, rd_kafka_err2str(rd_kafka_last_error())
	);
	return -1;
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
		rc = start_partition(reader, &reader->partitions[i], text);
	if (rc < 0) {
		topic_reader_close(reader);
		return NULL;
	}
	reader->last_message_ms = now_ms();
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

// A packet is a message under another name: so that only this file knows librdkafka.
static const rd_kafka_message_t *message_of(const struct packet *packet) {
	return (const rd_kafka_message_t *)packet;
}

const uint8_t *packet_frame(const struct packet *packet, size_t *len) {
	*len = message_of(packet)->len;
	return message_of(packet)->payload;
}

void packet_free(struct packet *packet) {
	rd_kafka_message_destroy((rd_kafka_message_t *)packet);
}

// Whether `part` has been read up to offset `next`, as far as is known without asking.
static void note_position(struct topic_reader *reader, struct partition *part, int64_t next) {
	int64_t low, high;

	part->waited_ms = 0;
	part->resting = false;
	if (!reader->cfg.follow) {
		part->done = next >= part->end;
		return;
	}
	if (rd_kafka_get_watermark_offsets(reader->kafka, reader->cfg.topic, part->id, &low, &high)
	    == RD_KAFKA_RESP_ERR_NO_ERROR)
		part->resting = next >= high;
}

// Why a message is no packet; NULL when it is one, then with its time.
static const char *
decode(const struct topic_reader *reader, const rd_kafka_message_t *message, uint64_t *time_us) {
	if (message->key_len != sizeof(*time_us))
		return "the key has not 8 bytes";
	if (message->payload == NULL)
		return "no value";
	memcpy(time_us, message->key, sizeof(*time_us));
	*time_us = be64toh(*time_us);
	return *time_us > reader->cfg.max_time_us ? "its time is beyond 2106" : NULL;
}

static enum topic_event take_message(
	struct topic_reader *reader, struct partition *part, rd_kafka_message_t *message,
	struct packet **packet, uint64_t *time_us, char *text
) {
	const char *why;

	reader->last_message_ms = now_ms();
	if (!reader->cfg.follow && message->offset >= part->end) {
		part->done = true; // came after the start
		rd_kafka_message_destroy(message);
		return TOPIC_IDLE;
	}
	note_position(reader, part, message->offset + 1);
	why = decode(reader, message, time_us);
	if (why != NULL) {
		snprintf(
			text, TOPIC_READER_TEXT_BYTES,
			"partition %" PRId32 ", offset %" PRId64 ": no packet: %s", part->id,
			message->offset, why
		);
		rd_kafka_message_destroy(message);
		return TOPIC_SKIPPED;
	}
	part->last_us = *time_us;
	*packet = (struct packet *)message;
	return TOPIC_PACKET;
}

// Read `part` once. TOPIC_IDLE: nothing there.
static enum topic_event read_partition(
	struct topic_reader *reader, struct partition *part, int timeout_ms, struct packet **packet,
	uint64_t *time_us, char *text
) {
	rd_kafka_message_t *message = rd_kafka_consume(reader->topic, part->id, timeout_ms);

	if (message == NULL) {
		part->waited_ms += (uint64_t)timeout_ms;
		if (part->waited_ms >= STALL_MS)
			part->resting = true;
		return TOPIC_IDLE;
	}
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return take_message(reader, part, message, packet, time_us, text);
	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		part->resting = true;
		part->done = !reader->cfg.follow;
		rd_kafka_message_destroy(message);
		return TOPIC_IDLE;
	}
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "topic %s, partition %" PRId32 ": %s",
		reader->cfg.topic, part->id, rd_kafka_message_errstr(message)
	);
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
		    && (behind == NULL || part->last_us < behind->last_us))
			behind = part;
	}
	return behind;
}

// Look at resting partitions, one after the other, `nb` of all at most.
static enum topic_event look_at_resting(
	struct topic_reader *reader, unsigned int nb, struct packet **packet, uint64_t *time_us,
	char *text
) {
	enum topic_event event = TOPIC_IDLE;

	for (; event == TOPIC_IDLE && nb > 0; nb--) {
		struct partition *part = &reader->partitions[reader->next_look];

		reader->next_look = (reader->next_look + 1) % reader->nb_partitions;
		if (part->resting && !part->done)
			event = read_partition(reader, part, 0, packet, time_us, text);
	}
	return event;
}

static enum topic_event check_timeout(struct topic_reader *reader, char *text) {
	uint64_t timeout_ms = (uint64_t)reader->cfg.timeout_s * 1000;

	if (timeout_ms == 0 || now_ms() - reader->last_message_ms < timeout_ms)
		return TOPIC_IDLE;
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "topic %s: nothing came for %u s%s%s",
		reader->cfg.topic, reader->cfg.timeout_s, reader->reason[0] != '\0' ? ": " : "",
		reader->reason
	);
	return TOPIC_FAILED;
}

enum topic_event topic_reader_next(
	struct topic_reader *reader, struct packet **packet, uint64_t *time_us,
	char text[static TOPIC_READER_TEXT_BYTES]
) {
	bool all_done;
	struct partition *behind = find_behind(reader, &all_done);
	enum topic_event event;

	if (all_done)
		return TOPIC_END;
	// Those that rest must not starve while others are busy: one look each time.
	event = look_at_resting(
		reader, behind != NULL ? 1 : reader->nb_partitions, packet, time_us, text
	);
	if (event == TOPIC_IDLE && behind != NULL)
		event = read_partition(reader, behind, WAIT_MS, packet, time_us, text);
	if (event != TOPIC_IDLE)
		return event;
	rd_kafka_poll(reader->kafka, behind != NULL ? 0 : POLL_MS);
	return check_timeout(reader, text);
}
