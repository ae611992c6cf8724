// SPDX-License-Identifier: BSD-3-Clause
// A symmetric software hash of a packet's flow: both directions of a flow have the same value.
//
// Over addresses, protocol and ports (TCP, UDP, SCTP); over addresses and protocol only for every
// fragment of a fragmented packet, the first one included, so that they stay together. VLAN and
// QinQ tags are skipped, tunnels and MPLS go by their outer header. Frames that are not IP: over
// the MAC addresses and the type. It needs no device and no key, so it is the same on every
// machine.

#pragma once

#include <stdint.h>

// `frame` is the first segment of a packet, `len` its length; what is not in it counts as absent.
// Any bytes are fine. Pure; any thread.
//
// All bits are equally good, but two choices by the same bits are one choice: the ring goes by the
// low half, the partition within the ring's set by the high bits.
uint32_t rtap_flow_hash(const void *frame, uint32_t len);
