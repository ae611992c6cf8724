// SPDX-License-Identifier: BSD-3-Clause
// List the counters of each struct of the counters file as rows, made from counters.def.

#pragma once

#include "counters.h"

#include <stdbool.h>
#include <stddef.h>

struct field {
	const char *name, *unit, *help;
	size_t offset; // of its word in the struct
	bool gauge;
};

struct field_list {
	const char *title; // key of its array in the JSON output
	const struct field *fields;
	size_t nb_fields;
};

extern const struct field_list fields_instance; // of struct rtap_counters_header
extern const struct field_list fields_port;
extern const struct field_list fields_queue;
extern const struct field_list fields_ring; // both sides
extern const struct field_list fields_worker; // of struct rtap_slot_counters

// The value of a field of `base`, a struct of the kind that the list is for.
static inline uint64_t field_get(const struct field *f, const void *base) {
	return rtap_counter_get((const rtap_counter_t *)((const char *)base + f->offset));
}

// For a snapshot of one's own, or the word's one writer.
static inline void field_set(const struct field *f, void *base, uint64_t value) {
	rtap_counter_set((rtap_counter_t *)((char *)base + f->offset), value);
}
