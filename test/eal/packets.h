// SPDX-License-Identifier: BSD-3-Clause
// Frames of every kind as packets in one buffer or in several, without a mempool.

#pragma once

#include "frame_make.h"

#include <check.h>
#include <rte_mbuf.h>

#include <stdint.h>
#include <string.h>

#define NB_FRAMES 512
#define MAX_FRAME 1600
#define MAX_SEGMENTS 3

static struct rte_mbuf mbufs[NB_FRAMES][MAX_SEGMENTS];
static uint8_t frames[NB_FRAMES][MAX_FRAME];
static size_t lengths[NB_FRAMES];

static inline void packets_make_frames(uint64_t seed) {
	struct frame_make_config cfg = {.seed = seed, .nb_flows = 64, .max_bytes = MAX_FRAME};
	struct frame_make *fm = frame_make_create(&cfg);

	ck_assert_ptr_nonnull(fm);
	for (unsigned int i = 0; i < NB_FRAMES; i++)
		lengths[i] = frame_make_next(fm, frames[i]);
	frame_make_destroy(fm);
}

// Frame i in `nb_segs` buffers, all but the last one of 20 bytes: headers lie across them.
static inline struct rte_mbuf *packets_get(unsigned int i, unsigned int nb_segs) {
	size_t at = 0;

	for (unsigned int s = 0; s < nb_segs; s++) {
		size_t len = s + 1 == nb_segs ? lengths[i] - at : 20;
		struct rte_mbuf *m = &mbufs[i][s];

		memset(m, 0, sizeof(*m));
		m->buf_addr = frames[i] + at;
		m->buf_len = m->data_len = (uint16_t)len;
		m->nb_segs = 1;
		if (s > 0)
			mbufs[i][s - 1].next = m;
		at += len;
	}
	mbufs[i][0].nb_segs = (uint16_t)nb_segs;
	mbufs[i][0].pkt_len = (uint32_t)lengths[i];
	return &mbufs[i][0];
}
