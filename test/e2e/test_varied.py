#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every kind of frame through the real programs into a real Kafka, without faults. Prints TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import collections
import itertools
import re
import sys
import time

from tap import (Tap, disordered_packets, ends_in_good_order, flow_of, same_frames,
                 scattered_flows)

from lab import Lab, call, compare, read_pcap, trailer

QUEUES = 2
RINGS = 4 * QUEUES  # transmit-rings-per-queue is 4 unless said otherwise
PARTITIONS = 16
CLOCK_SLACK_US = 1000  # the capture clock keeps within 1 ms of UTC
KINDS = ["arp", "tcp4", "udp4", "sctp4", "icmp4", "tcp6", "udp6", "sctp6", "icmp6", "vlan", "qinq",
         "mpls", "frag4", "frag6", "runt", "badsum"]


class Run:
    """One run without faults: start, send, wait, look, stop, read back."""

    def __init__(self, lab, topic, config, count, rate, workers=2, **traffic):
        lab.topic = topic
        lab.create_topic(PARTITIONS)
        lab.write_config(config)
        self.primary = lab.start_primary()
        self.secondary = lab.start_secondary(workers)
        self.began_us = time.time_ns() // 1000
        self.sent = lab.traffic(count, rate, **traffic)
        lab.wait_delivered(self.sent.count)
        self.stats = lab.wait_drained(self.sent.count)
        self.ended_us = time.time_ns() // 1000
        self.check = lab.check()
        self.exits = {"the secondary": lab.stop_secondary(self.secondary),
                      "the primary": lab.stop_primary()}
        self.records = sorted(lab.read_topic(), key=lambda r: (r.partition, r.offset))

    def difference(self):
        return compare(self.sent.frames(), (r.value for r in self.records))


def key_us(record):
    return int.from_bytes(record.key, "big")


def by_ring(records):
    """The records by ring: partition p is fed by ring p mod RINGS."""
    rings = collections.defaultdict(list)
    for record in records:
        rings[record.partition % RINGS].append(record)
    return rings


def keys_are_capture_times(tap, run):
    tap.none([r for r in run.records if r.key is None or len(r.key) != 8], "every key has 8 bytes")
    low, high = run.began_us - CLOCK_SLACK_US, run.ended_us + CLOCK_SLACK_US
    tap.none([key_us(r) for r in run.records if not low <= key_us(r) <= high],
             "every key is a time of the run in us, big-endian")
    tap.none([(a.partition, b.offset, key_us(a), key_us(b))
              for a, b in itertools.pairwise(run.records)
              if a.partition == b.partition and key_us(b) <= key_us(a)],
             "times only grow within a partition")
    tap.none([ring for ring, records in by_ring(run.records).items()
              if len({r.key for r in records}) != len(records)],
             "times are distinct within a ring, over all of its partitions")
    tap.none([r for r in run.records if abs(r.timestamp_ms * 1000 - key_us(r)) > 60_000_000],
             "Kafka's own timestamps are of the same minute")


def is_tagged(record):
    return KINDS[flow_of(record) % len(KINDS)] in ("vlan", "qinq")


def flows_keep_together(tap, run):
    """A tagged flow is together in each queue only: the kernel takes the length of a tagged packet
    for its type and chooses the tap's queue by it. (With one queue: other_ways_to_spread.)"""
    records = [r for r in run.records if trailer(r.value)]
    untagged = [r for r in records if not is_tagged(r)]
    tap.none(scattered_flows(untagged), "each flow is in one partition, both directions together")
    for queue in range(QUEUES):
        tagged = [r for r in records
                  if is_tagged(r) and r.partition % RINGS * QUEUES // RINGS == queue]
        tap.none(scattered_flows(tagged), f"each tagged flow of queue {queue} is in one partition")
    tap.none(disordered_packets(records), "each flow is in order")
    sides = collections.defaultdict(set)
    for record in records:
        t = trailer(record.value)
        sides[t.flow].add(t.reverse)
    tap.ok(sum(len(s) == 2 for s in sides.values()) > 200, "flows have both directions", sides)


def counters_agree(tap, run):
    """The programs' counters with what the sender and Kafka's client counted."""
    balance, count = run.stats["balance"], run.sent.count
    tap.equal(balance["nic"], {"in": count, "queued": None, "out": None, "drops": 0},
              "[nic] in is what the sender sent, no drops")
    for stage, name in (("rx", "taken from the device"), ("tx", "taken by workers"),
                        ("kaf", "accepted by the client")):
        tap.equal(balance[stage], {"in": count, "queued": 0, "out": count, "drops": 0},
                  f"[{stage}] balances: {name} and handed on is what was sent")
    tap.equal(balance["kaf"]["out"], len(run.records), "[kaf] out is what the consumer counts")
    tap.equal(balance["sent_again"], 0, "nothing was sent again")
    tap.equal(sum(q["received_bytes"] for q in run.stats["queues"]), run.sent.bytes,
              "bytes received are the bytes sent")
    tap.equal(sum(w["delivered_bytes"] for w in run.stats["workers"]), run.sent.bytes,
              "bytes delivered are the bytes sent")
    tap.equal(run.stats["instance"]["workers"], 2, "two workers are at their slots")
    tap.equal(sum(w["failed_too_large"] + w["failed_invalid"] for w in run.stats["workers"]), 0,
              "no packet failed")
    tap.equal({i: ring["released"] for i, ring in enumerate(run.stats["rings"])},
              {i: len(by_ring(run.records)[i]) for i in range(RINGS)},
              "each ring released what its own partitions hold")
    tap.ok(all(ring["released"] for ring in run.stats["rings"]), "every ring had packets",
           run.stats["rings"])
    tap.ok(all(w["delivered"] for w in run.stats["workers"]), "every worker delivered packets",
           run.stats["workers"])
    tap.equal(run.check[0], 0, "stats-tool --check: every law holds")
    tap.ok(re.search(r"\b0 violated, 0 not judged", run.check[1]), "every law was judged",
           run.check[1])


def final_balance_is_printed(tap, run):
    table = run.primary.output().split("------ in ------")[-1]
    n = run.sent.count
    for row, figures in (("nic", rf"{n}\s+-\s+-\s+-"), ("rx", rf"{n}\s+0\s+{n}\s+0"),
                         ("tx", rf"{n}\s+0\s+{n}\s+0"), ("kaf", rf"{n}\s+0\s+{n}\s+0")):
        tap.ok(re.search(rf"^\s*\[{row}\]\s+{figures}\s*$", table, re.M),
               f"the final balance has the row [{row}]", table)


def kinds_were_sent(tap, run):
    frames = list(run.sent.frames())
    flows = collections.Counter(KINDS[trailer(f).flow % len(KINDS)] for f in frames)
    tap.equal(sorted(flows), sorted(KINDS), "every kind of frame was sent")
    sizes = {len(f) for f in frames}
    tap.equal((min(sizes), max(sizes)), (60, 9014), "frames were of 60 to 9014 bytes")
    tap.ok(any(f[12:14] == b"\x88\xa8" for f in frames), "802.1ad tags were sent")
    tap.ok(sum(w["linearised"] for w in run.stats["workers"]) > 1000,
           "packets of several buffers were among them", run.stats["workers"])


def all_kinds_of_frames(tap, lab):
    # Memory for all of them: how fast this machine is makes no difference.
    config = {"receive-queues": QUEUES, "buffer-memory": "192MiB"}
    run = Run(lab, "varied", config, count=30_000, rate=5_000, max_frame=9014)
    kinds_were_sent(tap, run)
    difference = run.difference()
    same_frames(tap, difference)
    tap.none([len(f) for f in difference.duplicates], "no frame is there twice")
    keys_are_capture_times(tap, run)
    flows_keep_together(tap, run)
    counters_agree(tap, run)
    ends_in_good_order(tap, run.primary, run.exits)
    final_balance_is_printed(tap, run)


def other_ways_to_spread(tap, lab):
    """The other partitioners, and the order that librdkafka keeps by itself."""
    for key, value in (("partitioner", "flow"), ("partitioner", "burst"), ("order", "relaxed")):
        note = f", {key}: {value}"
        run = Run(lab, f"{key}-{value}", {key: value, "receive-queues": 1}, count=4_000, rate=4_000)
        same_frames(tap, run.difference(), note)
        tap.equal(len(run.records), run.sent.count, f"each frame once{note}")
        tap.equal(run.check[0], 0, f"stats-tool --check: every law holds{note}")
        tap.equal(len({r.partition for r in run.records}), PARTITIONS,
                  f"all partitions are used{note}")
        if value == "burst":
            tap.ok(scattered_flows(run.records), f"flows are spread{note}")
        else:
            tap.none(scattered_flows(run.records), f"each flow is in one partition{note}")
            tap.none(disordered_packets(run.records), f"each flow is in order{note}")
        ends_in_good_order(tap, run.primary, run.exits, note)


def pcap_file(tap, lab):
    """The device's own clock: the times of the file."""
    count, note = 5_000, ", from a pcap file"
    path = lab.directory / "replayed.pcap"
    call(lab.tool("traffic-gen"), "--pcap", path, "--count", count,
         "--rate", 100_000, "--seed", 7)
    lab.topic = "pcap-file"
    lab.create_topic(PARTITIONS)
    lab.write_config({"devices": f"net_pcap0,rx_pcap={path}", "receive-queues": 1})
    primary = lab.start_primary()
    secondary = lab.start_secondary(2)
    lab.wait_delivered(count)
    stats = lab.wait_drained(count)
    tap.equal(lab.check()[0], 0, f"stats-tool --check: every law holds{note}")
    exits = {"the secondary": lab.stop_secondary(secondary), "the primary": lab.stop_primary()}
    ends_in_good_order(tap, primary, exits, note)
    records = list(lab.read_topic())
    tap.equal(stats["balance"]["kaf"]["out"], len(records), f"[kaf] out is what is in Kafka{note}")
    tap.equal(collections.Counter((key_us(r), r.value) for r in records),
              collections.Counter(read_pcap(path)),
              f"each frame once, its key is the file's time{note}")


def main():
    tap = Tap()
    with Lab("rtvaried") as lab:
        lab.start_broker()
        for part in (all_kinds_of_frames, other_ways_to_spread, pcap_file):
            tap.run(part, lab)
            lab.end_programs()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
