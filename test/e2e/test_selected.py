#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is captured, and how it is described: filter, snaplen, record headers, unit of the key; and
an idle probe. Real programs, real Kafka, read by kafka-python; tcpdump says what a filter means.
Prints TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import collections
import json
import pathlib
import statistics
import sys
import time

from tap import Tap, ends_in_good_order

from kafka import KafkaConsumer, TopicPartition
from lab import INTERFACE, Lab, call, read_pcap, wait_for

FILTER = "udp or (vlan and tcp portrange 1-40000) or tcp[tcpflags] & tcp-ack != 0 or (vlan and tcp)"
SNAPLEN = 200
QUEUES, RINGS, PARTITIONS = 2, 8, 16
SENSOR = "probe-7"
IDLE_MAX_US = 300
IDLE_PACKETS = 24
IDLE_FILTER = "ether proto 0x88b5"
WAKE_UP_US = 300  # from the end of a sleep to the packet, while a CPU is free
# Pauses long enough for the longest sleep, on another CPU than the receive worker's. Prints when
# each frame was sent, and how long the threads of the primary and this one then waited for a CPU:
# the machine is to blame for that.
SEND_SLOWLY = """
import os, pathlib, socket, sys, time
os.sched_setaffinity(0, {0})
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
tasks = [*pathlib.Path("/proc", sys.argv[3], "task").iterdir(), pathlib.Path("/proc/self")]
def waited_ns():
    return sum(int((task / "schedstat").read_text().split()[1]) for task in tasks)
for i in range(int(sys.argv[2])):
    time.sleep(0.5)
    before_ns, sent_ns = waited_ns(), time.time_ns()
    s.send(bytes(12) + b"\\x88\\xb5" + i.to_bytes(2, "big") + bytes(60))
    time.sleep(0.001)
    print(sent_ns, waited_ns() - before_ns)
"""

Message = collections.namedtuple("Message", "partition key value headers")


def read(lab):
    """The messages of the topic up to its present end, by partition and offset."""
    consumer = KafkaConsumer(bootstrap_servers=lab.bootstrap, group_id=None,
                             auto_offset_reset="none")
    partitions = [TopicPartition(lab.topic, p)
                  for p in sorted(consumer.partitions_for_topic(lab.topic))]
    ends, messages = consumer.end_offsets(partitions), []
    consumer.assign(partitions)
    for partition in partitions:
        consumer.seek(partition, 0)
    while any(consumer.position(p) < ends[p] for p in partitions):
        for records in consumer.poll(500, max_records=10_000).values():
            messages += [Message(r.partition, int.from_bytes(r.key, "big"), r.value,
                                 dict(r.headers)) for r in records]
    consumer.close()
    return sorted(messages, key=lambda m: m.partition)  # stable: offsets keep their order


def number(message, name):
    return int.from_bytes(message.headers[name], "big")


def begin(lab, topic, config):
    lab.topic = topic
    lab.create_topic(PARTITIONS)
    lab.write_config({"receive-queues": QUEUES, **config})
    return lab.start_primary()


def end(tap, lab, primary, note):
    exits = {"the secondary": lab.stop_secondary(lab.secondaries[0]),
             "the primary": lab.stop_primary()}
    ends_in_good_order(tap, primary, exits, note)


def origins(messages):
    """The messages by (queue, ring), each of which has numbers of its own."""
    by_ring = collections.defaultdict(list)
    for message in messages:
        q = message.headers["q"]
        by_ring[int.from_bytes(q[:2], "big"), int.from_bytes(q[2:], "big")].append(message)
    return by_ring


def wanted_frames(lab, sent):
    """What tcpdump takes of the frames that were sent."""
    path = lab.directory / "wanted.pcap"
    call("tcpdump", "-r", sent.record, "-w", path, FILTER)
    return [frame for _, frame in read_pcap(path)]


def selected(tap, lab):
    primary = begin(lab, "selected", {"filter": FILTER, "snaplen": SNAPLEN, "headers": "basic",
                                      "sensor": SENSOR, "buffer-memory": "128MiB"})
    lab.start_secondary(2)
    sent = lab.traffic(10_000, 4_000, max_frame=9014)
    wanted = wanted_frames(lab, sent)
    lab.wait_delivered(len(wanted))
    stats = lab.wait_drained(sent.count)
    tap.equal(lab.check()[0], 0, "stats-tool --check: every law holds, with a filter")
    tap.equal(sum(q["filtered"] for q in stats["queues"]), sent.count - len(wanted),
              "what tcpdump does not take is counted as filtered")
    tap.ok(1_000 < len(wanted) < sent.count - 1_000, "some frames are wanted, some are not")
    end(tap, lab, primary, ", with a filter")
    messages = read(lab)
    tap.equal(collections.Counter((m.value, number(m, "wl")) for m in messages),
              collections.Counter((frame[:SNAPLEN], len(frame)) for frame in wanted),
              "each wanted frame is there once, cut to snaplen, its header says its length")
    tap.ok(any(len(frame) > 2200 for frame in wanted), "frames of several buffers were cut")
    headers_are_true(tap, messages)
    for m in messages:
        if number(m, "ts") // 1000 != m.key:
            tap.ok(False, "the header ts is the key, in ns", m)
            return
    tap.ok(True, "the header ts is the key, in ns")


def headers_are_true(tap, messages):
    tap.equal({tuple(m.headers) for m in messages}, {("wl", "if", "q", "seq", "ts")},
              "every message has the five headers")
    tap.equal({m.headers["if"] for m in messages}, {f"{SENSOR}:net_tap0".encode()},
              "the header if names sensor and port")
    by_ring = origins(messages)
    tap.equal({(q, r, m.partition % RINGS) for (q, r), ms in by_ring.items() for m in ms},
              {(n * QUEUES // RINGS, n % (RINGS // QUEUES), n) for n in range(RINGS)},
              "the header q names the ring that feeds the partition")
    tap.none([(ring, len(ms)) for ring, ms in by_ring.items()
              if sorted(number(m, "seq") for m in ms) != list(range(1, len(ms) + 1))],
             "the header seq counts from 1 in each ring, nothing is missing")


def gaps(tap, lab):
    """Without a secondary the rings fill up; what is dropped then is missing in seq."""
    primary = begin(lab, "gaps", {"headers": "basic", "key-unit": "ns", "buffer-memory": "2MiB"})
    lab.traffic(6_000, 5_000)
    lab.start_secondary(1)
    lab.wait_drained(6_000)
    lab.traffic(2_000, 1_000)  # after the gap
    stats = lab.wait_drained(8_000)
    dropped = {(r["queue_id"], r["ring_id"]): r["ring_full"] for r in stats["rings"]}
    tap.ok(sum(dropped.values()) > 1_000, "packets were dropped", dropped)
    end(tap, lab, primary, ", after drops")
    messages = read(lab)
    by_ring = origins(messages)
    tap.equal({ring: max(number(m, "seq") for m in ms) - len(ms) for ring, ms in by_ring.items()},
              dropped, "the gaps of seq are the drops of each ring")
    tap.none([m for m in messages if m.key != number(m, "ts")][:3],
             "with key-unit: ns the key is in ns")
    now = time.time_ns()
    tap.none([m.key for m in messages if not now - 300_000_000_000 < m.key < now][:3],
             "and a time of the last minutes")


def cpu_share(pids, seconds):
    """Part of one CPU that processes use."""
    def used():
        total = 0
        for pid in pids:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / 100
    before = used()
    time.sleep(seconds)
    return (used() - before) / seconds


def idle(tap, lab):
    """A probe with nothing to do."""
    primary = begin(lab, "idle", {"idle": "sleep", "idle-max-us": 1000})
    lab.start_secondary(1)
    workers = wait_for(lab.workers, "worker", 20)
    time.sleep(1)
    # The least of three: what others do on the machine makes each wake-up dearer.
    shares = [min(cpu_share([pid], 2) for _ in range(3)) for pid in (primary.pid, workers[0])]
    tap.note(f"idle: primary {shares[0]:.1%}, worker {shares[1]:.1%} of a CPU")
    tap.ok(shares[0] < 0.05, "an idle primary takes less than 5 % of a CPU", shares)
    tap.ok(shares[1] < 0.05, "an idle worker takes less than 5 % of a CPU", shares)
    end(tap, lab, primary, ", after idling")


def first_after_idle(tap, lab):
    """The first packet after a pause. Not on a tap device: its signals wake whoever sleeps."""
    near, far = "idle0", "idle1"
    lab.in_namespace("ip", "link", "add", near, "up", "type", "veth", "peer", "name", far)
    lab.in_namespace("ip", "link", "set", far, "up")
    primary = begin(lab, "after-idle", {
        "devices": f"net_af_packet0,iface={far}", "receive-queues": 1, "filter": IDLE_FILTER,
        "main-lcore": 0, "receive-lcores": "1", "idle": "sleep", "idle-max-us": IDLE_MAX_US,
        "key-unit": "ns"})
    lab.start_secondary(1)
    wait_for(lab.workers, "worker", 20)
    sent = [[int(word) for word in line.split()] for line in lab.in_namespace(
        sys.executable, "-c", SEND_SLOWLY, near, IDLE_PACKETS, primary.pid).splitlines()]
    lab.wait_delivered(IDLE_PACKETS)
    late_us, ours_us = [], []
    for message in read(lab):
        sent_ns, waited_ns = sent[int.from_bytes(message.value[14:16], "big")]
        late_us.append((message.key - sent_ns) / 1000)
        ours_us.append(late_us[-1] - waited_ns / 1000)
    tap.equal(len(late_us), IDLE_PACKETS, "every packet after a pause is there")
    tap.note(f"first packet after idle: median {statistics.median(late_us):.0f} us, the latest "
             f"{max(late_us):.0f} us, without waits for a CPU {max(ours_us):.0f} us; "
             f"idle-max-us {IDLE_MAX_US}")
    # But for two: what a hypervisor takes away is counted nowhere.
    tap.ok(sorted(ours_us)[-3] < IDLE_MAX_US + WAKE_UP_US,
           "the first packet after a pause is captured within idle-max-us and a thread's wake-up",
           sorted(ours_us))
    end(tap, lab, primary, ", after pauses")


def link_goes(tap, lab):
    primary = begin(lab, "link", {})
    lab.start_secondary(1)
    lab.traffic(500, 2_000)
    lab.in_namespace("ip", "link", "set", INTERFACE, "down")
    primary.wait_log(r"warning port: port 0: link down", 10)
    lab.in_namespace("ip", "link", "set", INTERFACE, "up")
    primary.wait_log(r"port 0: link up", 10, count=2)
    lab.traffic(500, 2_000)
    stats = lab.wait_delivered(1_000)
    tap.equal(stats["ports"][0]["link_changes"], 2, "link down and up are counted")
    tap.equal(lab.check()[0], 0, "stats-tool --check: every law holds over a link that went")
    end(tap, lab, primary, ", after the link went")


def statistics_of(path):
    """What is in a statistics file, [] while there is none."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def statistics_file(tap, lab):
    """Fastcapa's options of the secondary, and its statistics file, which is rotated."""
    primary = begin(lab, "statistics", {
        "kafka": {"global": {"statistics.interval.ms": 200, "bootstrap.servers": lab.bootstrap}}})
    lab.create_topic(1, "other")
    path, moved = lab.directory / "statistics.json", lab.directory / "statistics.json.1"
    secondary = lab.start("kafka-secondary", [
        lab.program("kafka-secondary", "kafka-secondary"), "-c", lab.config_path, "--workers", 2,
        "-w", 64, "-t", "other", "-s", path])
    lab.secondaries.append(secondary)
    secondary.wait_log("attached to instance ")
    lab.traffic(500, 2_000)
    lab.wait_delivered(500)
    pids = set(lab.workers())
    tap.equal(len(list(lab.read_topic("other"))), 500, "-t names the topic")
    wait_for(lambda: {s["pid"] for s in statistics_of(path)} >= pids, "statistics of both workers",
             10)
    tap.equal({(s["pid"], s["worker"]) for s in statistics_of(path)},
              {(w["pid"], w["worker"]) for w in lab.stats()["workers"] if w["pid"] in pids},
              "each line is an object that names worker and process")
    wait_for(lambda: any("other" in s["topics"] for s in statistics_of(path)), "topic", 10)
    tap.ok(all(s["name"].startswith("ringtap#producer-") and s["type"] == "producer"
               for s in statistics_of(path)),
           "and librdkafka's connection", statistics_of(path)[:1])
    tap.equal(path.stat().st_mode & 0o777, 0o640, "the file is not world-readable")
    path.rename(moved)
    secondary.send_signal(1)
    wait_for(lambda: {s["pid"] for s in statistics_of(path)} >= pids, "a new file", 10)
    before = moved.stat().st_size
    time.sleep(1)
    tap.equal(moved.stat().st_size, before, "after SIGHUP all lines go to a new file")
    tap.equal(set(lab.workers()), pids, "SIGHUP ends no worker")
    end(tap, lab, primary, ", with statistics")


def main():
    tap = Tap()
    with Lab("rtselect") as lab:
        lab.start_broker()
        for part in selected, gaps, idle, first_after_idle, link_goes, statistics_file:
            tap.run(part, lab)
            lab.end_programs()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
