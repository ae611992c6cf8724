// SPDX-License-Identifier: BSD-3-Clause
// Log lines on stderr.

#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static char log_program[48] = "ringtap";
static enum rtap_log_level log_level = RTAP_LOG_NOTICE;

static const char *const level_names[] = {
	[RTAP_LOG_ERR] = "error",	[RTAP_LOG_WARNING] = "warning",
	[RTAP_LOG_NOTICE] = "notice",	[RTAP_LOG_INFO] = "info",
	[RTAP_LOG_DEBUG] = "debug",
};

void rtap_log_init(const char *program, enum rtap_log_level level) {
	snprintf(log_program, sizeof(log_program), "%s", program);
	log_level = level;
}

enum rtap_log_level rtap_log_level(void) {
	return log_level;
}

void rtap_log_write(enum rtap_log_level level, const char *type, const char *fmt, ...) {
	int saved_errno = errno;
	struct timespec now;
	struct tm utc;
	char line[2048];
	size_t len;
	va_list ap;
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	len = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &utc);
	n = snprintf(
		line + len, sizeof(line) - len, ".%03ldZ %s[%d] %s %s: ", now.tv_nsec / 1000000,
		log_program, getpid(), level_names[level], type
	);
	len += n > 0 ? (size_t)n : 0;

	va_start(ap, fmt);
	n = vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	va_end(ap);
	len += n > 0 ? (size_t)n : 0;
	if (len > sizeof(line) - 1)
		len = sizeof(line) - 1;
	line[len++] = '\n';

	// A line that cannot be written is lost: there is nowhere to report it.
	n = write(STDERR_FILENO, line, len);
	(void)n;
	errno = saved_errno;
}

bool rtap_log_limit_pass(
	struct rtap_log_limit *limit, uint64_t now_ns, uint64_t interval_ns, uint64_t *hidden
) {
	if (limit->last_ns != 0 && now_ns - limit->last_ns < interval_ns) {
		limit->hidden++;
		return false;
	}
	*hidden = limit->hidden;
	limit->hidden = 0;
	limit->last_ns = now_ns;
	return true;
}
