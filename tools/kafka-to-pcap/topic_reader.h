// SPDX-License-Identifier: BSD-3-Clause
// Read the packets of a topic, all partitions at one pace. No consumer group, nothing is committed.
//
// The partition whose last packet is the oldest is read next, so partitions of different length are
// read alike. One that has nothing for a second (its broker may be down) is left behind until it has.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOPIC_READER_TEXT_BYTES 512

struct topic_reader_config {
	const char *brokers;
	const char *topic;
	char **properties; // "name=value" for librdkafka
	unsigned int nb_properties;
	bool follow; // do not end at what was there at start
	bool from_end; // begin with what comes now
	uint64_t max_time_us; // a packet above it is skipped
	unsigned int timeout_s; // fail when nothing comes for so long; 0 = never
};

struct packet; // one message of the topic

enum topic_event {
	TOPIC_PACKET, // *packet is the caller's, who frees it
	TOPIC_SKIPPED, // a message that is no packet: the text says which and why
	TOPIC_IDLE, // nothing for now, after a short wait
	TOPIC_END, // all that was there at start has been read
	TOPIC_FAILED, // the text says why; do not go on
};

struct topic_reader;

// Connect, look the topic up, start to read; waits up to 10 s, or timeout_s when that is less.
// NULL with `text` set to one line. The caller closes it after freeing all packets.
struct topic_reader *
topic_reader_open(const struct topic_reader_config *cfg, char text[static TOPIC_READER_TEXT_BYTES]);
void topic_reader_close(struct topic_reader *reader);

// Wait at most 100 ms for the next packet and its time (UTC). One thread.
enum topic_event topic_reader_next(
	struct topic_reader *reader, struct packet **packet, uint64_t *time_us,
	char text[static TOPIC_READER_TEXT_BYTES]
);

// The frame of a packet: it lives as long as the packet.
const uint8_t *packet_frame(const struct packet *packet, size_t *len);
void packet_free(struct packet *packet);
