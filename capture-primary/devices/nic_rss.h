// SPDX-License-Identifier: BSD-3-Clause
// Configure a port's RSS: a key that gives both directions of a flow one hash, and report what is
// in force.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NIC_RSS_KEY_MAX 64 // bytes

// Fill `key` so that swapping source and destination leaves the hash as it is.
void nic_rss_symmetric_key(uint8_t *key, uint8_t len);

// The RSS functions to ask for.
uint64_t nic_rss_functions(void);

// Log what the device says is in force, not what was asked for. Returns whether both directions of
// a flow certainly share a hash.
bool nic_rss_report(uint16_t port_id, uint16_t nb_queues, uint8_t key_len);
