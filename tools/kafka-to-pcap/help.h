// SPDX-License-Identifier: BSD-3-Clause
// Print what --help says; the man page is made of it.

#pragma once

#define HELP_DEFAULT_WINDOW_MS 1000
#define HELP_DEFAULT_TIMEOUT_S 30
#define HELP_DEFAULT_MARGIN_S 10

void help_print(void);
