// SPDX-License-Identifier: BSD-3-Clause
// Hand messages of one partition to librdkafka.
//
// No copy of a frame is made, unless it lies in several segments: librdkafka wants one stretch of
// memory, and frees that copy itself.

#pragma once

#include "config.h"
#include "counters.h"
#include "message.h"
#include "rdkafka_client.h"
#include "sink.h"

#include <librdkafka/rdkafka.h>

#include <stdint.h>

struct rdkafka_batch {
	enum rtap_key_unit key_unit;
	struct rtap_slot_counters *counters; // linearised
	const struct message
		*messages[SINK_MAX_OFFER]; // in; of one partition, all with headers or none
	rd_kafka_message_t produced[SINK_MAX_OFFER]; // out: .err of each is what the client said
	uint8_t keys[SINK_MAX_OFFER][MESSAGE_KEY_BYTES]; // copied by the client
};

// Hand the first `nb` messages to `client`. One that is refused for more than its own size takes
// all that follow with it: they would overtake it.
void rdkafka_batch_produce(
	struct rdkafka_batch *b, const struct rdkafka_client *client, int32_t partition,
	unsigned int nb
);

// Why a message was refused, NULL if it was not; static text.
const char *rdkafka_batch_why(rd_kafka_resp_err_t err);
