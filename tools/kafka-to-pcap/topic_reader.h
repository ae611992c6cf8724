// SPDX-License-Identifier: BSD-3-Clause
// Read the packets of a topic, all partitions at one pace. No consumer group, nothing is committed.
//
// The partition that is furthest behind in time is read next, so partitions of different length are
// read alike. One that has nothing for a second (its broker may be down) is not waited for until it
// has.
//
// A range of time is one of capture times. Kafka knows when a record was made, which is later: a
// partition is read from the first record that was made `margin_s` before the range, up to a
// capture time that is `margin_s` behind it.

#pragma once

#include "consumer_settings.h"
#include "packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOPIC_READER_TEXT_BYTES 512

struct topic_reader_config {
	struct consumer_settings settings;
	const char *topic;
	bool follow; // do not end at what was there at start
	bool from_end; // begin with what comes now
	uint64_t from_ns, to_ns; // packets of from <= time < to; UINT64_MAX: no end
	uint64_t margin_s;
	uint64_t key_unit_ns; // of the keys: 1000 or 1
	uint64_t max_time_ns; // a packet above it is skipped
	unsigned int timeout_s; // fail when nothing comes for so long; 0 = never
};

enum topic_event {
	TOPIC_PACKET, // *packet is the caller's, who frees it
	TOPIC_OUTSIDE, // a packet outside of the range of time was passed over
	TOPIC_SKIPPED, // a message that is no packet: the text says which and why
	TOPIC_NOTED, // the text is for the user: records that are gone or hidden, a silent leader
	TOPIC_IDLE, // nothing for now, after a short wait
	TOPIC_END, // all that was there at start has been read, or the range of time
	TOPIC_FAILED, // the text says why; do not go on
};

// What of the topic was not read, without an error.
struct topic_gaps {
	uint64_t nb_removed; // records, by retention before they were read
	uint64_t nb_empty; // offsets without a record: transaction markers, compaction
	uint64_t nb_restarts; // logs that began again: topic created again, log truncated
	uint64_t nb_hidden; // records behind an open transaction, if only what is committed is read
};

struct topic_reader;

// Connect, look the topic up, start to read; waits up to 10 s, or timeout_s when that is less. NULL
// with `text` set to one line and errno: EINVAL or EBADMSG as consumer_settings_build() has it, EIO
// for Kafka, ENOMEM. The caller closes it after freeing all packets.
struct topic_reader *
topic_reader_open(const struct topic_reader_config *cfg, char text[static TOPIC_READER_TEXT_BYTES]);
void topic_reader_close(struct topic_reader *reader);

// Wait at most 100 ms for the next packet. One thread.
enum topic_event topic_reader_next(
	struct topic_reader *reader, struct packet **packet,
	char text[static TOPIC_READER_TEXT_BYTES]
);

// Up to where all partitions have been read that are waited for; UINT64_MAX after the end.
uint64_t topic_reader_reached_ns(const struct topic_reader *reader);

// Of the packets before this time all have come, as far as Kafka has them; UINT64_MAX after the
// end.
uint64_t topic_reader_horizon_ns(const struct topic_reader *reader);

struct topic_gaps topic_reader_gaps(const struct topic_reader *reader);
