// SPDX-License-Identifier: BSD-3-Clause
// The record headers `wl`, `if`, `q`, `seq` and `ts`.

#include "packet_headers.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static uint64_t number(const uint8_t *bytes, size_t size) {
	uint64_t n = 0;

	for (size_t i = 0; i < size; i++)
		n = n << 8 | bytes[i];
	return n;
}

static int take_interface(struct packet_headers *h, const uint8_t *value, size_t size) {
	if (size == 0 || size > PACKET_HEADERS_MAX_INTERFACE)
		return -EINVAL;
	for (size_t i = 0; i < size; i++)
		if (value[i] < 0x20 || value[i] == 0x7f)
			return -EINVAL;
	h->interface = (const char *)value;
	h->interface_len = size;
	return 0;
}

static int take_wire_len(struct packet_headers *h, const uint8_t *value, size_t size) {
	if (size != 4)
		return -EINVAL;
	h->wire_len = (uint32_t)number(value, size);
	return 0;
}

static int take_queue_ring(struct packet_headers *h, const uint8_t *value, size_t size) {
	if (size != 4)
		return -EINVAL;
	h->queue_ring = (uint32_t)number(value, size);
	h->has_queue_ring = true;
	return 0;
}

static int take_seq(struct packet_headers *h, const uint8_t *value, size_t size) {
	if (size != 8 || number(value, size) == 0)
		return -EINVAL;
	h->seq = number(value, size);
	return 0;
}

static int take_time(struct packet_headers *h, const uint8_t *value, size_t size) {
	if (size != 8)
		return -EINVAL;
	h->time_ns = number(value, size);
	return 0;
}

void packet_headers_take(
	struct packet_headers *headers, const char *name, const void *value, size_t size
) {
	static const struct {
		const char *name;
		int (*take)(struct packet_headers *h, const uint8_t *value, size_t size);
	} known[] = {
		{"wl", take_wire_len}, {"if", take_interface}, {"q", take_queue_ring},
		{"seq", take_seq},     {"ts", take_time},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			headers->nb_malformed += value == NULL
				|| known[i].take(headers, value, size) < 0;
}
