// SPDX-License-Identifier: BSD-3-Clause
// A message of Kafka as a packet.

#include "packet_decode.h"

#include "pcap_output.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

// Keys in us are far below it until 2106 and further, those in ns above it since 1973.
#define MIN_KEY_NS UINT64_C(100000000000000000)

static void read_headers(struct packet *packet, const rd_kafka_message_t *message) {
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t size;

	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size)
	     == RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++)
		packet_headers_take(&packet->headers, name, value, size);
}

const char *packet_decode(
	struct packet *packet, rd_kafka_message_t *message, uint64_t unit_ns, uint64_t max_time_ns
) {
	uint64_t key;

	*packet = (struct packet){.message = message};
	if (message->key_len != sizeof(key))
		return "the key is not 8 bytes long";
	if (message->payload == NULL || message->len == 0)
		return "no value";
	memcpy(&key, message->key, sizeof(key));
	key = be64toh(key);
	if (key > max_time_ns / unit_ns)
		return unit_ns == 1 ? "its time is beyond 2106"
				    : "its time is beyond 2106; if keys are in ns: --key-unit ns";
	if (unit_ns == 1 && key < MIN_KEY_NS)
		return "its time is before 1973; if keys are in us: --key-unit us";
	packet->time_ns = key * unit_ns;
	packet->frame = message->payload;
	packet->len = packet->wire_len = message->len;
	read_headers(packet, message);
	// Not believed when they contradict what is certain.
	if (packet->headers.time_ns / unit_ns == key)
		packet->time_ns = packet->headers.time_ns;
	if (packet->headers.wire_len > packet->len
	    && packet->headers.wire_len <= PCAP_OUTPUT_SNAPLEN)
		packet->wire_len = packet->headers.wire_len;
	return NULL;
}

void packet_free(struct packet *packet) {
	rd_kafka_message_destroy(packet->message);
	free(packet);
}
