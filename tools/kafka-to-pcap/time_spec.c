// SPDX-License-Identifier: BSD-3-Clause
// A moment as a user writes it: RFC 3339 in UTC, seconds since the epoch, or so long before now.

#include "time_spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

static bool is_digit(char c) {
	return isdigit((unsigned char)c) != 0;
}

// Read the digits at *text, which moves past them.
static int parse_digits(const char **text, uint64_t max, uint64_t *value) {
	const char *p = *text;

	if (!is_digit(*p))
		return -EINVAL;
	for (*value = 0; is_digit(*p); p++) {
		*value = *value * 10 + (uint64_t)(*p - '0');
		if (*value > max)
			return -EINVAL;
	}
	*text = p;
	return 0;
}

// A fraction at *text if there is one, up to the nanosecond.
static int parse_fraction(const char **text, uint64_t *ns) {
	const char *p = *text;
	uint64_t unit = RTAP_SECOND_NS;

	*ns = 0;
	if (*p != '.')
		return 0;
	for (p++; is_digit(*p) && unit > 1; p++) {
		unit /= 10;
		*ns += unit * (uint64_t)(*p - '0');
	}
	if (unit == RTAP_SECOND_NS || is_digit(*p))
		return -EINVAL;
	*text = p;
	return 0;
}

static int parse_epoch(const char *text, uint64_t *time_ns) {
	uint64_t s, ns;

	if (parse_digits(&text, UINT32_MAX, &s) < 0 || parse_fraction(&text, &ns) < 0
	    || *text != '\0')
		return -EINVAL;
	*time_ns = s * RTAP_SECOND_NS + ns;
	return 0;
}

static int parse_ago(const char *text, uint64_t now_ns, uint64_t *time_ns) {
	static const char units[] = "smhd";
	static const uint64_t unit_s[] = {1, 60, 3600, 86400};
	const char *unit;
	uint64_t n;

	text++; // the minus
	if (parse_digits(&text, UINT32_MAX, &n) < 0 || *text == '\0' || text[1] != '\0')
		return -EINVAL;
	unit = strchr(units, *text);
	if (unit == NULL)
		return -EINVAL;
	n *= unit_s[unit - units];
	if (n > now_ns / RTAP_SECOND_NS)
		return -EINVAL;
	*time_ns = now_ns - n * RTAP_SECOND_NS;
	return 0;
}

// timegm() takes the 31st of February for a day in March.
static bool is_same_day(const struct tm *a, const struct tm *b) {
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday;
}

static int parse_fields(const char *text, struct tm *tm) {
	int *const fields[] = {&tm->tm_year, &tm->tm_mon, &tm->tm_mday,
			       &tm->tm_hour, &tm->tm_min, &tm->tm_sec};
	static const char after[] = "--T::";
	static const uint64_t max[] = {9999, 12, 31, 23, 59, 59};
	uint64_t value;

	for (int i = 0; i < 6; i++) {
		const char *begin = text;

		if (parse_digits(&text, max[i], &value) < 0 || text - begin != (i == 0 ? 4 : 2))
			return -EINVAL;
		if (i < 5 && toupper((unsigned char)*text++) != after[i])
			return -EINVAL;
		*fields[i] = (int)value;
	}
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return 0;
}

static int parse_date(const char *text, uint64_t *time_ns) {
	struct tm tm = {0}, same;
	const char *rest = text + strlen("2026-11-25T03:00:00");
	uint64_t ns;
	time_t s;

	if (parse_fields(text, &tm) < 0 || parse_fraction(&rest, &ns) < 0
	    || (strcmp(rest, "Z") != 0 && strcmp(rest, "z") != 0))
		return -EINVAL;
	same = tm;
	s = timegm(&same);
	if (!is_same_day(&tm, &same) || s < 0 || s > UINT32_MAX)
		return -EINVAL;
	*time_ns = (uint64_t)s * RTAP_SECOND_NS + ns;
	return 0;
}

int time_spec_parse(const char *text, uint64_t now_ns, uint64_t *time_ns) {
	if (*text == '-')
		return parse_ago(text, now_ns, time_ns);
	if (strchr(text, ':') != NULL)
		return parse_date(text, time_ns);
	return parse_epoch(text, time_ns);
}
