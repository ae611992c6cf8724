// SPDX-License-Identifier: BSD-3-Clause
// Make packet memory and EAL's shared files read-only in a worker, so that a stray write of any
// library crashes this worker and never changes a packet or takes a lock.

#pragma once

#include "instance.h"
#include "shm_check.h"

#include <rte_mbuf.h>

// A worker never takes, gives back or changes a packet: these calls do not compile here. (Lists end
// at what a worker could be tempted by; the pool has no operations in this process anyway.)
#pragma GCC poison rte_pktmbuf_free rte_pktmbuf_free_bulk rte_pktmbuf_free_seg rte_mbuf_raw_free
#pragma GCC poison rte_pktmbuf_alloc rte_pktmbuf_alloc_bulk rte_mbuf_raw_alloc rte_pktmbuf_clone
#pragma GCC poison rte_pktmbuf_copy rte_pktmbuf_chain rte_pktmbuf_linearize rte_pktmbuf_adj
#pragma GCC poison rte_pktmbuf_trim rte_pktmbuf_append rte_pktmbuf_prepend rte_mempool_put
#pragma GCC poison rte_mempool_put_bulk rte_mempool_get rte_mempool_get_bulk rte_eal_cleanup

// Protect every shared mapping of hugepages and of EAL's runtime directory, except the control
// zones. Call it after the fork. Returns the number of mappings protected, or a negative errno.
int packet_guard_protect(const struct shm_zones *zones, const struct rtap_instance *inst);
