// SPDX-License-Identifier: BSD-3-Clause
// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012).

#include "siphash.h"

#include <endian.h>
#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned int bits) {
	return x << bits | x >> (64 - bits);
}

static void rounds(struct state *s, unsigned int nb_rounds) {
	for (; nb_rounds > 0; nb_rounds--) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

static void compress(struct state *s, uint64_t word) {
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

static uint64_t load_le64(const uint8_t *p, size_t len) {
	uint64_t word = 0;

	memcpy(&word, p, len);
	return le64toh(word);
}

struct siphash
siphash_compute(const uint64_t secret[2], uint64_t head, const void *data, size_t len) {
	struct state s = {
		.v0 = secret[0] ^ UINT64_C(0x736f6d6570736575),
		.v1 = secret[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee, // 128 bits of output
		.v2 = secret[0] ^ UINT64_C(0x6c7967656e657261),
		.v3 = secret[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t length_byte = (uint64_t)(len + sizeof(head)) << 56;
	const uint8_t *p = data;
	struct siphash hash;

	compress(&s, head);
	for (; len >= 8; p += 8, len -= 8)
		compress(&s, load_le64(p, 8));
	compress(&s, length_byte | (len > 0 ? load_le64(p, len) : 0));
	s.v2 ^= 0xee;
	rounds(&s, 4);
	hash.low = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	s.v1 ^= 0xdd;
	rounds(&s, 4);
	hash.high = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	return hash;
}
