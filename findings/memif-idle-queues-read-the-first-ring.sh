#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A memif server with more receive queues than its client has gets packets that were never sent.
#
# DPDK 22.11.11 (Debian 12). The client says how many rings there are. A queue of the server beyond
# them keeps ring offset 0 and ring size 1 from its allocation, and eth_memif_rx
# (drivers/net/memif/rte_eth_memif.c) asks only whether the port is connected: such a
# queue gives, for each packet in the first ring, what lies in descriptor 0 at that time. The port's
# statistics sum over the connection's rings alone and look right. One would have sworn that a queue
# without a ring stays empty. Remedy: as many receive queues as the client has.
#
# Seen: 100 frames sent; each of the queues 0 to 3 gives RX-packets: 100; the port counts 100

source "$(dirname "${BASH_SOURCE[0]}")/_init.sh"

sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
testpmd server --vdev=net_memif0,role=server,socket=finding -- --rxq=4 --txq=4 --forward-mode=rxonly
testpmd client --vdev=net_tap0,iface=finding0 --vdev=net_memif0,role=client,socket=finding --
send finding0 100 200
counted=$(port_counter server 0 RX-packets)
# testpmd's totals are the port's; its streams are what it received itself.
received=$(say server stop | grep -A 1 'Forward Stats for RX' | grep -o 'RX-packets: [0-9]*' | tr '\n' ' ')
echo "100 frames sent; queues 0 to 3: $received; the port: $counted"
[ "$received" = "RX-packets: 100 RX-packets: 100 RX-packets: 100 RX-packets: 100 " ] \
	&& [ "$counted" = 100 ] || fail "$received; $counted"
