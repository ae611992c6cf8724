// SPDX-License-Identifier: BSD-3-Clause
// Read the packets of a topic with librdkafka's simple consumer: a queue for each partition, no group.

#include "topic_reader.h"

#include "exit_code.h"
#include "now.h"
#include "pace.h"
#include "packet_decode.h"

#include <librdkafka/rdkafka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_TIMEOUT_MS 10000
#define WAIT_MS 100 // for the partition that is behind
#define POLL_MS 5 // between looks at all partitions
#define STALL_MS 1000
#define LOOK_MS 5000 // between looks for partitions that were added
#define LOOK_TIMEOUT_MS 500

struct partition {
	int32_t id;
	int64_t end; // offset where reading stops; of no meaning with follow
	int64_t start;
	struct pace pace;
	uint64_t waited_ms; // for the next message
	bool done; // read up to its end
	bool at_end; // Kafka said that there is no more for now
	bool resting; // all read that is known, or no data for STALL_MS: not waited for
};

struct topic_reader {
	struct topic_reader_config cfg;
	rd_kafka_t *kafka;
	rd_kafka_topic_t *topic;
	struct partition *partitions;
	unsigned int nb_partitions;
	unsigned int next_look; // partition to look at while it rests
	uint64_t last_message_ms, last_look_ms; // monotonic
	char brokers[128];
	char reason[256]; // what librdkafka said last about its connections
};

static uint64_t now_ms(void) {
	return rtap_monotonic_ns() / 1000000;
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

// For messages: they may come from a file.
static void note_brokers(struct topic_reader *reader, const rd_kafka_conf_t *conf) {
	size_t size = sizeof(reader->brokers);

	if (rd_kafka_conf_get(conf, "bootstrap.servers", reader->brokers, &size)
	    != RD_KAFKA_CONF_OK)
		snprintf(reader->brokers, sizeof(reader->brokers), "the brokers");
}

static rd_kafka_conf_t *make_conf(struct topic_reader *reader, int *exit_code, char *text) {
	rd_kafka_conf_t *conf;

	conf = consumer_settings_build(
		&reader->cfg.settings, exit_code, text, TOPIC_READER_TEXT_BYTES
	);
	if (conf == NULL)
		return NULL;
	note_brokers(reader, conf);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_opaque(conf, reader);
	return conf;
}

static int create_client(struct topic_reader *reader, int *exit_code, char *text) {
	rd_kafka_conf_t *conf = make_conf(reader, exit_code, text);

	if (conf == NULL)
		return -1;
	reader->kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, TOPIC_READER_TEXT_BYTES);
	if (reader->kafka == NULL) { // properties that do not go together, or files of TLS
		if (reader->cfg.settings.file != NULL)
			*exit_code = RTAP_EXIT_CONFIG;
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
		text, TOPIC_READER_TEXT_BYTES, "no answer from %s: %s", reader->brokers,
		reader->reason[0] != '\0' ? reader->reason : rd_kafka_err2str(err)
	);
	return -1;
}

static int add_partitions(struct topic_reader *reader, unsigned int nb, char *text) {
	struct partition *more = reallocarray(reader->partitions, nb, sizeof(*more));

	if (more == NULL) {
		snprintf(text, TOPIC_READER_TEXT_BYTES, "out of memory");
		return -1;
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
		return -1;
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

static int partition_failed(struct topic_reader *reader, int32_t id, const char *why, char *text) {
	snprintf(
		text, TOPIC_READER_TEXT_BYTES, "topic %s, partition %" PRId32 ": %s",
		reader->cfg.topic, id, why
	);
	return -1;
}

static int find_ends(struct topic_reader *reader, struct partition *part, char *text) {
	int64_t low, high;
	rd_kafka_resp_err_t err;

	err = rd_kafka_query_watermark_offsets(
		reader->kafka, reader->cfg.topic, part->id, &low, &high, start_timeout_ms(reader)
	);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return partition_failed(reader, part->id, rd_kafka_err2str(err), text);
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
			return partition_failed(
				reader, part->id, rd_kafka_err2str(found->err), text
			);
		// A negative one: no record is that young.
		part->start = found->offset >= 0 ? found->offset : part->end;
	}
	return 0;
}

// Where the first record is that was made in the range of time or after it.
static int seek_time(struct topic_reader *reader, char *text) {
	uint64_t from_ms = reader->cfg.from_ns / 1000000;
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
	return partition_failed(reader, part->id, rd_kafka_err2str(rd_kafka_last_error()), text);
}

struct topic_reader *topic_reader_open(
	const struct topic_reader_config *cfg, int *exit_code,
	char text[static TOPIC_READER_TEXT_BYTES]
) {
	struct topic_reader *reader = calloc(1, sizeof(*reader));
	int rc;

	*exit_code = RTAP_EXIT_FAILURE;
	if (reader == NULL) {
		snprintf(text, TOPIC_READER_TEXT_BYTES, "out of memory");
		return NULL;
	}
	reader->cfg = *cfg;
	rc = create_client(reader, exit_code, text);
	if (rc == 0) {
		*exit_code = RTAP_EXIT_FAILURE;
		rc = look_up_topic(reader, text);
	}
	for (unsigned int i = 0; rc == 0 && i < reader->nb_partitions; i++)
		rc = find_ends(reader, &reader->partitions[i], text);
	if (rc == 0)
		rc = seek_time(reader, text);
	for (unsigned int i = 0; rc == 0 && i < reader->nb_partitions; i++)
		rc = start_partition(reader, &reader->partitions[i], text);
	if (rc < 0) {
		topic_reader_close(reader);
		return NULL;
	}
	reader->last_message_ms = reader->last_look_ms = now_ms();
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
	uint64_t margin_ns = reader->cfg.margin_s * 1000000000;

	return time_ns >= margin_ns && time_ns - margin_ns >= reader->cfg.to_ns;
}

// When the record was made, which is later than its capture; as far ahead as can be where Kafka does not say.
static uint64_t produced_ns(const rd_kafka_message_t *message) {
	rd_kafka_timestamp_type_t type;
	int64_t ms = rd_kafka_message_timestamp(message, &type);

	return ms >= 0 ? (uint64_t)ms * 1000000 : UINT64_MAX;
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

	reader->last_message_ms = now_ms();
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
	partition_failed(reader, part->id, rd_kafka_message_errstr(message), text);
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

	if (timeout_ms == 0 || now_ms() - reader->last_message_ms < timeout_ms)
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
	uint64_t stall_ns = STALL_MS * UINT64_C(1000000), newest = newest_ns(reader);

	return oldest_ns(reader, newest < stall_ns ? 0 : newest - stall_ns);
}

// All that is in a partition that was added came since, so it is read from its beginning.
static int start_added(struct topic_reader *reader, unsigned int nb, char *text) {
	unsigned int first = reader->nb_partitions;
	int rc = nb > first ? add_partitions(reader, nb, text) : 0;

	for (unsigned int i = first; rc == 0 && i < nb; i++)
		rc = start_partition(reader, &reader->partitions[i], text);
	return rc;
}

static int look_for_added(struct topic_reader *reader, char *text) {
	const struct rd_kafka_metadata *metadata;
	int rc;

	if (!reader->cfg.follow || now_ms() - reader->last_look_ms < LOOK_MS)
		return 0;
	reader->last_look_ms = now_ms();
	if (rd_kafka_metadata(reader->kafka, 0, reader->topic, &metadata, LOOK_TIMEOUT_MS)
	    != RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0; // the next look will tell
	rc = start_added(reader, (unsigned int)metadata->topics[0].partition_cnt, text);
	rd_kafka_metadata_destroy(metadata);
	return rc;
}

enum topic_event topic_reader_next(
	struct topic_reader *reader, struct packet **packet,
	char text[static TOPIC_READER_TEXT_BYTES]
) {
	bool all_done;
	struct partition *behind;
	enum topic_event event;

	if (look_for_added(reader, text) < 0)
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
