// SPDX-License-Identifier: BSD-3-Clause
// Sum up what went in, waits, went out and was dropped at each stage, and judge the laws that must
// hold between counters that different processes write. Pure: works on counters wherever they are
// mapped.
//
// Counters move while they are read. What is done about it:
//  - A snapshot is a copy of the file made from its last word to its first: slots before rings
//    before queues before ports, and in a ring the transmit worker's words before the receive
//    worker's. What came out is read before what went in, so no stage ever seems to give out more
//    than it got.
//  - A law is judged over two snapshots made one right after the other. "a <= b" compares a of the
//    first with b of the second: counters only grow, so what is true at the moment between the two
//    can only look more true. An equality is judged only when none of its words moved between the
//    two: then they are the values of one moment.
//  - One moment may still lie within the update of several words, and a transmit worker may be
//    ahead of a receive worker that has not yet counted what it put on a ring. Neither lasts, so a
//    law that held once is done with, and one is violated only when it fails again and again and
//    never holds (RTAP_LAW_FAILURES); the caller pauses in between (RTAP_LAW_PAUSE_MS). One that
//    cannot be judged because its words always move counts as neither.
//  - The words of a port are as old as the control thread's last question to its driver: what came
//    out is that of the first judgement, what went in that of each, once the thread has asked
//    again.
//  - A primary that was killed may leave one burst of each queue counted in part, for ever:
//    `unfinished` allows for that.
// So a violation is never reported by chance. At rest none goes unseen; under traffic one that is
// smaller than what moves between two snapshots (microseconds) may.

#pragma once

#include "counters.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtap_row {
	uint64_t in, queued, out, drops; // packets
};

// The rows of the table; rtap_table_explain() says what each figure means. nic has no queued and
// out.
struct rtap_balance {
	struct rtap_row nic, rx, tx, kaf;
	uint64_t filtered; // rx.in = filtered + rx.out + rx.drops, malformed packets among these
	uint64_t sent_again; // rx.out + sent_again = rx.queued + tx.in
};

// Sum up mapped counters, or a snapshot of them.
void rtap_balance_compute(const struct rtap_counters *c, struct rtap_balance *balance);

// Allocate a snapshot of `c` and take it. It is used like any mapped counters. 0 or -ENOMEM; ended
// with rtap_snapshot_fini().
int rtap_snapshot_init(struct rtap_counters *snapshot, const struct rtap_counters *c);

// Take it again, from the same file. Constant fields are not read again.
void rtap_snapshot_take(struct rtap_counters *snapshot, const struct rtap_counters *c);

void rtap_snapshot_fini(struct rtap_counters *snapshot);

// Whether the worker of a slot is at work, so that its gauges are worth anything.
bool rtap_slot_is_live(const struct rtap_slot_counters *slot);

enum rtap_law_kind {
	// Per port; the device and its receive workers.
	RTAP_LAW_DEVICE,
	// Per queue; one writer.
	RTAP_LAW_RECEIVED,
	RTAP_LAW_QUEUE_ENQUEUED,
	RTAP_LAW_QUEUE_RING_FULL,
	// Per ring; the first has one writer, the others have transmit workers on one side.
	RTAP_LAW_RELEASED,
	RTAP_LAW_RELEASED_TAKEN,
	RTAP_LAW_TAKEN_ENQUEUED,
	// Of the instance; all writers.
	RTAP_LAW_HANDED_OVER,
	RTAP_LAW_RELEASED_DONE,
	RTAP_LAW_DONE_TAKEN,
	RTAP_LAW_AT_REST,
};

#define RTAP_LAW_FAILURES 100
#define RTAP_LAW_PAUSE_MS 10
#define RTAP_LAW_BURST_MAX 4096 // more than any burst

struct rtap_law {
	enum rtap_law_kind kind;
	uint32_t index; // of the port, queue or ring; 0 for the instance
	bool held; // once is enough
	unsigned int failures;
	uint64_t left, right; // as last judged
	uint64_t since_us; // of a device's law: the control thread's last round at the first look
};

// Every law of an instance; quarantined rings have none.
struct rtap_laws {
	struct rtap_law *laws;
	size_t nb_laws;
};

// 0 or -ENOMEM; ended with rtap_laws_fini().
int rtap_laws_init(struct rtap_laws *laws, const struct rtap_counters *snapshot);
void rtap_laws_fini(struct rtap_laws *laws);

// Judge all laws that have not held yet, over two snapshots of the same file. `unfinished`: the
// primary was killed. Returns how many laws have failed so far and never held, violated or not yet
// decided.
size_t rtap_laws_judge(
	struct rtap_laws *laws, const struct rtap_counters *first,
	const struct rtap_counters *second, bool unfinished
);

static inline bool rtap_law_is_violated(const struct rtap_law *law) {
	return !law->held && law->failures >= RTAP_LAW_FAILURES;
}

// The law in the words of the counters: "received = filtered + enqueued + ring_full".
const char *rtap_law_text(enum rtap_law_kind kind);
