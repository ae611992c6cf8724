// SPDX-License-Identifier: BSD-3-Clause
// The mempool of a NUMA node: every packet's buffers, owned by the primary alone.

#pragma once

#include "config.h"
#include "sizing.h"

struct rte_mempool;

// Create it, as large as `s` says. NULL with the reason logged.
struct rte_mempool *
packet_pool_create(const struct sizing *s, unsigned int node, const struct rtap_config *cfg);
