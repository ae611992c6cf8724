// SPDX-License-Identifier: BSD-3-Clause
// Ask the leaders of partitions for offsets, each leader by itself, within a time.
//
// rd_kafka_query_watermark_offsets() would do for the ends, but up to librdkafka 2.8 it does not
// return while a leader cannot be reached.

#include "topic_state.h"

static rd_kafka_topic_partition_list_t *
questions(const struct topic_reader *reader, const struct rd_kafka_metadata_topic *topic, int i) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	for (int k = i; k < topic->partition_cnt; k++) {
		int32_t id = topic->partitions[k].id;

		if (topic->partitions[k].leader != topic->partitions[i].leader
		    || (unsigned int)id >= reader->nb_partitions
		    || reader->partitions[id].ask == TOPIC_ASK_NOTHING)
			continue;
		rd_kafka_topic_partition_list_add(list, reader->cfg.topic, id)->offset
			= reader->partitions[id].ask;
	}
	return list;
}

static rd_kafka_resp_err_t
take(struct topic_reader *reader, const rd_kafka_topic_partition_list_t *answers) {
	for (int i = 0; i < answers->cnt; i++) {
		const rd_kafka_topic_partition_t *answer = &answers->elems[i];

		if (answer->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			return answer->err;
		reader->partitions[answer->partition].answer = answer->offset;
	}
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

// Ask the leader of the topic's partition number `i`.
static rd_kafka_resp_err_t ask_leader(
	struct topic_reader *reader, const struct rd_kafka_metadata_topic *topic, int i,
	uint64_t deadline_ms
) {
	rd_kafka_topic_partition_list_t *list = questions(reader, topic, i);
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
	uint64_t now_ms = topic_now_ms();

	if (list->cnt > 0)
		err = now_ms >= deadline_ms ? RD_KAFKA_RESP_ERR__TIMED_OUT
					    : rd_kafka_offsets_for_times(
						    reader->kafka, list, (int)(deadline_ms - now_ms)
					    );
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		err = take(reader, list);
	rd_kafka_topic_partition_list_destroy(list);
	return err;
}

static bool is_first_of_leader(const struct rd_kafka_metadata_topic *topic, int i) {
	for (int k = 0; k < i; k++)
		if (topic->partitions[k].leader == topic->partitions[i].leader)
			return false;
	return true;
}

rd_kafka_resp_err_t topic_ask(struct topic_reader *reader, uint64_t deadline_ms, int32_t *failed) {
	const struct rd_kafka_metadata_topic *topic = &reader->metadata->topics[0];

	for (unsigned int i = 0; i < reader->nb_partitions; i++)
		reader->partitions[i].answer = TOPIC_NO_ANSWER;
	for (int i = 0; i < topic->partition_cnt; i++) {
		rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;

		if (is_first_of_leader(topic, i))
			err = ask_leader(reader, topic, i, deadline_ms);
		*failed = topic->partitions[i].leader;
		if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
			return err;
	}
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t
topic_ask_all(struct topic_reader *reader, int64_t ask, uint64_t deadline_ms, int32_t *failed) {
	for (unsigned int i = 0; i < reader->nb_partitions; i++)
		reader->partitions[i].ask = ask;
	return topic_ask(reader, deadline_ms, failed);
}
