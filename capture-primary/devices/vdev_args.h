// SPDX-License-Identifier: BSD-3-Clause
// Parse the name and the arguments of a device of the configuration ("net_pcap0,rx_pcap=a.pcap").
// Pure: needs no EAL, opens nothing.

#pragma once

#include <stdbool.h>
#include <stddef.h>

// Room for the name of a kernel interface.
#define VDEV_INTERFACE_SIZE 64

// Whether a device belongs to a driver ("net_pcap"): by the beginning of its name, as EAL finds the
// driver of a vdev; EAL's older names (eth_pcap0, eth_bond0) are the same driver.
bool vdev_args_driver_is(const char *device, const char *driver);

// The value of the n-th argument (from 0) with this key, "" for a key without "=". Returns 0;
// -ENOENT when there are fewer; -ENOSPC when it does not fit into `size` bytes; -EINVAL when EAL
// would not understand the arguments; -ENOMEM. On an error *value is "".
int vdev_args_get(const char *device, const char *key, unsigned int n, char *value, size_t size);

// The number that an argument is, in decimal. Returns 0; -ENOENT when the key is not there; -EINVAL
// for anything that is no number from 0 to UINT32_MAX. On an error *number is as it was.
int vdev_args_number(const char *device, const char *key, unsigned int *number);

// The kernel interface that a device captures from; "" when it has none, or the kernel chooses its
// name. net_pcap may have several, one for each queue: this is the first one. Errors as
// vdev_args_get(), without -ENOENT.
int vdev_args_interface(const char *device, char *name, size_t size);
