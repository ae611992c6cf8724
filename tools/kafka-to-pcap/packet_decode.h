// SPDX-License-Identifier: BSD-3-Clause
// A message of Kafka as a packet.

#pragma once

#include "packet.h"

#include <librdkafka/rdkafka.h>

// Why a message is no packet; NULL when it is one, then *packet is filled in and points into the
// message. Its key is a time in units of `unit_ns`, at most `max_time_ns`; one in ns before 1973 is
// not believed.
const char *packet_decode(
	struct packet *packet, rd_kafka_message_t *message, uint64_t unit_ns, uint64_t max_time_ns
);
