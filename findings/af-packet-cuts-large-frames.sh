#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# net_af_packet cuts frames and counts them as whole ones.
#
# DPDK 22.11.11 (Debian 12). A veth of MTU 9000, the driver with its default arguments: of each
# frame of 3000 bytes 1982 arrive, that is framesz (2048) less the header of the ring. The driver
# takes the ring's tp_snaplen as the length (drivers/net/af_packet/rte_eth_af_packet.c,
# eth_af_packet_rx) and never looks at tp_len, so no packet counts as an error, a drop or a large
# one. One would have sworn that a frame is whole, or refused, or counted. Remedy: framesz and
# blocksz above the MTU, and an mbuf data room as large.
#
# Seen: 50 frames of 3000 bytes sent; RX-packets 50, RX-bytes 99100 (50 of 1982), RX-errors 0

source "$(dirname "${BASH_SOURCE[0]}")/_init.sh"

sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link add finding0 mtu 9000 type veth peer name finding1 mtu 9000
ip link set finding0 up
testpmd capture --vdev=net_af_packet0,iface=finding0 -- --forward-mode=rxonly
send finding1 50 3000
got="RX-packets $(port_counter capture 0 RX-packets), RX-bytes $(port_counter capture 0 RX-bytes)"
got+=", RX-errors $(port_counter capture 0 RX-errors)"
echo "50 frames of 3000 bytes sent; $got"
[ "$got" = "RX-packets 50, RX-bytes 99100, RX-errors 0" ] || fail "$got"
