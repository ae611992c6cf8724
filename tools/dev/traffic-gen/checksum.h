// SPDX-License-Identifier: BSD-3-Clause
// The checksums of the Internet: ones' complement sum (RFC 1071) and CRC32C of SCTP. Pure.

#pragma once

#include <stddef.h>
#include <stdint.h>

// Add `len` bytes to a running sum, which starts at 0. An odd length only in the last call.
uint64_t checksum_add(uint64_t sum, const void *data, size_t len);

// The checksum field for a sum, in host order.
uint16_t checksum_fold(uint64_t sum);

// CRC32C of `len` bytes. SCTP carries it in little-endian order (RFC 9260, appendix A).
uint32_t checksum_crc32c(const void *data, size_t len);
