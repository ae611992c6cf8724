// SPDX-License-Identifier: BSD-3-Clause
// Numbers among the properties of librdkafka, which takes them as far as it can read them.

#pragma once

#include <stddef.h>

// Whether `taken`, what librdkafka says that a property is after it was set to `text`, is that number; what
// is text rather than a number is right. Returns 0; -EINVAL with `why` set, which has neither name nor `text`.
int rtap_kept_number_check(const char *text, const char *taken, char *why, size_t size);
