// SPDX-License-Identifier: BSD-3-Clause
// Check the devices of a configuration before EAL starts: files, interfaces and link types that are
// wrong, and sizes with which a driver would cut or mix up frames. Changes nothing on the machine.

#pragma once

#include "config.h"

#include <stdint.h>

// Check each device, and add to its entry in cfg->devices the arguments for which the driver's
// defaults are too small: framesz and blocksz of net_af_packet, bsize of net_memif. Returns 0, or
// with one line logged that names the device, what is wrong and the remedy: -EINVAL when an entry
// is wrong, -ENODEV when what it names cannot be opened.
int device_check(struct rtap_config *cfg);

// Length of a frame that the device may have cut without counting it, from its arguments after
// device_check(); 0 when its driver cuts none. A VLAN tag that net_af_packet put back
// (RTE_MBUF_F_RX_VLAN) comes on top.
uint32_t device_check_cut_bytes(const char *device);
