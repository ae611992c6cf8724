# SPDX-License-Identifier: BSD-3-Clause
"""A laboratory for devices that need no NIC: their interfaces, testpmd as a peer, a capture."""

import contextlib
import itertools
import os
import pathlib
import re
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "multiproc")]

from tap import Tap, same_frames

from lab import JUMBO_MTU, Lab, call, compare, wait_for

TOPIC = "vdev"
COUNT = 800  # frames: any of these devices holds them, if a busy machine does not get to read
RATE = 2000  # packets/s
FLOWS = 256  # of traffic-gen, unless said otherwise
LINK_S = 20  # by when a link must be up again; the primary looks once a second


class VdevLab(Lab):
    """A laboratory that keeps one topic for all its cases, each of which has frames of its own."""

    def __init__(self, name):
        super().__init__(name)
        self._seeds = itertools.count(1)
        self._next_offsets = {}

    # -- devices and traffic --

    def make_veth(self, name, mtu=1500):
        """A pair of interfaces in the namespace: NAME to capture from, NAMEp to send into."""
        self.in_namespace("ip", "link", "add", name, "mtu", mtu, "type", "veth",
                          "peer", "name", f"{name}p", "mtu", mtu)
        for end in name, f"{name}p":
            self.in_namespace("ip", "link", "set", end, "up")

    def delete_link(self, name):
        self.in_namespace("ip", "link", "del", name)

    def start_peer(self, device, queues=1, tap="peer0"):
        """testpmd between the tap `tap` in the namespace and `device`, once it forwards."""
        # What is written to a file would stay in its buffer. It ends with its standard input.
        peer = self.start("testpmd", [
            "ip", "netns", "exec", self.name, "stdbuf", "-oL", "dpdk-testpmd", "-l", "0,1",
            "--no-huge", "-m", 128, "--no-pci", "--no-telemetry", f"--file-prefix={self.name}-peer",
            f"--vdev=net_tap9,iface={tap}", f"--vdev={device}", "--", "-i",
            f"--rxq={queues}", f"--txq={queues}", "--total-num-mbufs=4096", "--mbuf-size=10240",
            "--no-flush-rx", "--disable-link-check"], stdin=subprocess.PIPE)
        # Where the ring is full, it waits.
        peer.process.stdin.write(b"set fwd io retry\nset burst tx delay 10 retry 100000\nstart\n")
        peer.process.stdin.flush()
        wait_for(lambda: re.search("packet forwarding.* - ports=2 ", peer.output())
                 or not peer.is_running(), "forwarding peer", 30)
        self.in_namespace("ip", "link", "set", tap, "mtu", JUMBO_MTU, "up")
        return peer

    def frames_in_file(self, path, count=COUNT, *options):
        """Writes frames that no other case has to a pcap file; returns its path."""
        seed = next(self._seeds)
        call(self.tool("traffic-gen"), "--pcap", path, "--count", count,
             "--rate", 10_000, "--seed", seed, "--first-flow", seed * FLOWS, *options)
        return path

    def start_sending(self, interface, *options, count=COUNT, rate=RATE, **how):
        """Starts to send frames that no other case has."""
        seed = next(self._seeds)
        return self.start_traffic(count, rate, "--first-flow", seed * FLOWS, *options, seed=seed,
                                  interface=interface, **how)

    # -- what arrived --

    def wait_received(self, count):
        """Waits until the device has counted `count` packets; returns the stats."""
        wait_for(lambda: self.stats()["balance"]["nic"]["in"] >= count, f"{count} packets", 20)
        return self.stats()

    def new_frames(self):
        """The values that came to the topic since the last call.

        Read by kcat: the client of kafka-topic takes seconds to start, and each case reads.
        """
        raw = subprocess.run(
            ["kcat", "-q", "-C", "-b", self.bootstrap, "-t", self.topic, "-o", "beginning", "-e",
             "-f", "%p %o %S\n%s"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
            check=True).stdout
        place, frames, ends = 0, [], {}
        while place < len(raw):
            begin = raw.index(b"\n", place) + 1
            partition, offset, size = map(int, raw[place:begin].split())
            place = begin + size
            if offset >= self._next_offsets.get(partition, 0):
                frames.append(raw[begin:place])
                ends[partition] = offset + 1
        self._next_offsets.update(ends)
        return frames


class Capture:
    """What one capture was sent, and what it must show for it.

    malformed: packets whose lengths are wrong, to be counted and not delivered.
    """

    def __init__(self, tap, lab, note):
        self.tap, self.lab, self.note = tap, lab, note
        self.sent, self.malformed, self.earlier, self.again = [], 0, 0, 0
        self.primary = self.secondary = self.stats = None

    def start(self):
        """A primary and a secondary; after a primary was killed, the next ones."""
        self.earlier = len(self.sent)  # delivered by the primaries before this one
        self.primary = self.lab.start_primary()
        self.secondary = self.lab.start_secondary(1)

    def send(self, interface, *options, **how):
        """Sends, and notes what the capture must deliver."""
        self.sent += self.lab.start_sending(interface, *options, **how).finish().frames()

    def drain(self):
        """Waits until all that was sent since the start is delivered."""
        count = len(self.sent) - self.earlier
        self.lab.wait_delivered(count)
        self.stats = self.lab.wait_drained(count)

    def sent_again(self):
        """By the workers of all primaries so far: those of earlier ones are in `again`."""
        return self.again + self.stats["balance"]["sent_again"]

    def kill_worker(self):
        victim = self.lab.workers()[0]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: self.lab.workers() not in ([], [victim]), "successor of a worker", 20)

    def kill_primary(self):
        """What was sent is delivered before; the workers leave, then the next primary may come."""
        self.drain()
        self.again = self.sent_again()
        self.primary.kill()
        self.secondary.wait(30)
        self.lab.secondaries.clear()

    def wait_link(self, ups):
        """Waits until the link of this primary came up for the `ups`th time."""
        self.primary.wait_log(r"port 0: link up", LINK_S, ups)

    def counters_are_true(self, nic):
        """nic: whether the device counts all that it gave, and what it lost."""
        tap, balance, note = self.tap, self.stats["balance"], self.note
        count = len(self.sent) - self.earlier
        malformed = sum(queue["malformed"] for queue in self.stats["queues"])
        tap.equal(malformed, self.malformed, f"malformed packets are counted{note}")
        if nic:
            tap.equal((balance["nic"]["in"], balance["nic"]["drops"]), (count + malformed, 0),
                      f"[nic] tells the truth{note}")
        tap.equal((balance["rx"]["out"], balance["rx"]["drops"]), (count, malformed),
                  f"[rx] does{note}")
        again = balance["kaf"]["out"] - count
        tap.ok(0 <= again <= balance["sent_again"], f"[kaf] does{note}", balance)
        code, text = self.lab.check()
        tap.ok(code == 0, f"stats-tool --check: every law holds{note}", text)

    def end(self, nic, kept):
        """Drains, stops and judges. kept: buffers that the device does not give back."""
        self.drain()
        self.counters_are_true(nic)
        exits = self.lab.stop_secondary(self.secondary), self.lab.stop_primary()
        self.tap.equal(exits, (0, 0), f"secondary and primary end with 0{self.note}")
        back = re.search(r"mempool(?: whole)?: (\d+) of (\d+) buffers back", self.primary.log())
        self.tap.equal(int(back[2]) - int(back[1]), kept, f"buffers that are not back{self.note}")
        difference = compare(self.sent, self.lab.new_frames())
        same_frames(self.tap, difference, self.note)
        twice = len(difference.duplicates)
        self.tap.ok(twice <= self.sent_again(),
                    f"each frame once, but for what was sent again{self.note}",
                    f"{twice} duplicates, {self.sent_again()} sent again")


@contextlib.contextmanager
def capturing(tap, lab, note, nic=True, kept=0, **config):
    """A capture from its start to its verdicts; within, frames are sent.

    config: of the primary, with _ for -. nic, kept: see Capture.
    """
    lab.write_config({"topic": TOPIC, "receive-queues": 1, "buffer-memory": "32MiB",
                      **{key.replace("_", "-"): value for key, value in config.items()}})
    capture = Capture(tap, lab, note)
    capture.start()
    yield capture
    capture.end(nic, kept)


def run_parts(lab_name, parts, short, arguments):
    """main() of a suite. short: those of --short."""
    tap = Tap()
    if arguments == ["--short"]:
        parts = short
    elif arguments:
        parts = [part for part in parts if part.__name__ in arguments]
    with VdevLab(lab_name) as lab:
        lab.start_broker()
        lab.create_topic(topic=TOPIC)
        for part in parts:
            failed = tap.failed
            tap.run(part, lab)
            lab.end_programs()
            if tap.failed > failed:
                lab.new_frames()  # they belong to no part
    return tap.finish()
