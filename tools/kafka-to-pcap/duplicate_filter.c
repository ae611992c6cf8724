// SPDX-License-Identifier: BSD-3-Clause
// Recognise repeated packets by two generations of open-addressed tables of hashes.

#include "duplicate_filter.h"

#include "siphash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct duplicate_filter {
	uint64_t secret[2];
	size_t size; // hashes in a table at most: half of its places
	size_t nb_newer; // hashes in the newer table
	struct siphash *newer, *older; // all zero is an empty place
};

struct duplicate_filter *duplicate_filter_create(size_t size) {
	struct duplicate_filter *filter = calloc(1, sizeof(*filter));

	if (filter == NULL)
		return NULL;
	filter->size = size;
	filter->newer = calloc(2 * size, sizeof(*filter->newer));
	filter->older = calloc(2 * size, sizeof(*filter->older));
	if (filter->newer == NULL || filter->older == NULL
	    || getrandom(filter->secret, sizeof(filter->secret), 0) != sizeof(filter->secret)) {
		duplicate_filter_destroy(filter);
		return NULL;
	}
	return filter;
}

void duplicate_filter_destroy(struct duplicate_filter *filter) {
	if (filter == NULL)
		return;
	free(filter->newer);
	free(filter->older);
	free(filter);
}

static bool is_empty(const struct siphash *place) {
	return place->low == 0 && place->high == 0;
}

// The place of `hash`, or the empty one where it belongs.
static struct siphash *
find(const struct duplicate_filter *filter, struct siphash *table, const struct siphash *hash) {
	size_t at = hash->low & (2 * filter->size - 1);

	while (!is_empty(&table[at]) && memcmp(&table[at], hash, sizeof(*hash)) != 0)
		at = (at + 1) & (2 * filter->size - 1);
	return &table[at];
}

static void forget_older(struct duplicate_filter *filter) {
	struct siphash *table = filter->older;

	memset(table, 0, 2 * filter->size * sizeof(*table));
	filter->older = filter->newer;
	filter->newer = table;
	filter->nb_newer = 0;
}

bool duplicate_filter_seen(
	struct duplicate_filter *filter, uint64_t time_ns, const void *frame, size_t len
) {
	struct siphash hash = siphash_compute(filter->secret, time_ns, frame, len);
	struct siphash *place;
	bool seen;

	if (is_empty(&hash))
		hash.low = 1;
	place = find(filter, filter->newer, &hash);
	if (!is_empty(place))
		return true;
	seen = !is_empty(find(filter, filter->older, &hash));
	*place = hash;
	if (++filter->nb_newer == filter->size)
		forget_older(filter);
	return seen;
}
