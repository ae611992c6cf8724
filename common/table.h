// SPDX-License-Identifier: BSD-3-Clause
// Print the table of an instance, the same in the primary's log, its final balance and stats-tool.

#pragma once

#include "balance.h"

#include <stdio.h>

// Print header and four rows; below them what was filtered and what was sent again, when there is
// any. Write errors are left in `out` (ferror).
void rtap_table_print(FILE *out, const struct rtap_balance *balance);

// The same columns in packets/s between two balances, `seconds` apart (> 0); "-" for queued, which
// is a level.
void rtap_table_print_rates(
	FILE *out, const struct rtap_balance *now, const struct rtap_balance *before, double seconds
);

// Print what every figure means.
void rtap_table_explain(FILE *out);
