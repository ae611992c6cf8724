// SPDX-License-Identifier: BSD-3-Clause
// Know where reading is in the log of a partition, and whether it still is the same log.

#include "log_position.h"

#include <errno.h>
#include <stdlib.h>

static void begin(struct log_position *pos, int64_t start, int64_t low) {
	pos->start = pos->next = start;
	pos->low = low;
	pos->newest_ms = pos->newest_at = pos->sure_ms = -1;
	pos->jumped = pos->doubtful = false;
	pos->agreed = start <= low; // all before `next` is read
}

int log_position_init(struct log_position *pos, int64_t start, int64_t low, bool with_marks) {
	*pos = (struct log_position){0};
	begin(pos, start, low);
	if (with_marks)
		pos->marks = calloc(LOG_POSITION_MARKS, sizeof(*pos->marks));
	return with_marks && pos->marks == NULL ? -ENOMEM : 0;
}

void log_position_fini(struct log_position *pos) {
	free(pos->marks);
	pos->marks = NULL;
}

void log_position_restart(struct log_position *pos, int64_t low) {
	if (pos->next > pos->read_until)
		pos->read_until = pos->next;
	pos->nb_restarts++;
	begin(pos, low, low);
}

enum log_step log_position_move(struct log_position *pos, int64_t offset, int64_t low) {
	int64_t removed_until = low < offset ? low : offset, from = pos->next;

	if (offset < from) {
		log_position_restart(pos, offset);
		return LOG_RESTARTED;
	}
	pos->jumped |= offset > from;
	pos->next = offset;
	if (removed_until <= from) {
		pos->nb_empty += (uint64_t)(offset - from);
		return LOG_GOES_ON;
	}
	pos->nb_removed += (uint64_t)(removed_until - from);
	pos->nb_empty += (uint64_t)(offset - removed_until);
	return LOG_REMOVED;
}

static void be_sure(struct log_position *pos) {
	pos->sure_ms = pos->newest_ms;
	pos->sure_at = pos->newest_at;
	pos->sure_next = pos->next;
}

bool log_position_take(struct log_position *pos, int64_t ms, uint64_t fingerprint) {
	int64_t offset = pos->next++;
	uint64_t *mark;
	bool again;

	if (ms > pos->newest_ms) {
		pos->newest_ms = ms;
		pos->newest_at = offset;
	}
	if (pos->sure_ms < 0)
		be_sure(pos);
	if (pos->marks == NULL)
		return true;
	mark = &pos->marks[offset % LOG_POSITION_MARKS];
	again = offset < pos->read_until && *mark == fingerprint;
	*mark = fingerprint;
	return !again;
}

// The newest record is the one to ask for, unless the answer were no news: it is the first one of
// the log. A marker that was not read may be as new, too. Then: is anything newer than all that?
static bool asks_for_newer(const struct log_position *pos) {
	return pos->jumped || pos->sure_at <= pos->start;
}

int64_t log_position_question(const struct log_position *pos) {
	if (pos->sure_ms < 0 || pos->doubtful)
		return -1;
	return pos->sure_ms + asks_for_newer(pos);
}

// Of records of one time a broker may find a later one, never an earlier one.
bool log_position_fits(struct log_position *pos, int64_t answer) {
	bool fits = asks_for_newer(pos) ? answer < 0 || answer >= pos->sure_next
					: answer >= pos->sure_at;

	if (fits) {
		pos->agreed = true;
		be_sure(pos);
	}
	return fits;
}

bool log_position_is_other(struct log_position *pos, int64_t answer, int64_t low) {
	bool is_lower = low < pos->low;
	bool explained = asks_for_newer(pos) ? pos->jumped && answer != low : pos->sure_at < low;

	if (low > pos->low)
		pos->low = low;
	if (is_lower || log_position_question(pos) < 0 || explained)
		return is_lower;
	pos->doubtful = !pos->agreed;
	return pos->agreed;
}
