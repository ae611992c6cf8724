#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Capture from taps, files and interfaces of the kernel, byte for byte, into a real Kafka.

    test_local.py [--short | PART...]    default: all parts

Prints TAP. The programs are those of $RINGTAP_BUILD (default: build/). Needs root.
"""

import socket
import sys

from vdev_lab import COUNT, capturing, run_parts

from lab import INTERFACE, read_pcap

AF_XDP = 44
# What a packet socket gives unchanged: net_af_packet of DPDK 22.11 makes 802.1Q of 802.1ad (qinq) and
# has the kernel reassemble IPv4 fragments (frag4).
KINDS = "arp,tcp4,udp4,sctp4,icmp4,tcp6,udp6,sctp6,icmp6,vlan,mpls,frag6,runt,badsum"


def frames_of(*paths):
    return [frame for path in paths for _, frame in read_pcap(path)]


def tap_one_queue(tap, lab):
    with capturing(tap, lab, ", net_tap", devices=f"net_tap0,iface={INTERFACE}") as capture:
        capture.send(INTERFACE, max_frame=9014)


def tap_four_queues(tap, lab, note=", net_tap of four queues"):
    with capturing(tap, lab, note, devices=f"net_tap0,iface={INTERFACE}",
                   receive_queues=4) as capture:
        capture.send(INTERFACE, max_frame=9014)
        capture.drain()
        received = [queue["received"] for queue in capture.stats["queues"]]
        tap.ok(min(received) > 0, f"every queue had its share{note}", received)


def pcap_file(tap, lab):
    path = lab.frames_in_file(lab.directory / "one.pcap", COUNT, "--max-frame", 9014)
    with capturing(tap, lab, ", net_pcap of a file",
                   devices=f"net_pcap0,rx_pcap={path}") as capture:
        capture.sent = frames_of(path)


def pcap_two_files(tap, lab):
    paths = [lab.frames_in_file(lab.directory / f"{name}.pcap") for name in ("first", "second")]
    devices = ",".join(["net_pcap0", *(f"rx_pcap={path}" for path in paths)])
    with capturing(tap, lab, ", net_pcap of two files", devices=devices,
                   receive_queues=2) as capture:
        capture.sent = frames_of(*paths)


def pcap_interface(tap, lab):
    lab.make_veth("vpcap")
    with capturing(tap, lab, ", net_pcap of an interface",
                   devices="net_pcap0,iface=vpcap") as capture:
        capture.send("vpcapp")
    lab.delete_link("vpcap")


def af_packet(tap, lab):
    lab.make_veth("vpacket")
    with capturing(tap, lab, ", net_af_packet",
                   devices="net_af_packet0,iface=vpacket,framecnt=1024") as capture:
        capture.send("vpacketp", "--kinds", KINDS)
    lab.delete_link("vpacket")


def af_packet_two_pairs(tap, lab, note=", net_af_packet of two pairs"):
    lab.make_veth("vpairs")
    with capturing(tap, lab, note, devices="net_af_packet0,iface=vpairs,qpairs=2,framecnt=1024",
                   receive_queues=2) as capture:
        capture.send("vpairsp", "--kinds", KINDS)
        capture.drain()
        received = [queue["received"] for queue in capture.stats["queues"]]
        tap.ok(min(received) > 0, f"every queue had its share{note}", received)
    lab.delete_link("vpairs")


def af_packet_jumbo(tap, lab):
    lab.make_veth("vjumbo", 9000)
    devices = "net_af_packet0,iface=vjumbo,blocksz=65536,framesz=16384,framecnt=1024"
    with capturing(tap, lab, ", net_af_packet of large frames", devices=devices,
                   mbuf_data_room=16640) as capture:
        capture.send("vjumbop", "--kinds", KINDS, max_frame=9014)
    lab.delete_link("vjumbo")


def af_xdp(tap, lab):
    try:
        socket.socket(AF_XDP, socket.SOCK_RAW).close()
    except OSError as error:
        tap.ok(True, f"net_af_xdp # SKIP no XDP sockets in this kernel: {error}")
        return
    # The driver leaves the buffers of its fill ring, XSK_RING_CONS__DEFAULT_NUM_DESCS, behind.
    lab.make_veth("vxdp")
    with capturing(tap, lab, ", net_af_xdp", devices="net_af_xdp0,iface=vxdp",
                   kept=2048) as capture:
        capture.send("vxdpp")
    lab.delete_link("vxdp")


def bonding_by_mask(tap, lab, note=", net_bonding of two taps, port-mask"):
    devices = ["net_tap0,iface=member0", "net_tap1,iface=member1",
               "net_bonding0,mode=0,slave=net_tap0,slave=net_tap1"]
    with capturing(tap, lab, note, devices=devices, port_mask=4, mtu=1500) as capture:
        for member in "member0", "member1":
            lab.in_namespace("ip", "link", "set", member, "mtu", 9014, "up")
        for member in "member0", "member1":
            capture.send(member)


ALL = (tap_one_queue, tap_four_queues, pcap_file, pcap_two_files, pcap_interface, af_packet,
       af_packet_two_pairs, af_packet_jumbo, af_xdp, bonding_by_mask)
SHORT = tuple(part for part in ALL if part is not af_xdp)  # a kernel may be without it


if __name__ == "__main__":
    sys.exit(run_parts("rtvdev", ALL, SHORT, sys.argv[1:]))
