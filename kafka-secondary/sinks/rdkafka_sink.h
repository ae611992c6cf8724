// SPDX-License-Identifier: BSD-3-Clause
// The sink that carries messages with librdkafka: one producer, and a second one for messages that
// are to be sent alone, once there is one.

#pragma once

#include "sink.h"

// `*setup` is copied; what it points to outlives the sink. NULL with `why` set.
struct sink *rdkafka_sink_create(const struct sink_setup *setup, char *why, size_t why_size);
