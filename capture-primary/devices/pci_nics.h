// SPDX-License-Identifier: BSD-3-Clause
// Describe the PCI network devices of this machine and their kernel drivers, from sysfs, for
// messages.

#pragma once

// "0000:03:00.0 (ixgbe), 0000:03:00.1 (vfio-pci)", or "none". Static buffer, one thread.
const char *pci_nics_describe(void);

// NUMA node of a PCI device, 0 when it has none or is not there.
unsigned int pci_nics_node(const char *address);
