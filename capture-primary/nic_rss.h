// SPDX-License-Identifier: BSD-3-Clause
// RSS of a port: a key that gives both directions of a flow one hash, and what is in force of it.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NIC_RSS_KEY_MAX 64 // bytes

// Fill `key` so that swapping source and destination leaves the hash as it is.
void nic_rss_symmetric_key(uint8_t *key, uint8_t len);

// The functions that we ask for.
uint64_t nic_rss_functions(void);

// Log what the device says is in force, not what was asked for. Returns whether both directions of a flow
// share a hash for certain.
bool nic_rss_report(uint16_t port_id, uint16_t nb_queues, uint8_t key_len);
