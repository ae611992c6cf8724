// SPDX-License-Identifier: BSD-3-Clause
// Log lines on stderr.

#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static char log_program[48] = "ringtap";
static enum rtap_log_level log_level = RTAP_LOG_NOTICE;

static const char *const level_names[] = {
	[RTAP_LOG_ERR] = "error", [RTAP_LOG_WARNING] = "warning", [RTAP_LOG_NOTICE] = "notice",
	[RTAP_LOG_INFO] = "info", [RTAP_LOG_DEBUG] = "debug",
};

void rtap_log_init(const char *program, enum rtap_log_level level) {
	snprintf(log_program, sizeof(log_program), "%s", program);
	log_level = level;
}

enum rtap_log_level rtap_log_level(void) {
	return log_level;
}

// Whoever reads our stderr must not be able to stop a capture: a line that would have to wait is
// lost, and counted in the next one. A pipe that is writable takes a line whole (PIPE_BUF).
static void write_line(const char *line, size_t len) {
	static atomic_uint nb_lost;
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	char note[64];
	unsigned int lost;
	ssize_t n;

	if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) {
		atomic_fetch_add_explicit(&nb_lost, 1, memory_order_relaxed);
		return;
	}
	n = write(STDERR_FILENO, line, len);
	lost = n > 0 ? atomic_exchange_explicit(&nb_lost, 0, memory_order_relaxed) : 0;
	if (lost == 0 || poll(&out, 1, 0) != 1)
		return;
	len = (size_t)snprintf(note, sizeof(note), "(%u lines before this one were lost)\n", lost);
	n = write(STDERR_FILENO, note, len);
	(void)n;
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
		line + len, sizeof(line) - len,
		".%03ldZ %s[%d] %s %s: ", now.tv_nsec / (long)RTAP_MS_NS, log_program, getpid(),
		level_names[level], type
	);
	len += n > 0 ? (size_t)n : 0;

	va_start(ap, fmt);
	n = vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	va_end(ap);
	len += n > 0 ? (size_t)n : 0;
	if (len > sizeof(line) - 1)
		len = sizeof(line) - 1;
	line[len++] = '\n';

	write_line(line, len);
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
