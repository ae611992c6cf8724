#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The first process of the guest: what a boot of Debian would have done, then a shell for the test.
# shellcheck disable=SC2154
# Environment: kernel, a folder with lib/modules in it; kafka_nic, the PCI address of the NIC to the
# host; kafka_port, where Kafka listens there and shall seem to listen here.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
mkdir -p /dev/hugepages /lib/modules
mount -t hugetlbfs huge /dev/hugepages
mount --bind "$kernel/lib/modules" /lib/modules
hostname guest
ip link set lo up
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 # the kernel would send frames of its own

modprobe virtio_net
interface=$(ls "/sys/bus/pci/devices/$kafka_nic/"virtio*/net)
ip address add 10.0.2.15/24 dev "$interface"
ip link set "$interface" up
ip route add default via 10.0.2.2
busybox nc -ll -p "$kafka_port" -e busybox nc 10.0.2.2 "$kafka_port" &

# Each line is a command. By a pipe: a shell on a terminal would prompt.
exec </dev/ttyS1 >/dev/ttyS1 2>&1
stty raw -echo
echo ready
cat | sh
