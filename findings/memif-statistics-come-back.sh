#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The statistics of a memif are 0 while the peer is away, and come back with it.
#
# DPDK 22.11.11 (Debian 12). memif_stats_get (drivers/net/memif/rte_eth_memif.c) sums over the rings
# of the connection. Without one there are none, but each queue keeps its count, so that the
# old sum is there again at the next connection. Who takes a counter that falls for one that was
# reset counts everything once more after each reconnect. One would have sworn that ipackets either
# goes on or begins again.
#
# Seen: RX-packets 100 with the peer, 0 without it, 100 with the next one, 150 after 50 more

source "$(dirname "${BASH_SOURCE[0]}")/_init.sh"

sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
testpmd server --vdev=net_memif0,role=server,socket=finding -- --forward-mode=rxonly
testpmd first --vdev=net_tap0,iface=finding0 --vdev=net_memif0,role=client,socket=finding --
send finding0 100 200
got=$(port_counter server 0 RX-packets)
kill -KILL "${first_pid:?}"
sleep 1
got+=" $(port_counter server 0 RX-packets)"
testpmd second --vdev=net_tap0,iface=finding0 --vdev=net_memif0,role=client,socket=finding --
got+=" $(port_counter server 0 RX-packets)"
send finding0 50 200
got+=" $(port_counter server 0 RX-packets)"
echo "RX-packets with the peer, without it, with the next one, after 50 more: $got"
[ "$got" = "100 0 100 150" ] || fail "$got"
