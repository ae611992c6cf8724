// SPDX-License-Identifier: BSD-3-Clause
// Know where reading is in the log of a partition, and whether it still is the same log. Pure.
//
// An offset alone says little: a topic that was deleted and created again has the same offsets with
// other records, retention moves the log's start past the reader, and offsets may have no record
// (transaction markers, compaction). The identity of a log is what was read from it: its newest
// record by Kafka's time, and its offset. A broker finds a record of a time or later: in the same
// log none before that one. What was read since the last right answer may be of another log, so the
// question is about what was read before.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LOG_POSITION_MARKS 4096 // records that are remembered, to be read once

enum log_step {
	LOG_GOES_ON, // at the next offset, or at one after offsets without a record
	LOG_REMOVED, // records were removed before they were read
	LOG_RESTARTED, // at an offset below: another log, or one that was truncated
};

struct log_position {
	int64_t start; // where reading began in this log
	int64_t next; // offset after the last one that was read
	int64_t low; // highest log start that was seen
	int64_t newest_ms, newest_at; // of the records read; the first one of that time; -1: none
	int64_t sure_ms, sure_at, sure_next; // newest and next when the log was known last
	bool jumped; // some offsets between start and next were not read
	bool agreed; // the broker's answer was right once, or must be
	bool doubtful; // it was wrong at first: times before `start` are out of order
	int64_t read_until; // what is below may have been read before a restart
	uint64_t *marks; // fingerprints by offset; NULL: none
	uint64_t nb_removed; // records
	uint64_t nb_empty; // offsets without a record
	uint64_t nb_restarts;
};

// Begin at `start` of a log that begins at `low`. `with_marks`: remember what was read last, for a
// restart. Returns 0 or -ENOMEM.
int log_position_init(struct log_position *pos, int64_t start, int64_t low, bool with_marks);
void log_position_fini(struct log_position *pos);

// A record or the end came at `offset`; the log began at `low` then (-1: not known).
enum log_step log_position_move(struct log_position *pos, int64_t offset, int64_t low);

// The record at `next` was read; `ms` is Kafka's time, -1 without. Returns false when the same one
// was read before a restart.
bool log_position_take(struct log_position *pos, int64_t ms, uint64_t fingerprint);

// The time of which a broker is asked for the first record; -1: nothing to ask.
int64_t log_position_question(const struct log_position *pos);

// Whether the broker's answer (-1: no record) is one of the same log.
bool log_position_fits(struct log_position *pos, int64_t answer);

// Whether the log is another one, after an answer that does not fit, or when nothing could be
// asked; `low` is the log's start, found later than the answer: what is below may be removed.
bool log_position_is_other(struct log_position *pos, int64_t answer, int64_t low);

// Read on at `low` of another log.
void log_position_restart(struct log_position *pos, int64_t low);
