// SPDX-License-Identifier: BSD-3-Clause
// counters.def as tables.

#include "fields.h"

#define FIELD(type, name, unit, help, gauge) {#name, unit, help, offsetof(type, name), gauge},
#define LIST(title, fields)                                                                        \
	{ title, fields, sizeof(fields) / sizeof((fields)[0]) }

static const struct field instance_fields[] = {
#define RTAP_INSTANCE_COUNTER(name, unit, help)                                                    \
	FIELD(struct rtap_counters_header, name, unit, help, false)
#define RTAP_INSTANCE_GAUGE(name, unit, help)                                                      \
	FIELD(struct rtap_counters_header, name, unit, help, true)
#include "counters.def"
};

static const struct field port_fields[] = {
#define RTAP_PORT_COUNTER(name, unit, help)                                                        \
	FIELD(struct rtap_port_counters, name, unit, help, false)
#define RTAP_PORT_GAUGE(name, unit, help) FIELD(struct rtap_port_counters, name, unit, help, true)
#include "counters.def"
};

static const struct field queue_fields[] = {
#define RTAP_QUEUE_COUNTER(name, unit, help)                                                       \
	FIELD(struct rtap_queue_counters, name, unit, help, false)
#define RTAP_QUEUE_GAUGE(name, unit, help) FIELD(struct rtap_queue_counters, name, unit, help, true)
#include "counters.def"
};

static const struct field ring_fields[] = {
#define RTAP_RING_COUNTER(name, unit, help)                                                        \
	FIELD(struct rtap_ring_counters, name, unit, help, false)
#define RTAP_RING_GAUGE(name, unit, help) FIELD(struct rtap_ring_counters, name, unit, help, true)
#define RTAP_OWNER_COUNTER RTAP_RING_COUNTER
#define RTAP_OWNER_GAUGE RTAP_RING_GAUGE
#include "counters.def"
};

static const struct field worker_fields[] = {
#define RTAP_WORKER_COUNTER(name, unit, help)                                                      \
	FIELD(struct rtap_slot_counters, name, unit, help, false)
#define RTAP_WORKER_GAUGE(name, unit, help) FIELD(struct rtap_slot_counters, name, unit, help, true)
#include "counters.def"
};

const struct field_list fields_instance = LIST("instance", instance_fields);
const struct field_list fields_port = LIST("ports", port_fields);
const struct field_list fields_queue = LIST("queues", queue_fields);
const struct field_list fields_ring = LIST("rings", ring_fields);
const struct field_list fields_worker = LIST("workers", worker_fields);
