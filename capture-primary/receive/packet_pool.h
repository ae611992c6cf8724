// SPDX-License-Identifier: BSD-3-Clause
// Create the mempool of a NUMA node: the buffers of every packet, owned by the primary alone.

#pragma once

#include "config.h"
#include "sizing.h"

struct rte_mempool;

// Create it, as large as `s` says. Returns NULL with the reason logged on failure.
struct rte_mempool *
packet_pool_create(const struct sizing *s, unsigned int node, const struct rtap_config *cfg);
