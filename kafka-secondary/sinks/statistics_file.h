// SPDX-License-Identifier: BSD-3-Clause
// librdkafka's statistics, one JSON object a line, appended to the file of `kafka.statistics-file`.
// All workers of a secondary write to it, each line with one write(2). The user's logrotate may
// move it away: SIGHUP makes workers open it again.

#pragma once

#include "run_as.h"

// Open `path` for appending, mode 0640; "" = no statistics. The file becomes that of `who`, who has
// to open it again; so does what logrotate creates in its place. `worker` is the number that lines
// are marked with. What is no regular file is left alone, which is logged: no statistics. SIGHUP is
// taken from here on. Returns 0 or a negative errno.
int statistics_file_open(const char *path, unsigned int worker, const struct run_as *who);

// Append librdkafka's object `json` with the members "worker" and "pid" put in front of its own,
// which name the connection ("name") and its brokers. A line that cannot be written is lost, which
// is logged once a minute.
void statistics_file_write(const char *json);

// After SIGHUP: open the file again. Keeps the old one, and says so, when that fails.
void statistics_file_reopen_if_asked(void);
