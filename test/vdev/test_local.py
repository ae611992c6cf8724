#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Capture from taps, files and interfaces of the kernel, byte for byte, into a real Kafka.

    test_local.py [--short | PART...]    default: all parts

Prints TAP. The programs are those of $RINGTAP_BUILD (default: build/). Needs root.
"""

import re
import socket
import struct
import sys

from vdev_lab import COUNT, TOPIC, capturing, run_parts

from verdicts import EXIT, lines, run
from lab import INTERFACE, read_pcap, wait_for

AF_XDP = 44
PCAP_HEADER = struct.Struct("<I2HiI2I")
MAXIMUM_SNAPLEN = 262144  # libpcap's
LARGE = 70_000
# What net_af_packet of DPDK 22.11 gives unchanged: it makes 802.1Q of 802.1ad (qinq) and has the
# kernel reassemble IPv4 fragments (frag4).
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
        # Slow frames take a block of libpcap's ring each, and 33 fill it. Fast ones share blocks.
        capture.send("vpcapp", rate=0)
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


def pcap_large_record(tap, lab):
    """A record that no packet's 16 bits of length take; net_pcap gives it a wrong one."""
    path = lab.frames_in_file(lab.directory / "large.pcap")
    frames, record = frames_of(path), LARGE * b"."
    with open(path, "ab") as f:
        f.write(struct.pack("<4I", 1_800_000_000, 0, len(record), len(record)) + record)
    more = lab.frames_in_file(lab.directory / "more.pcap")
    with open(path, "ab") as f:
        f.write(more.read_bytes()[PCAP_HEADER.size:])
    with open(path, "r+b") as f:
        magic, *fields, _, link = PCAP_HEADER.unpack(f.read(PCAP_HEADER.size))
        f.seek(0)
        f.write(PCAP_HEADER.pack(magic, *fields, MAXIMUM_SNAPLEN, link))
    with capturing(tap, lab, ", net_pcap with a record of 70,000 bytes",
                   devices=f"net_pcap0,rx_pcap={path}") as capture:
        capture.sent, capture.malformed = frames + frames_of(more), 1


def null_beyond_its_buffer(tap, lab, note=", net_null with packets that no buffer holds"):
    lab.write_config({"topic": TOPIC, "receive-queues": 1, "buffer-memory": "32MiB",
                      "devices": "net_null0,size=3000,copy=0"})
    primary, secondary = lab.start_primary(), lab.start_secondary(1)
    wait_for(lambda: lab.stats()["queues"][0]["received"] > 10 * COUNT, "packets", 20)
    stats = lab.stats()
    tap.equal((stats["balance"]["rx"]["out"], stats["balance"]["kaf"]["in"]), (0, 0),
              f"nothing goes on{note}")
    tap.ok(stats["queues"][0]["malformed"] > 10 * COUNT, f"all are counted{note}", stats)
    code, text = lab.check()
    tap.ok(code == 0, f"stats-tool --check: every law holds{note}", text)
    tap.equal((lab.stop_secondary(secondary), lab.stop_primary()), (0, 0),
              f"secondary and primary end with 0{note}")
    tap.ok("mempool whole" in primary.log(), f"the mempool is whole{note}", primary.log()[-1000:])
    tap.none(lab.new_frames(), f"nothing is in Kafka{note}")


def fewer_queues_are_refused(tap, lab):
    """Packets of a queue that no worker reads would be lost, and no counter would show it."""
    lab.make_veth("vfew")
    files = [lab.frames_in_file(lab.directory / f"few{number}.pcap") for number in range(2)]
    for devices in ("net_af_packet0,iface=vfew,qpairs=2",
                    ",".join(["net_pcap0", *(f"rx_pcap={path}" for path in files)])):
        lab.write_config({"devices": devices, "receive-queues": 1, "buffer-memory": "32MiB"})
        outcome = run("ip", "netns", "exec", lab.name,
                      lab.program("capture-primary", "capture-primary"), "-c", lab.config_path,
                      timeout=10)
        said = lines(outcome.err, "error")
        tap.ok(outcome.code in (EXIT["CONFIG"], EXIT["PORT"]) and len(said) == 1
               and re.search(r"receive-queues.*\b2\b", said[0]),
               f"2 queues of the device, receive-queues 1: refused, {devices.split(',')[0]}",
               f"exit {outcome.code}\n{outcome.err[-2000:]}")
    lab.delete_link("vfew")


def af_packet_sized_by_mtu(tap, lab):
    lab.make_veth("vsized", 9000)
    with capturing(tap, lab, ", net_af_packet sized by the interface's MTU", mbuf_data_room=16640,
                   devices="net_af_packet0,iface=vsized,framecnt=1024") as capture:
        capture.send("vsizedp", "--kinds", KINDS, max_frame=9014)
    lab.delete_link("vsized")


def bonding(tap, lab):
    """Members are ports, too, but the bond's."""
    devices = ["net_tap0,iface=member0", "net_tap1,iface=member1",
               "net_bonding0,mode=0,slave=net_tap0,slave=net_tap1"]
    with capturing(tap, lab, ", net_bonding of two taps", devices=devices, mtu=1500) as capture:
        for member in "member0", "member1":
            lab.in_namespace("ip", "link", "set", member, "mtu", 9014, "up")
        for member in "member0", "member1":
            capture.send(member)
        capture.drain()
        tap.equal(len(capture.stats["ports"]), 1, "the bond's members are no ports of the capture")


ALL = (tap_one_queue, tap_four_queues, pcap_file, pcap_two_files, pcap_interface, af_packet,
       af_packet_two_pairs, af_packet_jumbo, af_xdp, bonding_by_mask, bonding,
       pcap_large_record, null_beyond_its_buffer, fewer_queues_are_refused, af_packet_sized_by_mtu)
SHORT = tuple(part for part in ALL if part is not af_xdp)  # a kernel may be without it


if __name__ == "__main__":
    sys.exit(run_parts("rtvdev", ALL, SHORT, sys.argv[1:]))
