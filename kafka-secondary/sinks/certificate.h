// SPDX-License-Identifier: BSD-3-Clause
// Read the subject of a client certificate.

#pragma once

#include <stddef.h>

// The subject of the first certificate of a PEM file, as Kafka names a principal: "CN=probe,O=lab".
// 0 or -EINVAL.
int certificate_subject(const char *path, char *subject, size_t size);
