// SPDX-License-Identifier: BSD-3-Clause
// Stands in for librdkafka below kafka-to-pcap: a topic whose messages a text tells.
//
// Lines, each for a partition 0 to 7; GAP offsets before a message are missing:
//
//   m PARTITION GAP TIME KEY_BYTES VALUE   a message; VALUE is the rest of the line
//   n PARTITION GAP TIME KEY_BYTES         one without a value
//   x NAME HEX                             a header of the next message
//   i PARTITION                            nothing comes once
//   e PARTITION                            an error
//   h PARTITION OFFSET                     where the partition ended when the reader started
//   p PARTITION                            how many partitions there are; 8 = no such topic

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_KAFKA_MAX_EVENTS 512

#define FAKE_KAFKA_MAX_HEADERS 8 // of a message; one more takes the place of the last

struct fake_kafka_header {
	char name[8];
	uint8_t value[32];
	size_t len;
};

struct fake_kafka_event {
	char kind; // m n i e
	unsigned int partition;
	int64_t offset;
	uint64_t time_us;
	size_t key_len, len;
	const uint8_t *value; // in the text
	struct fake_kafka_header headers[FAKE_KAFKA_MAX_HEADERS];
	unsigned int nb_headers;
};

struct fake_kafka {
	struct fake_kafka_event events[FAKE_KAFKA_MAX_EVENTS];
	unsigned int nb_events, nb_partitions;
	int64_t high[8]; // of each partition
	struct fake_kafka_event next; // whose headers are being read
	bool follow; // no end of a partition is told; an error comes when all is read
	bool has_error;
};

// The topic of the next reader. `text` must stay.
void fake_kafka_script(struct fake_kafka *kafka, const uint8_t *text, size_t len);
void fake_kafka_use(const struct fake_kafka *kafka);
