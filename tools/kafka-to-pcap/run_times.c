// SPDX-License-Identifier: BSD-3-Clause
// Marks of a run at equal distances, every second of which is given up when there are too many.

#include "run_times.h"

#include <stdlib.h>
#include <string.h>

static void thin_out(struct run_times *times) {
	times->nb /= 2;
	for (unsigned int i = 1; i < times->nb; i++)
		times->marks[i] = times->marks[2 * i];
	times->stride *= 2;
}

static bool make_room(struct run_times *times) {
	unsigned int room = times->room != 0 ? times->room * 2 : 8;
	struct run_time_mark *marks;

	if (times->nb < times->room)
		return true;
	marks = reallocarray(times->marks, room, sizeof(*marks));
	if (marks == NULL)
		return false;
	times->marks = marks;
	times->room = room;
	return true;
}

void run_times_add(struct run_times *times, uint64_t seq, uint64_t time_ns) {
	if (times->nb == 0)
		times->stride = 1;
	else if (seq - times->marks[times->nb - 1].seq < times->stride)
		return;
	if (times->nb == RUN_TIMES_MAX)
		thin_out(times);
	if (make_room(times))
		times->marks[times->nb++] = (struct run_time_mark){seq, time_ns};
}

void run_times_fini(struct run_times *times) {
	free(times->marks);
	memset(times, 0, sizeof(*times));
}

bool run_times_fit(const struct run_times *times, uint64_t seq, uint64_t time_ns) {
	unsigned int low = 0, high = times->nb; // to the first mark that is not below `seq`

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (times->marks[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < times->nb && times->marks[low].seq == seq)
		return times->marks[low].time_ns == time_ns;
	return (low == 0 || times->marks[low - 1].time_ns <= time_ns)
		&& (low == times->nb || times->marks[low].time_ns >= time_ns);
}
