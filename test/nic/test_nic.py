#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Capture from PCI NICs that QEMU emulates, by the commands of ringtap-host(7), into a real Kafka.

    test_nic.py [PART...]    vfio uio rss drops large_pages; default all

Prints TAP. Each part boots a guest with another NIC, takes it from the kernel, captures what comes
on its wire, and gives it back. Kafka runs on the host. Needs root, and no KVM.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import signal
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from tap import (Tap, disordered_packets, ends_in_good_order, same_frames,
                 scattered_flows)
from guest import NIC, Guest
from lab import INTERFACE, JUMBO_MTU, Lab, call, compare, read_pcap, wait_for

COUNT = 4000
PARTITIONS = 16
TUNSETIFF = 0x400454CA
TAP_FLAGS = 0x0002 | 0x0100 | 0x1000 | 0x4000  # IFF_TAP, MULTI_QUEUE, NO_PI, VNET_HDR


class GuestLab(Lab):
    """A laboratory whose programs run in a guest."""

    guest = None

    def start_primary(self, timeout=60):
        program = self.program("capture-primary", "capture-primary")
        self.primary = self.guest.start("capture-primary",
                                        f"{program} -c {self.config_path} --wait")
        self.primary.wait_log(r"ready: ", timeout)
        self.primary.wait_log(r"link up")
        return self.primary

    def start_secondary(self, workers=1, timeout=60):
        program = self.program("kafka-secondary", "kafka-secondary")
        secondary = self.guest.start("kafka-secondary",
                                     f"{program} -c {self.config_path} --workers {workers}")
        self.secondaries.append(secondary)
        secondary.wait_log(r"attached to instance ", timeout)
        return secondary

    def stats_tool(self, *words):
        program = self.program("stats-tool", "stats-tool")
        return self.guest.run(f"{program} -i {self.name} {' '.join(words)}", expect=(0, 1))

    def stats(self):
        return json.loads(self.stats_tool("--json"))

    def start_all(self, topic, **config):
        """A topic, and the programs that bring to it what comes to the NIC."""
        self.create_topic(PARTITIONS, topic)
        self.write_config({"topic": topic, "devices": NIC, "receive-queues": 1, **config})
        return self.start_primary(), self.start_secondary()

    def send(self, seed, count=COUNT, max_frame=9014):
        """Sends frames of all kinds into the NIC, in flows of this seed alone; returns them."""
        path = self.directory / f"sent.{seed}.pcap"
        call(self.tool("traffic-gen"), "--pcap", path, "--count", count,
             "--seed", seed, "--first-flow", 256 * seed, "--max-frame", max_frame)
        frames = [frame for _, frame in read_pcap(path)]
        self.guest.send(frames)
        return frames

    def end(self, tap, note):
        """Stops all in good order; returns the records."""
        text = self.stats_tool("--check")
        tap.ok(re.search(r" 0 violated, 0 not judged", text), f"every law holds{note}", text)
        primary = self.primary
        exits = {"the secondary": self.stop_secondary(self.secondaries[0]),
                 "the primary": self.stop_primary()}
        ends_in_good_order(tap, primary, exits, note)
        return sorted(self.read_topic(), key=lambda r: (r.partition, r.offset))


def state_of_nic(guest):
    """Its interface and its driver, as dpdk-devbind.py has them; '' is none."""
    text = guest.run("dpdk-devbind.py --status-dev net")
    line = re.search(rf"^{NIC} .*$", text, re.M)[0]
    return [*re.findall(r"\bif=(\S+)", line), ""][0], re.search(r"\bdrv=(\S*)", line)[1]


@contextlib.contextmanager
def given_to_dpdk(tap, guest, kernel_driver, driver, note):
    """Takes the NIC from the kernel, as ringtap-host(7) has it, and gives it back."""
    guest.run(f"modprobe {kernel_driver}")
    interface, was = state_of_nic(guest)
    guest.run(f"ip link set {interface} up")
    guest.run(f"modprobe {driver}")
    guest.run(f"ip link set {interface} down")
    guest.run(f"dpdk-devbind.py --bind={driver} {NIC}")
    tap.equal(state_of_nic(guest), ("", driver), f"{was} gives the NIC to {driver}{note}")
    yield
    guest.run(f"dpdk-devbind.py --bind={was} {NIC}")
    tap.equal(state_of_nic(guest), (interface, was), f"the kernel has it again{note}")


def everything_came(tap, frames, records, note):
    same_frames(tap, compare(frames, (r.value for r in records)), note)
    tap.equal(len(records), len(frames), f"each frame once{note}")


def vfio(tap, lab, note=", e1000e by vfio-pci with an IOMMU"):
    """What is asked for beyond the device, and a cable that is pulled."""
    with (Guest(lab, "e1000e", iommu=True) as lab.guest,
          given_to_dpdk(tap, lab.guest, "e1000e", "vfio-pci", note)):
        primary, _ = lab.start_all("vfio", **{"receive-descriptors": 5000, "mtu": 20000})
        for line in (r"receive-descriptors 5000 adjusted to 4096 \(device: \d+ to 4096\)",
                     r"mtu 20000 asked for, the device takes \d+$",
                     r"4096 descriptors per queue"):
            tap.ok(re.search(line, primary.log(), re.M), f"it is said: {line}{note}", primary.log())
        frames = lab.send(1)
        lab.wait_delivered(len(frames))
        changes = lab.stats()["ports"][0]["link_changes"]
        lab.guest.monitor("set_link", name="wire", up=False)
        primary.wait_log(r"link up(.|\n)*port 0: link down, waiting for it")
        lab.guest.monitor("set_link", name="wire", up=True)
        primary.wait_log(r"link down(.|\n)*link up(.|\n)*link down(.|\n)*"
                         r"port 0: link up, 1000 Mbit/s")
        frames += lab.send(2)
        lab.wait_delivered(len(frames))
        stats = lab.wait_drained(len(frames))
        tap.equal(stats["ports"][0]["link_changes"] - changes, 2, f"link down and up{note}")
        records = lab.end(tap, note)
        everything_came(tap, frames, records, note)
        tap.none(disordered_packets(records), f"each flow is in order{note}")


def no_memory_for_main_lcore(tap, lab, note):
    """The main lcore's node needs a hugepage even when all NICs are on another one."""
    lab.write_config({"devices": NIC, "receive-queues": 1, "main-lcore": 1})
    program = lab.program("capture-primary", "capture-primary")
    text = lab.guest.run(f"{program} -c {lab.config_path}", expect=(5,))
    remedy = re.search(r"too few hugepages on node 1: 1 of .* run `(echo 1 > .*)`", text)
    tap.ok(remedy, f"no hugepage on the main lcore's node is told of{note}", text)
    lab.guest.run(remedy[1])
    lab.start_primary()
    tap.equal(lab.stop_primary(), 0, f"with one it runs{note}")


def uio(tap, lab, note=", e1000e by uio_pci_generic"):
    """Two nodes; a primary that is killed, and one that takes its place."""
    with (Guest(lab, "e1000e") as lab.guest,
          given_to_dpdk(tap, lab.guest, "e1000e", "uio_pci_generic", note)):
        no_memory_for_main_lcore(tap, lab, note)
        primary, secondary = lab.start_all("uio")
        frames = lab.send(1)
        lab.wait_delivered(len(frames))
        primary.stop(signo=signal.SIGKILL)
        tap.ok(secondary.wait(60) in (0, 8), f"the secondary ends with the primary{note}")
        lab.secondaries.clear()
        lab.start_primary()
        lab.start_secondary()
        more = lab.send(2)
        lab.wait_delivered(len(more))
        lab.wait_drained(len(more))
        everything_came(tap, frames + more, lab.end(tap, note), note)


def make_wire(lab, queues):
    """A tap of several queues, with the laboratory's sender at its other end; returns its files."""
    fds = []
    for _ in range(queues):
        fds.append(os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK))
        fcntl.ioctl(fds[-1], TUNSETIFF, struct.pack("16sH22x", INTERFACE.encode(), TAP_FLAGS))
    call("ip", "link", "set", INTERFACE, "netns", lab.name)
    lab.in_namespace("ip", "link", "set", INTERFACE, "mtu", JUMBO_MTU, "up")
    return fds


def rss(tap, lab, note=", virtio of four queues by vfio-pci"):
    """A NIC that spreads flows, with a hash for both directions of one."""
    queues = 4
    nic = (f"virtio-net-pci,mq=on,rss=on,vectors={2 * queues + 2},iommu_platform=on,"
           "disable-legacy=on")
    fds = make_wire(lab, queues)
    wire = f"tap,fds={':'.join(map(str, fds))},vhost=off"
    with (Guest(lab, nic, iommu=True, wire=wire, pass_fds=fds) as lab.guest,
          given_to_dpdk(tap, lab.guest, "virtio_net", "vfio-pci", note)):
        primary, _ = lab.start_all("rss", **{"receive-queues": queues})
        tap.ok(re.search(r"key: symmetric .*; both directions of a flow meet: yes", primary.log()),
               f"the device takes the symmetric key{note}", primary.log())
        tap.ok(re.search(r"link up, speed not known$", primary.log(), re.M),
               f"an unknown speed is no number{note}", primary.log())
        sent = lab.traffic(COUNT, 1000, max_frame=9014)
        lab.wait_delivered(sent.count)
        stats = lab.wait_drained(sent.count)
        received = [queue["received"] for queue in stats["queues"]]
        tap.note(f"packets of each queue: {received}")
        tap.ok(min(received) > COUNT / queues / 4, f"every queue had its share{note}", received)
        records = lab.end(tap, note)
        everything_came(tap, list(sent.frames()), records, note)
        tap.none(scattered_flows(records), f"each flow is in one partition{note}")
    for fd in fds:
        os.close(fd)


def drops(tap, lab, note=", vmxnet3 by uio_pci_generic"):
    """More than there are descriptors for, to a NIC that does not hold the sender back."""
    with (Guest(lab, "vmxnet3") as lab.guest,
          given_to_dpdk(tap, lab.guest, "vmxnet3", "uio_pci_generic", note)):
        primary, _ = lab.start_all("drops", **{"receive-descriptors": 128, "idle-max-us": 10_000})
        frames = lab.send(1, 20_000)
        # [nic] in is what came to the device, drops included.
        wait_for(lambda: lab.stats()["balance"]["nic"]["in"] == len(frames), "all frames", 60)
        dropped = lab.wait_drained()["balance"]["nic"]["drops"]
        tap.ok(dropped > 0 and "the device dropped" in primary.log(), f"it is told of drops{note}",
               primary.log())
        difference = compare(frames, (r.value for r in lab.end(tap, note)))
        tap.equal(len(difference.missing), dropped, f"what is not in Kafka was counted{note}")
        tap.none(difference.extra + difference.duplicates, f"the rest is, once{note}")


def large_pages(tap, lab, note=", pages of 1 GiB"):
    """As few as are asked for, and not the kernel's default."""
    with (Guest(lab, "e1000e", memory_mib=6144,
                hugepages="hugepagesz=1G hugepages=0:3") as lab.guest,
          given_to_dpdk(tap, lab.guest, "e1000e", "uio_pci_generic", note)):
        lab.guest.run("mkdir /mnt/huge && mount -t hugetlbfs -o pagesize=1G nodev /mnt/huge")
        lab.start_all("large-pages", **{"hugepage-directory": "/mnt/huge"})
        frames = lab.send(1)
        lab.wait_delivered(len(frames))
        lab.wait_drained(len(frames))
        everything_came(tap, frames, lab.end(tap, note), note)


PARTS = (vfio, uio, rss, drops, large_pages)


def main(names):
    tap = Tap()
    with GuestLab("rtnic") as lab:
        lab.start_broker()
        for part in PARTS:
            if not names or part.__name__ in names:
                tap.run(part, lab)
                lab.end_programs()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
