// SPDX-License-Identifier: BSD-3-Clause
// Make messages of frames: key, partition, headers.

#include "message.h"

#include "flow_hash.h"
#include "now.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

static void put_big_endian(uint8_t *to, unsigned int nb_bytes, uint64_t value) {
	while (nb_bytes > 0) {
		to[--nb_bytes] = (uint8_t)value;
		value >>= 8;
	}
}

void message_key(uint64_t time_ns, enum rtap_key_unit unit, uint8_t key[MESSAGE_KEY_BYTES]) {
	uint64_t time = htobe64(unit == RTAP_KEY_NS ? time_ns : time_ns / RTAP_US_NS);

	memcpy(key, &time, MESSAGE_KEY_BYTES);
}

void message_origin_init(
	struct message_origin *origin, const char *sensor, const char *port, uint64_t queue_id,
	uint64_t ring_id
) {
	snprintf(origin->interface, sizeof(origin->interface), "%s:%s", sensor, port);
	put_big_endian(origin->queue, 2, queue_id);
	put_big_endian(origin->queue + 2, 2, ring_id);
	origin->header_bytes = (uint32_t)strlen(origin->interface) + MESSAGE_HEADER_BYTES;
}

void message_headers(const struct message *msg, struct message_headers *h) {
	put_big_endian(h->numbers, 4, msg->wire_bytes);
	put_big_endian(h->numbers + 4, 8, msg->sequence);
	put_big_endian(h->numbers + 12, 8, msg->time_ns);
	h->items[0] = (struct message_header){"wl", h->numbers, 4};
	h->items[1] = (struct message_header
	){"if", msg->origin->interface, strlen(msg->origin->interface)};
	h->items[2] = (struct message_header){"q", msg->origin->queue, sizeof(msg->origin->queue)};
	h->items[3] = (struct message_header){"seq", h->numbers + 4, 8};
	h->items[4] = (struct message_header){"ts", h->numbers + 12, 8};
}

struct message_partitions message_partitions_of_ring(
	enum rtap_partitioner partitioner, uint32_t ring, uint32_t nb_rings, int32_t nb_partitions
) {
	struct message_partitions set = {.first = 0, .step = 1, .nb = nb_partitions};

	if (partitioner != RTAP_PARTITIONER_RING || nb_partitions <= 0)
		return set;
	if ((uint32_t)nb_partitions <= ring || nb_partitions < (int32_t)nb_rings) {
		set.first = (int32_t)(ring % (uint32_t)nb_partitions);
		set.nb = 1;
		return set;
	}
	set.first = (int32_t)ring;
	set.step = (int32_t)nb_rings;
	set.nb = (nb_partitions - (int32_t)ring + (int32_t)nb_rings - 1) / (int32_t)nb_rings;
	return set;
}

void message_maker_next_burst(struct message_maker *maker, int32_t nb_partitions) {
	maker->set = message_partitions_of_ring(
		maker->partitioner, maker->ring, maker->nb_rings, nb_partitions
	);
	maker->burst = (maker->burst + 1) & INT32_MAX;
}

static int32_t choose_partition(const struct message_maker *maker, const struct rte_mbuf *frame) {
	const struct message_partitions *set = &maker->set;

	if (maker->partitioner == RTAP_PARTITIONER_BURST)
		return set->first + maker->burst % set->nb;
	return message_partition(
		set,
		rtap_flow_hash(rte_pktmbuf_mtod(frame, const void *), rte_pktmbuf_data_len(frame))
	);
}

void message_make(
	struct message *msg, const struct message_maker *maker, const struct rte_mbuf *frame,
	const struct rtap_packet_stamp *stamp
) {
	*msg = (struct message){
		.frame = frame,
		.data = rte_pktmbuf_mtod(frame, const void *),
		.len = rte_pktmbuf_pkt_len(frame),
		.wire_bytes = (uint32_t)stamp->wire_bytes,
		.time_ns = stamp->time_ns,
		.sequence = stamp->sequence,
		.origin = maker->origin,
		.partition = choose_partition(maker, frame),
		.nb_segs = frame->nb_segs,
	};
}
