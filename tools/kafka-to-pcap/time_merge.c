// SPDX-License-Identifier: BSD-3-Clause
// Put packets into time order within a window: a binary heap, the oldest packet at its root.

#include "time_merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void time_merge_init(struct time_merge *merge, uint64_t window_ns, size_t max_bytes) {
	memset(merge, 0, sizeof(*merge));
	merge->window_ns = window_ns;
	merge->max_bytes = max_bytes;
}

void time_merge_fini(struct time_merge *merge) {
	free(merge->heap);
	memset(merge, 0, sizeof(*merge));
}

static bool is_before(const struct time_merge_entry *a, const struct time_merge_entry *b) {
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->arrival < b->arrival;
}

static int grow(struct time_merge *merge) {
	size_t room = merge->room != 0 ? merge->room * 2 : 1024;
	struct time_merge_entry *heap = reallocarray(merge->heap, room, sizeof(*heap));

	if (heap == NULL)
		return -ENOMEM;
	merge->heap = heap;
	merge->room = room;
	return 0;
}

int time_merge_push(struct time_merge *merge, uint64_t time_ns, void *item, size_t bytes) {
	struct time_merge_entry entry = {time_ns, merge->nb_pushed, bytes, item};
	size_t at = merge->nb_held;

	if (merge->nb_held == merge->room && grow(merge) < 0)
		return -ENOMEM;
	for (; at > 0 && is_before(&entry, &merge->heap[(at - 1) / 2]); at = (at - 1) / 2)
		merge->heap[at] = merge->heap[(at - 1) / 2];
	merge->heap[at] = entry;
	merge->nb_held++;
	merge->nb_pushed++;
	merge->held_bytes += bytes;
	return 0;
}

// Fill the hole at the root with `entry`, sinking it to its place.
static void sink(struct time_merge *merge, struct time_merge_entry entry) {
	struct time_merge_entry *heap = merge->heap;
	size_t at = 0, child;

	for (; (child = 2 * at + 1) < merge->nb_held; at = child) {
		if (child + 1 < merge->nb_held && is_before(&heap[child + 1], &heap[child]))
			child++;
		if (!is_before(&heap[child], &entry))
			break;
		heap[at] = heap[child];
	}
	heap[at] = entry;
}

static bool may_leave(const struct time_merge *merge, uint64_t time_ns, uint64_t reached_ns) {
	return reached_ns == TIME_MERGE_ALL || merge->held_bytes > merge->max_bytes
		|| (time_ns <= reached_ns && reached_ns - time_ns >= merge->window_ns);
}

void *time_merge_pop(struct time_merge *merge, uint64_t reached_ns, uint64_t *time_ns, bool *late) {
	struct time_merge_entry oldest;

	if (merge->nb_held == 0)
		return NULL;
	oldest = merge->heap[0];
	if (!may_leave(merge, oldest.time_ns, reached_ns))
		return NULL;
	merge->held_bytes -= oldest.bytes;
	merge->nb_held--;
	if (merge->nb_held > 0)
		sink(merge, merge->heap[merge->nb_held]);
	*time_ns = oldest.time_ns;
	*late = oldest.time_ns < merge->last_ns;
	if (!*late)
		merge->last_ns = oldest.time_ns;
	return oldest.item;
}
