// SPDX-License-Identifier: BSD-3-Clause
// Compiler attributes under short names.

#pragma once

#define RTAP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define RTAP_CACHE_ALIGNED __attribute__((aligned(64)))
#define RTAP_NORETURN __attribute__((noreturn))
