// SPDX-License-Identifier: BSD-3-Clause
// The blocks of a pcapng file: type, length, body, length again; all in units of 4 bytes.

#include "pcapng.h"

#include <errno.h>
#include <string.h>

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_STATISTICS 5u
#define BLOCK_PACKET 6u
#define BLOCK_FRAME_BYTES 12u // type and two lengths

#define OPTION_END 0
#define OPTION_APPLICATION 4 // of a section
#define OPTION_NAME 2 // of an interface
#define OPTION_TIME_RESOLUTION 9
#define OPTION_RECEIVED 4 // of statistics
#define OPTION_DROPPED 5

#define LINK_ETHERNET 1
#define MAX_OPTION_BYTES 1024 // of text; more is cut

// A block under construction; packets, whose body is large, are written around their frame.
struct block {
	uint32_t bytes[(2 * MAX_OPTION_BYTES) / 4];
	size_t len;
};

static void add(struct block *block, const void *data, size_t len) {
	memcpy((uint8_t *)block->bytes + block->len, data, len);
	block->len += len;
}

static void add_u32(struct block *block, uint32_t value) {
	add(block, &value, sizeof(value));
}

static size_t padding(size_t len) {
	return -len & 3;
}

static void add_option(struct block *block, uint16_t code, const void *data, size_t len) {
	static const uint8_t zero[3];
	uint16_t head[2] = {code, (uint16_t)len};

	add(block, head, sizeof(head));
	add(block, data, len);
	add(block, zero, padding(len));
}

static void add_text_option(struct block *block, uint16_t code, const char *text) {
	add_option(block, code, text, strnlen(text, MAX_OPTION_BYTES));
}

static void begin(struct block *block, uint32_t type) {
	block->len = 0;
	add_u32(block, type);
	add_u32(block, 0); // its length, when it is known
}

static int put(FILE *out, const void *data, size_t len) {
	errno = 0;
	if (fwrite(data, 1, len, out) == len)
		return 0;
	return errno != 0 ? -errno : -EIO;
}

static int end(FILE *out, struct block *block) {
	uint32_t len = (uint32_t)block->len + 4;

	add_u32(block, len);
	block->bytes[1] = len;
	return put(out, block->bytes, block->len);
}

int pcapng_write_section(FILE *out, const char *application) {
	static const uint32_t unknown_length[2] = {UINT32_MAX, UINT32_MAX};
	static const uint16_t version[2] = {1, 0};
	struct block block;

	begin(&block, BLOCK_SECTION);
	add_u32(&block, 0x1a2b3c4d);
	add(&block, version, sizeof(version));
	add(&block, unknown_length, sizeof(unknown_length));
	add_text_option(&block, OPTION_APPLICATION, application);
	add_option(&block, OPTION_END, "", 0);
	return end(out, &block);
}

int pcapng_write_interface(FILE *out, const char *name, uint32_t snaplen) {
	static const uint16_t link_type[2] = {LINK_ETHERNET, 0};
	static const uint8_t nanoseconds = 9;
	struct block block;

	begin(&block, BLOCK_INTERFACE);
	add(&block, link_type, sizeof(link_type));
	add_u32(&block, snaplen);
	add_text_option(&block, OPTION_NAME, name);
	add_option(&block, OPTION_TIME_RESOLUTION, &nanoseconds, sizeof(nanoseconds));
	add_option(&block, OPTION_END, "", 0);
	return end(out, &block);
}

int pcapng_write_packet(
	FILE *out, uint32_t interface, uint64_t time_ns, const uint8_t *frame, uint32_t len,
	uint32_t wire_len
) {
	static const uint8_t zero[3];
	uint32_t total = BLOCK_FRAME_BYTES + 20 + len + (uint32_t)padding(len);
	uint32_t head[] = {
		BLOCK_PACKET,      total, interface, (uint32_t)(time_ns >> 32),
		(uint32_t)time_ns, len,   wire_len,
	};
	int rc = put(out, head, sizeof(head));

	if (rc == 0)
		rc = put(out, frame, len);
	if (rc == 0)
		rc = put(out, zero, padding(len));
	return rc == 0 ? put(out, &total, sizeof(total)) : rc;
}

int pcapng_write_statistics(
	FILE *out, uint32_t interface, uint64_t time_ns, uint64_t nb_received, uint64_t nb_dropped
) {
	struct block block;

	begin(&block, BLOCK_STATISTICS);
	add_u32(&block, interface);
	add_u32(&block, (uint32_t)(time_ns >> 32));
	add_u32(&block, (uint32_t)time_ns);
	add_option(&block, OPTION_RECEIVED, &nb_received, sizeof(nb_received));
	add_option(&block, OPTION_DROPPED, &nb_dropped, sizeof(nb_dropped));
	add_option(&block, OPTION_END, "", 0);
	return end(out, &block);
}
