// SPDX-License-Identifier: BSD-3-Clause
// Find the key that a misspelt name was meant to be.

#include "nearest_key.h"

#include "config_schema.h"

#include <string.h>

#define MAX_COMPARED 63 // characters of a name

// Levenshtein's distance.
static unsigned int edit_distance(const char *a, size_t a_len, const char *b) {
	unsigned int row[MAX_COMPARED + 1];

	for (size_t i = 0; i <= a_len; i++)
		row[i] = (unsigned int)i;
	for (size_t j = 0; b[j] != '\0'; j++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)j + 1;
		for (size_t i = 0; i < a_len; i++) {
			unsigned int cost = diagonal + (a[i] != b[j]);

			diagonal = row[i + 1];
			if (row[i] + 1 < cost)
				cost = row[i] + 1;
			if (diagonal + 1 < cost)
				cost = diagonal + 1;
			row[i + 1] = cost;
		}
	}
	return row[a_len];
}

const char *rtap_nearest_key(const char *name, const char *section, char *buf, size_t size) {
	const struct rtap_config_key *nearest = NULL;
	size_t len = strnlen(name, MAX_COMPARED);
	unsigned int least = UINT32_MAX;

	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		const struct rtap_config_key *key = &rtap_config_keys[i];
		unsigned int distance;

		if (rtap_config_key_name(key, section, buf, size) == NULL)
			continue;
		distance = edit_distance(name, len, buf);
		if (distance < least) {
			least = distance;
			nearest = key;
		}
	}
	if (nearest == NULL)
		return NULL;
	rtap_config_key_name(nearest, section, buf, size);
	return least <= strlen(buf) / 2 ? buf : NULL;
}
