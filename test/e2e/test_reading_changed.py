#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""kafka-to-pcap on topics that change under it, on a real Kafka: nothing is passed over in silence.
Prints TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import os
import re
import signal
import struct
import sys
import time

from producer import Producer
from kafka_events import Elsewhere, delete_records, open_transaction
from tap import Tap
from test_reading_back import headers_of, make_packets, program, read_back

from lab import Lab, read_pcap, wait_for

FIRST, SECOND = 100, 300  # records
COUNTS_OF_TOPIC = ("topic: {} records removed before they were read, {} offsets without a record, "
                   "{} logs began again, {} records behind an open transaction\n")


class Records:
    """Numbered packets of one stream, as ringtap writes them, in a topic of one partition."""

    def __init__(self, lab, topic, *options):
        self.lab, self.topic, self.options = lab, topic, options
        self.packets = [p for p in make_packets(time.time_ns())[0] if (p.port, p.ring) == (0, 0)]
        self.used = 0
        self.make()

    def make(self):
        self.lab.kafka_topic("create", self.topic, "--partitions", 1, *self.options)

    def remake(self):
        self.lab.kafka_topic("delete", self.topic)
        self.make()

    def write(self, count, headers=True, behind_ns=0):
        """The next packets; Kafka's time is that of the writing."""
        producer = Producer(self.lab.bootstrap)
        packets = self.packets[self.used:self.used + count]
        self.used += count
        for packet in packets:
            now_ns = time.time_ns()
            packet = packet._replace(time_ns=now_ns, seq=self.packets.index(packet) + 1)
            producer.send(self.topic, partition=0, value=packet.frame,
                          key=struct.pack(">Q", now_ns // 1_000),
                          headers=headers_of(packet) if headers else None,
                          timestamp_ms=(now_ns - behind_ns) // 1_000_000)
        producer.flush()
        producer.close()
        return [packet.frame for packet in packets]


def frames_in(path):
    """None of them while it is being written."""
    try:
        return sorted(frame for _, frame in read_pcap(path))
    except (FileNotFoundError, struct.error):
        return []


class Following:
    """kafka-to-pcap --follow, whose file is looked at while it grows."""

    def __init__(self, lab, topic, *options):
        self.path = lab.directory / f"{topic}.pcap"
        self.process = lab.start(topic, [program(lab), "-b", lab.bootstrap, "-t", topic, "-w",
                                         self.path, "--follow", "--require-complete", *options])

    def wait(self, count, timeout=30):
        wait_for(lambda: len(frames_in(self.path)) >= count,
                 f"{count} packets", timeout)

    def end(self):
        code = self.process.stop(10)
        return code, self.process.log()


# ---- the parts -----------------------------------------------------------------------------------

def remade(tap, lab):
    """Deleted and created again, with more records than were read, and with fewer."""
    for topic, count in (("more", SECOND), ("fewer", FIRST // 2)):
        records = Records(lab, topic)
        wanted = records.write(FIRST)
        following = Following(lab, topic)
        following.wait(FIRST)
        records.remake()
        wanted += records.write(count)
        following.wait(len(wanted))
        time.sleep(6)  # one more look at the topic
        code, log = following.end()
        tap.equal(frames_in(following.path), sorted(wanted),
                  f"all records of both topics, each once: {topic}")
        tap.ok(f"topic {topic}, partition 0: its log begins again at offset 0 after " in log
               and COUNTS_OF_TOPIC.format(0, 0, 1, 0) in log, "it is said and counted", log)
        tap.equal(code, 12, "and not complete")


def deleted(tap, lab):
    """Deleted, with nothing in its place for a while."""
    records = Records(lab, "deleted")
    wanted = records.write(FIRST)
    following = Following(lab, "deleted")
    following.wait(FIRST)
    lab.kafka_topic("delete", "deleted")
    following.process.wait_log("does not exist any more; waiting for one of its name", 20)
    records.make()
    wanted += records.write(FIRST)
    following.wait(len(wanted))
    tap.equal(frames_in(following.path), sorted(wanted), "it waits for a topic of its name")
    following.end()


def older_records(tap, lab):
    """Created again by a writer whose clock is an hour behind."""
    records = Records(lab, "older")
    wanted = records.write(FIRST)
    following = Following(lab, "older")
    following.wait(FIRST)
    time.sleep(6)  # a look at the topic
    records.remake()
    wanted += records.write(SECOND, behind_ns=3_600_000_000_000)
    following.wait(len(wanted))
    following.end()
    tap.equal(frames_in(following.path), sorted(wanted), "all records, though they are older")


def left_alone(tap, lab):
    """The same log looks the same in each look: nothing is read twice."""
    for topic, options in (("create-time", ()), ("append-time", (
            "--config", "message.timestamp.type=LogAppendTime"))):
        records = Records(lab, topic, *options)
        wanted = records.write(FIRST)
        following = Following(lab, topic)
        for _ in range(6):
            wanted += records.write(SECOND // 4)
            time.sleep(2)
        delete_records(lab.bootstrap, topic, 0, len(wanted))  # all that was read
        time.sleep(6)
        wanted += records.write(SECOND // 4)
        following.wait(len(wanted))
        _, log = following.end()
        tap.equal(frames_in(following.path), sorted(wanted), f"each record once: {topic}")
        tap.ok("topic: " not in log and "begins again" not in log, "and without a word", log)


def removed(tap, lab):
    """Retention passes a reader that does not keep up."""
    for topic, headers in (("removed", True), ("removed-plain", False)):
        records = Records(lab, topic)
        records.write(FIRST, headers)
        following = Following(lab, topic)
        following.wait(FIRST)
        os.kill(following.process.pid, signal.SIGSTOP)
        records.write(SECOND, headers)
        delete_records(lab.bootstrap, topic, 0, FIRST + 250)
        os.kill(following.process.pid, signal.SIGCONT)
        following.wait(FIRST + SECOND - 250)
        code, log = following.end()
        said = re.search(rf"topic {topic}, partition 0: records from offset (\d+) on were removed "
                         r"before they were read, (\d+) so far;", log)
        # The first ones of these may have been on their way to the reader.
        first, count = (int(number) for number in said.groups()) if said else (0, 0)
        tap.ok(first >= FIRST and count > 0 and first + count == FIRST + 250
               and COUNTS_OF_TOPIC.format(count, 0, 0, 0) in log,
               f"it is said, and counted: {topic}", log)
        tap.equal(code, 12, "and not complete")


def transactions(tap, lab):
    """Another producer's open transaction hides nothing, unless it is asked for."""
    records = Records(lab, "transactions")
    records.write(FIRST)
    words = ["-b", lab.bootstrap, "-t", "transactions", "--check", "--require-complete"]
    foreign = [(b"key", b"value")] * 5
    with open_transaction(lab.bootstrap, "transactions", 0, foreign):
        records.write(FIRST)
        run = read_back(lab, *words)
        tap.ok(f" {2 * FIRST} received, 0 missing" in run.err and run.code == 0,
               "an open transaction hides nothing", run)
        run = read_back(lab, *words, "-X", "isolation.level=read_committed")
        tap.ok(f"topic transactions, partition 0: {FIRST + 5} records wait behind a transaction "
               f"that is open since offset {FIRST};" in run.err
               and COUNTS_OF_TOPIC.format(0, 0, 0, FIRST + 5) in run.err
               and "not proved: records wait behind an open transaction" in run.err
               and run.code == 12, "read_committed: what waits is said and counted", run)
    records.write(1)
    run = read_back(lab, *words)
    tap.ok(COUNTS_OF_TOPIC.format(0, 1, 0, 0) in run.err
           and "not proved: offsets have no record" in run.err and run.code == 12,
           "a marker is an offset without a record", run)
    run = read_back(lab, *words, "-X", "isolation.level=read_committed")
    tap.ok(COUNTS_OF_TOPIC.format(0, 6, 0, 0) in run.err,
           "what was aborted is not read by read_committed", run)


def append_time(tap, lab):
    """--from with Kafka's own time, and a writer whose clock is ten days behind."""
    begin_ns = time.time_ns() - 10 * 86_400 * 1_000_000_000
    lab.kafka_topic("create", "behind", "--partitions", 1, "--config",
                    "message.timestamp.type=LogAppendTime")
    producer = Producer(lab.bootstrap)
    packets = make_packets(begin_ns)[0][:100]
    for packet in packets:
        producer.send("behind", partition=0, value=packet.frame,
                      key=struct.pack(">Q", packet.time_ns // 1_000),
                      timestamp_ms=packet.time_ns // 1_000_000)
    producer.close()
    path = lab.directory / "behind.pcap"
    first, last = (begin_ns // 1_000_000_000 + second for second in (20, 40))
    run = read_back(lab, "-b", lab.bootstrap, "-t", "behind", "-w", path, "--from", first, "--to",
                    last)
    wanted = [p.frame for p in packets if first * 1_000_000_000 <= p.time_ns < last * 1_000_000_000]
    tap.ok(len(wanted) == 20 and [frame for _, frame in read_pcap(path)] == wanted,
           "--from and --to select capture times with LogAppendTime", run)


def unreachable(tap, lab):
    """Bootstrap answers, and the address that it gives for the leader does not."""
    records = Records(lab, "unreachable")
    records.write(FIRST)
    path = lab.directory / "unreachable.pcap"
    words = ["-t", "unreachable", "-w", path]
    for host, port, why in ((None, 1, "Connect to ipv4#127.0.0.1:1 failed: Connection refused"),
                            ("nowhere.x", 9092, "Failed to resolve 'nowhere.x:9092'")):
        elsewhere = Elsewhere(lab.bootstrap, host, port)
        began = time.monotonic()
        run = read_back(lab, "-b", elsewhere.address, "--timeout-s", 3, *words)
        tap.ok(run.code == 1 and time.monotonic() - began < 15 and len(run.err.splitlines()) == 1
               and "kafka-to-pcap: topic unreachable, partition 0: no answer from its leader, "
               f"broker 1 at {host or '127.0.0.1'}:{port}: {why}" in run.err,
               f"one line names leader, address and failure: {why}", run)
        elsewhere.cut()
    elsewhere = Elsewhere(lab.bootstrap, None, 1)
    for signo in (signal.SIGINT, signal.SIGTERM):
        waiting = lab.start("waiting", [program(lab), "-b", elsewhere.address, *words])
        time.sleep(1)
        os.kill(waiting.pid, signo)
        tap.equal(waiting.wait(3), -signo, f"{signo.name} ends it while it waits")
    elsewhere.cut()


def lost_leader(tap, lab):
    """The leader goes while its topic is followed."""
    elsewhere = Elsewhere(lab.bootstrap)
    path = lab.directory / "lost.pcap"
    words = [program(lab), "-b", elsewhere.address, "-t", "unreachable", "--follow", "-w"]
    timed = lab.start("timed", [*words, "/dev/null", "--timeout-s", 5])
    endless = lab.start("endless", [*words, path])
    wait_for(lambda: len(frames_in(path)) == FIRST, "packets", 20)
    elsewhere.cut()
    tap.equal(timed.wait(20), 1, "--timeout-s is kept")
    endless.wait_log(r"no answer from its leader, broker 1 at 127.0.0.1:\d+: Connect to .* failed: "
                     "Connection refused", 60)
    began = time.monotonic()
    tap.equal(endless.stop(10), 0, "without it, it is said, and a signal ends it")
    tap.ok(time.monotonic() - began < 5, "soon", time.monotonic() - began)
    tap.equal(len(frames_in(path)), FIRST, "with what is written")


def second_signal(tap, lab):
    """The first signal ends it in good order, and the second one at once, whatever it does then."""
    following = Following(lab, "unreachable")
    following.wait(FIRST)
    for signo in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
        os.kill(following.process.pid, signo)
    tap.equal(following.process.wait(5), -signal.SIGTERM, "a second signal ends it at once")


def main():
    tap = Tap()
    with Lab("rtchanged") as lab:
        lab.start_broker()
        for part in (remade, deleted, older_records, left_alone, removed, transactions,
                     append_time, unreachable, lost_leader, second_signal):
            tap.run(part, lab)
            lab.end_programs()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
