// SPDX-License-Identifier: BSD-3-Clause
// The checksums of the Internet: ones' complement sum and CRC32C.

#include "checksum.h"

uint64_t checksum_add(uint64_t sum, const void *data, size_t len) {
	const uint8_t *bytes = data;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint64_t)bytes[i] << 8 | bytes[i + 1];
	if (i < len)
		sum += (uint64_t)bytes[i] << 8;
	return sum;
}

uint16_t checksum_fold(uint64_t sum) {
	while (sum > UINT16_MAX)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t checksum_crc32c(const void *data, size_t len) {
	// Four bits a step: small enough to be written down, fast enough for a share of the frames.
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const uint8_t *bytes = data;
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}
