// SPDX-License-Identifier: BSD-3-Clause
// --check: verify the laws between the counters of an instance.

#pragma once

#include "exit_code.h"
#include "view.h"

#include <stdio.h>

// Judge every law and print each violated one, and a last line with the number of laws that hold,
// are violated, and could not be judged because their words never stood still. Takes 0.2 s, longer
// while one does not hold. `live` are the mapped counters that `view` was taken of. Returns the
// program's exit code.
enum rtap_exit_code
check_laws(FILE *out, const struct view *view, const struct rtap_counters *live);
