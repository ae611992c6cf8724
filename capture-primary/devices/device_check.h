// SPDX-License-Identifier: BSD-3-Clause
// Check the devices of a configuration before EAL starts: files, interfaces and link types that are
// wrong, and sizes with which a driver would cut or mix up frames. Changes nothing on the machine.

#pragma once

#include "config.h"
#include "exit_code.h"

#include <stdint.h>

// Check each device, and add to its entry in cfg->devices the arguments for which the driver's
// defaults are too small: framesz and blocksz of net_af_packet, bsize of net_memif. Returns 0, or a
// negative errno with *exit set and one line logged that names the device, what is wrong and the
// remedy.
int device_check(struct rtap_config *cfg, enum rtap_exit_code *exit);

// Length of a frame that the device may have cut without counting it, from its arguments after
// device_check(); 0 when its driver cuts none. A VLAN tag that net_af_packet put back
// (RTE_MBUF_F_RX_VLAN) comes on top.
uint32_t device_check_cut_bytes(const char *device);
