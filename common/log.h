// SPDX-License-Identifier: BSD-3-Clause
// Log lines on stderr: one line, one write(2), no lock. Never called in the packet path.

#pragma once

#include "attributes.h"
#include "now.h"

#include <stdbool.h>
#include <stdint.h>

enum rtap_log_level {
	RTAP_LOG_ERR,
	RTAP_LOG_WARNING,
	RTAP_LOG_NOTICE,
	RTAP_LOG_INFO,
	RTAP_LOG_DEBUG,
};

// Name printed in each line ("capture-primary", "kafka-secondary"); a worker appends its own.
// The string is copied. Not thread-safe: call it before any thread starts.
void rtap_log_init(const char *program, enum rtap_log_level level);
enum rtap_log_level rtap_log_level(void);

// Write `TIME program[pid] LEVEL type: text`. A newline is added; longer lines than 2 KiB are cut.
// Never waits: a line that stderr does not take at once is lost. Any thread; keeps errno.
void rtap_log_write(enum rtap_log_level level, const char *type, const char *fmt, ...)
	RTAP_PRINTF(3, 4);

// One log type per file: `#define LOG_TYPE "rx"` before the first LOG().
#define LOG(level, ...)                                                                            \
	do {                                                                                       \
		if (RTAP_LOG_##level <= rtap_log_level())                                          \
			rtap_log_write(RTAP_LOG_##level, LOG_TYPE, __VA_ARGS__);                   \
	} while (0)

// The interval for a warning that a lasting condition repeats.
#define RTAP_LOG_AGAIN_NS (60 * RTAP_SECOND_NS)

// A rate limit that says what it hid. One per call site and thread, zero-initialised.
struct rtap_log_limit {
	uint64_t last_ns;
	uint64_t hidden;
};

// True when `interval_ns` has passed since the last true; *hidden is what was held back since then.
bool rtap_log_limit_pass(
	struct rtap_log_limit *limit, uint64_t now_ns, uint64_t interval_ns, uint64_t *hidden
);
