// SPDX-License-Identifier: BSD-3-Clause
// A client whom an ACL denies something: say so, wait, try again. A client that is denied its
// producer id is dead, and so would be that of the next worker: this worker waits with its rings,
// and another client asks again.

#pragma once

#include "rdkafka_producer.h"

// Whether the client is dead because it was denied its producer id.
bool rdkafka_denied_id(const struct rdkafka_producer *p);

// It is: from now on rdkafka_denied_replace_if_due() is to be called instead of sending.
void rdkafka_denied_begin(struct rdkafka_producer *p);

// An error of a message; a missing WRITE is said.
void rdkafka_denied_note(struct rdkafka_producer *p, rd_kafka_resp_err_t err);

// A message was delivered.
void rdkafka_denied_end(struct rdkafka_producer *p);

// Replace the client once it has no message any more and its time is over.
void rdkafka_denied_replace_if_due(struct rdkafka_producer *p);
