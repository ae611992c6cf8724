#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""kafka-to-pcap on a real Kafka, and tshark: what is written is what was asked for. Prints TAP.

Records are made here, with the headers of `headers: basic`, over an hour that is past; so every
loss, repetition and restart is known. The programs are those of the build directory $RINGTAP_BUILD
(default: build/). Needs root.
"""

import collections
import contextlib
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time

from producer import Producer
from tap import Tap

from lab import Lab, Program, read_pcap, wait_for

COUNT = 3_600  # packets, one a second
PARTITIONS = 4
PORTS = ["0000:03:00.0", "net_tap0"]  # of sensor "probe"; each has one queue with two rings
FLOWS = 8
WIRE_BYTES = 1_514
LOST = {40, 41, 42, 400, 1_111, 2_222}  # packets that were numbered and are not there
REPEATED = range(700, 720)  # sent twice
RESTART = 1_800  # the second port starts again here
PRODUCE_DELAY_S = 2  # a record is made so long after its packet was captured
NOBODY = 65_534

Packet = collections.namedtuple("Packet", "time_ns port ring seq frame")


# ---- what is there -------------------------------------------------------------------------------

def frame_of(number):
    """A UDP packet, of a flow by its number, in one direction or the other."""
    flow = number % FLOWS
    ends = [(bytes([10, 0, 0, 1]), 1000 + flow), (bytes([10, 0, 1, flow]), 53)]
    source, target = ends if number // FLOWS % 2 else reversed(ends)
    payload = struct.pack(">I", number) * 5
    udp = struct.pack(">HHHH", source[1], target[1], 8 + len(payload), 0)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp) + len(payload), 0, 0, 64, 17, 0)
    return (b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" + ip + source[0] + target[0] + udp + payload)


def make_packets(begin_ns):
    """The packets that are there, in the order of time, and how many numbers each port lost."""
    seq, packets, lost = collections.Counter(), [], collections.Counter()
    for number in range(COUNT):
        port, ring = number % 2, number // 2 % 2
        if number == RESTART:
            seq[1, 0] = seq[1, 1] = 0
        seq[port, ring] += 1
        if number in LOST:
            lost[port] += 1
            continue
        time_ns = begin_ns + number * 1_000_000_000 + number  # the unit of keys does not tell it
        packets.append(Packet(time_ns, port, ring, seq[port, ring], frame_of(number)))
    return packets, lost


def headers_of(packet):
    return [("wl", struct.pack(">I", WIRE_BYTES)),
            ("if", f"probe:{PORTS[packet.port]}".encode()),
            ("q", struct.pack(">HH", 0, packet.ring)),
            ("seq", struct.pack(">Q", packet.seq)),
            ("ts", struct.pack(">Q", packet.time_ns))]


class Writer:
    """Writes records to a topic of the laboratory."""

    def __init__(self, lab, topic):
        lab.create_topic(PARTITIONS, topic)
        self.topic = topic
        self.producer = Producer(lab.bootstrap)

    def packet(self, packet, headers=None, unit_ns=1_000):
        self.record(packet.time_ns, packet.port + 2 * packet.ring, packet.frame, headers, unit_ns)

    def record(self, time_ns, partition, value, headers=None, unit_ns=1_000, key=None,
               made_ns=None):
        self.producer.send(self.topic, partition=partition, headers=headers,
                           key=struct.pack(">Q", time_ns // unit_ns) if key is None else key,
                           value=value,
                           timestamp_ms=(made_ns or time_ns) // 1_000_000
                           + PRODUCE_DELAY_S * 1_000)

    def poison(self, time_ns):
        """A record that is no packet, in each partition: whoever reads it says so."""
        for partition in range(PARTITIONS):
            self.record(time_ns, partition, b"no packet", key=b"none")

    def finish(self):
        self.producer.flush()
        self.producer.close()


def write_hour(lab, topic, packets):
    """All of it, between two poisoned ends."""
    writer = Writer(lab, topic)
    writer.poison(packets[0].time_ns - 60_000_000_000)
    for number, packet in enumerate(packets):
        writer.packet(packet, headers_of(packet))
        if number in REPEATED:
            writer.packet(packet, headers_of(packet))
    writer.poison(packets[-1].time_ns)
    writer.finish()


# ---- the program and its files -------------------------------------------------------------------

Run = collections.namedtuple("Run", "code err")


def program(lab):
    return lab.program("tools", "kafka-to-pcap", "kafka-to-pcap")


def read_back(lab, *options):
    # Packets are a second apart: a window that holds some of each partition puts them in order.
    words = [str(word) for word in (program(lab), "--window", 60_000, *options)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=90, check=False)
    return Run(done.returncode, done.stderr)


def counts(run):
    """The numbers of the last line: written, duplicates, late, skipped."""
    last = run.err.splitlines()[-1] if run.err else ""
    return [int(part.split()[0]) for part in last.split(",")] if "packets written" in last else last


def tshark_fields(path, *fields):
    words = ["tshark", "-r", path, "-T", "fields", *(w for f in fields for w in ("-e", f))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def statistics_blocks(path):
    """{interface number: (received, dropped)} of a pcapng file's statistics."""
    found, data = {}, pathlib.Path(path).read_bytes()
    while data:
        kind, length = struct.unpack_from("=II", data)
        block, data = data[8:length - 4], data[length:]
        if kind == 5:
            options, place = {}, 12
            while place < len(block):
                code, size = struct.unpack_from("=HH", block, place)
                options[code] = block[place + 4:place + 4 + size]
                place += 4 + (size + 3) // 4 * 4
            found[struct.unpack_from("=I", block)[0]] = tuple(
                struct.unpack("=Q", options[code])[0] for code in (4, 5))
    return found


def same_list(tap, got, wanted, name):
    """As tap.equal(), for long lists: only the first difference is shown."""
    differing = [(i, g, w) for i, (g, w) in enumerate(zip(got, wanted, strict=False))
                 if g != w]
    tap.ok(got == wanted, name,
           f"{len(got)} of {len(wanted)}; first to differ (place, got, wanted): {differing[:1]}")


def seconds(time_ns):
    return f"{time_ns // 1_000_000_000}.{time_ns % 1_000_000_000:09}"


def utc(time_ns):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_ns // 1_000_000_000))


# ---- the parts -----------------------------------------------------------------------------------

class Hour:
    """The topic that most parts read."""

    def __init__(self, lab):
        self.begin_ns = (time.time_ns() // 1_000_000_000 - COUNT - 120) * 1_000_000_000
        self.packets, self.lost = make_packets(self.begin_ns)
        self.topic = "hour"
        write_hour(lab, self.topic, self.packets)
        lab.write_config({"topic": self.topic, "kafka": {
            "global": {"enable.idempotence": True, "linger.ms": 20, "batch.size": 100_000,
                       "compression.codec": "lz4", "queue.buffering.max.messages": 1_000,
                       "message.send.max.retries": 5, "client.id": "probe"},
            "topic": {"acks": -1, "message.timeout.ms": 0}}})
        self.config = lab.config_path

    def at(self, number):
        return self.begin_ns + number * 1_000_000_000

    def between(self, first, last):
        return [p for p in self.packets if self.at(first) <= p.time_ns < self.at(last)]


def frames(packets):
    return [(p.time_ns // 1_000, p.frame) for p in packets]


def everything(tap, lab, hour):
    path = lab.directory / "all.pcapng"
    run = read_back(lab, "-c", hour.config, "-w", path, "--format", "pcapng", "--unique",
                    "--require-complete")
    tap.equal(counts(run), [len(hour.packets), len(REPEATED), 0, 2 * PARTITIONS],
              "the last line counts all packets, duplicates and what is no packet")
    same_list(tap, tshark_fields(path, "frame.interface_name", "frame.time_epoch", "frame.cap_len",
                                 "frame.len"),
              [[f"probe:{PORTS[p.port]}", seconds(p.time_ns), str(len(p.frame)), str(WIRE_BYTES)]
               for p in hour.packets],
              "tshark reads interface, time in ns, captured and wire length of each, in order")
    received = collections.Counter(p.port for p in hour.packets)
    tap.equal(statistics_blocks(path),
              {port: (received[port] + hour.lost[port], hour.lost[port]) for port in (0, 1)},
              "the statistics of each interface have its drops")
    tap.equal(run.code, 12, "--require-complete: packets are missing")


def completeness(tap, lab, hour):
    run = read_back(lab, "-c", hour.config, "--check")
    tap.equal(run.code, 0, "--check alone tells, and judges nothing")
    lines = run.err.splitlines()[1:]  # the first one names what is no packet
    half, whole = RESTART // 4, COUNT // 4
    missing = collections.defaultdict(list)
    for number in sorted(LOST):
        missing[number % 2, number // 2 % 2].append(number // 4 + 1)
    wanted = []
    for port in (0, 1):
        for ring in (0, 1):
            repeated = sum((p.port, p.ring) == (port, ring)
                           for n, p in enumerate(hour.packets) if n in REPEATED)
            runs = [(1, whole, missing[port, ring])] if port == 0 else [
                (1, half, [s for s in missing[port, ring] if s <= half]),
                (1, whole - half, [s - half for s in missing[port, ring] if s > half])]
            for i, (first, last, gaps) in enumerate(runs):
                note = f" run {i + 1} of {len(runs)}" if len(runs) > 1 else ""
                wanted.append(
                    f"stream probe:{PORTS[port]} queue 0 ring {ring}{note}: {first} to {last}, "
                    f"{last - len(gaps)} received, {len(gaps)} missing, "
                    f"{0 if i else repeated} duplicates")
                if gaps:
                    wanted.append("  missing: " + " ".join(str(gap) for gap in gaps))
    wanted.append(f"4 streams: {len(hour.packets)} received, {len(LOST)} missing, {len(REPEATED)} "
                  "duplicates, 2 restarts; 0 packets without a sequence number")
    wanted.append("kafka-to-pcap: incomplete: packets are missing")
    same_list(tap, lines[:-1], wanted, "the report: runs, what is missing, duplicates, restarts")
    clean = read_back(lab, "-c", hour.config, "--check", "--require-complete", "--from",
                      seconds(hour.at(2_300)), "--to", seconds(hour.at(3_000)))
    tap.equal(clean.code, 0, "--require-complete: nothing is missing in a part of the hour")


def verdicts(tap, lab, hour):
    """What is not proved is no success."""
    part = hour.between(2_300, 3_000)
    writer = Writer(lab, "part")
    for packet in part:
        writer.packet(packet, headers_of(packet))
    writer.finish()
    words = ["-b", lab.bootstrap, "-t", "part", "--require-complete"]
    run = read_back(lab, *words, "--check")
    tap.ok(run.code == 0 and "kafka-to-pcap: complete: " in run.err, "all is there: complete", run)
    run = read_back(lab, *words, "--count", 100, "-w", lab.directory / "count.pcap")
    tap.ok(run.code == 12 and "not proved: reading ended before everything was read" in run.err,
           "--count ends it: not proved", run)
    following = lab.start("following", [program(lab), *words, "--follow", "-w", "-"])
    wait_for(lambda: following.out_path.stat().st_size > len(part) * len(part[0].frame),
             "all packets of the part", 20)
    tap.ok(following.stop() == 12 and "not proved: reading ended before" in following.log(),
           "stopped by a signal: not proved", following.log())
    writer = Writer(lab, "part-2")
    for packet in part[:10]:
        writer.packet(packet, headers_of(packet))
    writer.packet(part[10])
    writer.finish()
    run = read_back(lab, "-b", lab.bootstrap, "-t", "part-2", "--check", "--require-complete")
    tap.ok(run.code == 12 and "not proved: some packets have no sequence number" in run.err,
           "a packet without a number: not proved", run)


def ranges(tap, lab, hour):
    path = lab.directory / "range.pcap"
    for first, last, options in (
            (600, 660, ["--from", utc(hour.at(600)), "--to", utc(hour.at(660))]),
            (1_799, 1_802, ["--from", seconds(hour.at(1_799)), "--to", seconds(hour.at(1_802))]),
            (-500, 3, ["--to", utc(hour.at(3))])):
        run = read_back(lab, "-c", hour.config, "-w", path, "--unique", *options)
        same_list(tap, list(read_pcap(path)), frames(hour.between(first, last)),
                  f"exactly the packets of {' '.join(options)}")
        poisoned = PARTITIONS if first < 0 else 0
        tap.equal(counts(run)[3], poisoned, "and what is far from them was not read")
    run = read_back(lab, "-c", hour.config, "-w", path, "--from", "-10m")
    times = [time_us for time_us, _ in read_pcap(path)]
    since = time.time_ns() // 1_000 - 600_000_000
    tap.ok(times and since - 30_000_000 < times[0] < since + 5_000_000,
           "--from -10m begins ten minutes before now", times[:1])
    tap.equal(times[-1:], [hour.packets[-1].time_ns // 1_000], "and goes on to the last one")
    began = time.monotonic()
    run = read_back(lab, "-c", hour.config, "-w", path, "--follow", "--from-end", "--margin-s", 1,
                    "--to", seconds(time.time_ns() + 3_000_000_000))
    tap.ok(run.code == 0 and 3 < time.monotonic() - began < 20,
           "--follow ends after --to, when nothing comes, too", run)


def late_ones(tap, lab, hour):
    """A ring that had to wait for Kafka brings old packets after newer ones."""
    del hour
    begin_ns = (time.time_ns() // 1_000_000_000 - 600) * 1_000_000_000
    numbers = [*range(109), 99, *range(109, 200), 98]  # 98 is too late for the margin
    writer = Writer(lab, "late")
    for number in numbers:
        time_ns = begin_ns + number * 1_000_000_000
        writer.packet(Packet(time_ns, 0, 0, 0, frame_of(number)))
    writer.finish()
    path = lab.directory / "late.pcap"
    for margin, wanted in ((10, 101), (120, 102)):
        run = read_back(lab, "-b", lab.bootstrap, "-t", "late", "-w", path, "--window", 200_000,
                        "--margin-s", margin, "--to", seconds(begin_ns + 100 * 1_000_000_000))
        tap.equal(counts(run)[0], wanted, f"margin {margin} s: what came late within it is there")


def wild_times(tap, lab, hour):
    """One record with a time far ahead, or behind, in two of the partitions."""
    packets = hour.packets[:800]
    wild = {100: 86_400, 101: 10_000_000, 400: -86_400}
    writer = Writer(lab, "wild")
    for number, packet in enumerate(packets):
        if number in wild:
            writer.record(packet.time_ns + wild[number] * 1_000_000_000, number % 2, b"wild" * 15,
                          made_ns=packet.time_ns)
        writer.packet(packet)
    writer.finish()
    path = lab.directory / "wild.pcap"
    read_back(lab, "-b", lab.bootstrap, "-t", "wild", "-w", path, "--window", 0)
    got = list(read_pcap(path))
    same_list(tap, [p for p in got if b"wild" not in p[1]], frames(packets),
              "wild times do not spoil the order of the rest, and no window is needed for it")
    tap.equal(len(got), len(packets) + len(wild), "and they are there, too")


def added_partitions(tap, lab, hour):
    """Partitions that come while it follows the topic."""
    writer = Writer(lab, "growing")
    writer.packet(hour.packets[0])
    path = lab.directory / "growing.pcap"
    following = lab.start("growing", [program(lab), "-b", lab.bootstrap, "-t", "growing", "-w",
                                      path, "--follow", "--count", "3"])
    wait_for(lambda: path.exists() and path.stat().st_size > 24, "the first packet", 20)
    lab.kafka_topic("add-partitions", "growing", PARTITIONS + 2)
    writer.finish()
    with contextlib.closing(Producer(lab.bootstrap)) as producer:
        for number in (1, 2):
            producer.send("growing", partition=PARTITIONS - 1 + number,
                          value=hour.packets[number].frame,
                          key=struct.pack(">Q", hour.packets[number].time_ns // 1_000)).get(20)
    tap.equal(following.wait(30), 0, "it ends when packets of the added partitions have come")
    same_list(tap, list(read_pcap(path)), frames(hour.packets[:3]), "and has them all")


def filters(tap, lab, hour):
    path = lab.directory / "flow.pcap"
    one = [p for p in hour.packets if bytes([10, 0, 1, 3]) in p.frame[26:34]]
    run = read_back(lab, "-c", hour.config, "-w", path, "--unique", "--filter",
                    "host 10.0.0.1 and host 10.0.1.3 and port 1003")
    same_list(tap, list(read_pcap(path)), frames(one), "a filter for a flow: both directions of it")
    tap.ok(f"{len(hour.packets)} received, {len(LOST)} missing" in run.err,
           "and completeness is that of all packets", run.err)
    path = lab.directory / "none.pcap"
    wrong = read_back(lab, "-c", hour.config, "-w", path, "--filter", "hst x")
    tap.ok(wrong.code == 2 and "--filter: hst x: " in wrong.err and not path.exists(),
           "a wrong filter is exit 2, its reason, and no file", wrong)


def plain_records(tap, lab, hour):
    """Without headers, and with headers that are invalid."""
    writer = Writer(lab, "plain")
    for packet in hour.packets[:100]:
        writer.packet(packet)
    writer.finish()
    path = lab.directory / "plain.pcapng"
    run = read_back(lab, "-b", lab.bootstrap, "-t", "plain", "-w", path, "--format", "pcapng")
    same_list(tap, tshark_fields(path, "frame.interface_name", "frame.time_epoch", "frame.len"),
              [["kafka:plain", seconds(p.time_ns // 1_000 * 1_000), str(len(p.frame))]
               for p in hour.packets[:100]], "without headers: one interface with the topic's name")
    tap.equal(run.err, "100 packets written, 0 duplicates removed, 0 late, 0 skipped\n",
              "and one line")
    run = read_back(lab, "-c", hour.config, "-t", "plain", "--check", "--require-complete")
    tap.ok(run.code == 12 and "no packet has a sequence number" in run.err,
           "--require-complete without sequence numbers: not proved", run)

    writer = Writer(lab, "hostile")
    broken = [("wl", b"1"), ("if", b"\x1b[31m:x"), ("q", b""), ("seq", bytes(8)), ("ts", bytes(9))]
    lies = [("wl", b"\xff\xff\xff\xff"), ("if", "sönsor:p".encode()), ("ts", bytes(8)),
            ("other", b"")]
    for number, headers in enumerate((broken, lies) * 10):
        writer.packet(hour.packets[number], headers)
    writer.finish()
    path = lab.directory / "hostile.pcapng"
    run = read_back(lab, "-b", lab.bootstrap, "-t", "hostile", "-w", path, "--format", "pcapng")
    same_list(tap, tshark_fields(path, "frame.interface_name", "frame.time_epoch", "frame.len"),
              [["sönsor:p" if n % 2 else "kafka:hostile", seconds(p.time_ns // 1_000 * 1_000),
                str(len(p.frame))] for n, p in enumerate(hour.packets[:20])],
              "headers that are malformed or contradict the record are left out")
    tap.ok("50 malformed headers" in run.err and "\x1b" not in run.err, "and counted", run.err)


def nanoseconds(tap, lab, hour):
    writer = Writer(lab, "ns")
    for packet in hour.packets[:50]:
        writer.packet(packet, unit_ns=1)
    writer.finish()
    path = lab.directory / "ns.pcap"
    run = read_back(lab, "-b", lab.bootstrap, "-t", "ns", "-w", path, "--key-unit", "ns")
    same_list(tap, tshark_fields(path, "frame.time_epoch"),
              [[seconds(p.time_ns)] for p in hour.packets[:50]],
              "--key-unit ns: a pcap file with times in ns")
    run = read_back(lab, "-b", lab.bootstrap, "-t", "ns", "-w", path)
    tap.ok(counts(run)[3] == 50 and "--key-unit ns" in run.err,
           "taken for us, they are no packets, and the reason names the option", run.err)
    run = read_back(lab, "-c", hour.config, "-w", path, "--key-unit", "ns", "--from",
                    seconds(hour.begin_ns))
    tap.ok(counts(run) == [0, 0, 0, len(hour.packets) + len(REPEATED) + PARTITIONS]
           and "its time is before 1973; if keys are in us: --key-unit us\n" in run.err,
           "and the other way round", run.err)


def configuration(tap, lab, hour):
    text = hour.config.read_text()
    other = lab.directory / "other.yaml"
    path = lab.directory / "config.pcap"
    other.write_text(text.replace(lab.bootstrap, "127.0.0.1:1").replace('"hour"', '"nowhere"'))
    run = read_back(lab, "-c", other, "-b", lab.bootstrap, "-t", hour.topic, "-c", 5, "-w", path)
    tap.equal((run.code, len(list(read_pcap(path)))), (0, 5),
              "-b and -t go before the file, and -c is --count, too")
    run = read_back(lab, "-c", other, "-w", lab.directory / "none.pcap")
    tap.ok(run.code == 1 and "no answer from 127.0.0.1:1: " in run.err,
           "the brokers of the file are named when they do not answer", run)
    other.write_text(text.replace('linger.ms', 'linger.min'))
    run = read_back(lab, "-c", other, "-w", lab.directory / "none.pcap")
    tap.ok(run.code == 3 and f"{other}:" in run.err and "kafka.global.linger.min: " in run.err,
           "a property that there is not: exit 3; file, line, column, name", run)
    run = read_back(lab, "-c", hour.config, "-X", "linger.min=1", "-w", lab.directory / "none.pcap")
    tap.ok(run.code == 2 and '"linger.min"' in run.err, "the same on the command line: exit 2", run)
    other.write_text(text.replace(
        'linger.ms: 20', 'security.protocol: ssl\n    ssl.ca.location: /nowhere'))
    run = read_back(lab, "-c", other, "-w", lab.directory / "none.pcap")
    tap.ok(run.code == 3 and "ssl.ca.location failed" in run.err,
           "TLS settings reach the client, and a wrong one is exit 3", run)
    run = read_back(lab, "-c", hour.config, "-X", "security.protocol=ssl", "-X",
                    "ssl.ca.location=/nowhere", "-w", lab.directory / "none.pcap")
    tap.ok(run.code == 2 and "ssl.ca.location failed" in run.err,
           "the same on the command line: exit 2", run)
    run = read_back(lab, "-c", lab.directory / "missing.yaml", "-w", path)
    tap.equal(run.code, 3, "no configuration file: exit 3")


def foreign_records(tap, lab, hour):
    """What ringtap did not write is counted, and the first one is named."""
    writer = Writer(lab, "foreign")
    begin_ns = hour.packets[0].time_ns
    for value, key in ((None, None), (b"", None), (b"x", b"7 bytes"), (b"x", b"")):
        writer.record(begin_ns, 0, value, key=key)
    for packet in hour.packets[:3]:
        writer.packet(packet)
    writer.finish()
    path = lab.directory / "foreign.pcap"
    run = read_back(lab, "-b", lab.bootstrap, "-t", "foreign", "-w", path)
    tap.equal(run, Run(0, "kafka-to-pcap: partition 0, offset 0: no packet: no value\n"
                       "3 packets written, 0 duplicates removed, 0 late, 4 skipped\n"),
              "a tombstone, no value, other keys: skipped, one line")
    same_list(tap, list(read_pcap(path)), frames(hour.packets[:3]), "and the packets are there")


def ends(tap, lab, hour):
    """Topics and files without content."""
    lab.create_topic(1, "empty")
    path = lab.directory / "empty.pcap"
    run = read_back(lab, "-c", hour.config, "-t", "empty", "-w", path)
    tap.equal((run.code, list(read_pcap(path))), (0, []), "an empty topic: an empty file")
    run = read_back(lab, "-c", hour.config, "-t", "empty", "--check", "--require-complete")
    tap.ok(run.code == 12 and "not proved: there is no packet" in run.err, "which proves nothing",
           run)
    path = lab.directory / "nowhere.pcap"
    run = read_back(lab, "-c", hour.config, "-t", "nowhere", "-w", path)
    tap.equal(run, Run(1, "kafka-to-pcap: topic nowhere: does not exist\n"),
              "no such topic: one line")
    tap.ok(not path.exists(), "and no file")
    run = read_back(lab, "-c", hour.config, "-w", "/dev/full")
    tap.ok(run.code == 1 and "kafka-to-pcap: /dev/full: No space left on device\n" in run.err,
           "a full disk is an error", run)
    tap.ok(run.err.splitlines()[-1].startswith("at most "), "and nothing is said to be there", run)
    words = f"{program(lab)} -c {hour.config}"
    pipe = f"{words} -w - | head -c 100 | wc -c; echo ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True, timeout=60,
                         check=False)
    tap.ok(run.stdout == "100\n0\n" and "kafka-to-pcap: -:" not in run.stderr,
           "a reader that has seen enough is none", run)
    for form in ("pcap", "pcapng"):
        run = subprocess.run(["sh", "-c", f"{words} -w - --format {form} >&-"], check=False,
                             stderr=subprocess.PIPE, text=True, timeout=60)
        tap.equal((run.returncode, run.stderr), (1, "kafka-to-pcap: -: Bad file descriptor\n"),
                  f"a closed stdout takes no packet: one line ({form})")
    path = lab.directory / "quiet.pcap"
    quiet = lab.start("quiet", ["bash", "-c", f"exec {words} -w {path} --follow 2>&-"])
    wait_for(lambda: path.exists() and path.stat().st_size > 24, "packets in its file", 20)
    tap.equal(os.readlink(f"/proc/{quiet.pid}/fd/2"), "/dev/null",
              "a closed stderr does not become a connection")
    tap.equal(quiet.stop(), 0, "and it ends in good order")


def answers(tap, lab, hour):
    """What is printed is not lost without a word."""
    del hour
    for word in ("--help", "--version", "--extcap-interfaces"):
        for where, why in ((">/dev/full", "No space left on device"),
                           (">&-", "Bad file descriptor")):
            run = subprocess.run(["sh", "-c", f"{program(lab)} {word} {where}"], check=False,
                                 env={"RINGTAP_EXTCAP_CONFIG": ""}, stderr=subprocess.PIPE,
                                 text=True, timeout=60)
            tap.equal((run.returncode, run.stderr),
                      (1, f"kafka-to-pcap: cannot write: {why}\n"), f"{word} {where}: one line")


# ---- Wireshark -----------------------------------------------------------------------------------

class Desk:
    """A user of Wireshark, who is not root: it ignores its variable for root."""

    def __init__(self, lab, config):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="ringtap-desk-"))
        os.chown(self.home, NOBODY, NOBODY)
        (self.home / "extcap").mkdir()
        shutil.copy(program(lab), self.home / "extcap")
        shutil.copy(config, self.home / "lab.yaml")
        (self.home / "lab.yaml").chmod(0o644)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "TMPDIR": str(self.home),
            "WIRESHARK_EXTCAP_DIR": str(self.home / "extcap"),
            "RINGTAP_EXTCAP_CONFIG": str(self.home / "lab.yaml")}

    def command(self, *words):
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env", "-i",
                *(f"{name}={value}" for name, value in self.environment.items()), *words]

    def call(self, *words):
        done = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    def processes(self):
        """Those of our program that are still there."""
        found = []
        for exe in pathlib.Path("/proc").glob("[0-9]*/exe"):
            with contextlib.suppress(OSError):
                if os.readlink(exe).startswith(str(self.home)):
                    found.append(exe.parts[2])
        return found

    def remove(self):
        shutil.rmtree(self.home)


def capture_live(lab, desk, topic, packets, *words):
    """What tshark shows of packets that are written while it captures."""
    tshark = lab.start("tshark", desk.command("tshark", "-l", "-n", "-T", "fields", "-e",
                                              "frame.interface_name", "-e", "frame.len", "-e",
                                              "udp.port", "-c", "10", *words), kind=Program)
    tshark.wait_log(r"Capturing on ", 30)
    deadline = time.monotonic() + 40
    with contextlib.closing(Producer(lab.bootstrap)) as producer:
        while tshark.is_running() and time.monotonic() < deadline:
            for packet in packets[:32]:
                time_ns = time.time_ns()
                producer.send(topic, partition=packet.port + 2 * packet.ring, value=packet.frame,
                              key=struct.pack(">Q", time_ns // 1_000),
                              headers=headers_of(packet._replace(time_ns=time_ns)))
            producer.flush()
            time.sleep(0.1)
    return tshark.wait(10), [line.split("\t") for line in tshark.output().splitlines()]


def wireshark(tap, lab, hour):
    desk = Desk(lab, hour.config)
    try:
        code, text = desk.call("tshark", "-D")
        tap.ok(code == 0 and "kafka-lab (Kafka topic hour, " in text
               and "kafka (Kafka topic of your choice)" in text,
               "tshark -D: the topic is an interface", text)
        code, text = desk.call("tshark", "-L", "-i", "kafka-lab")
        tap.ok(code == 0 and "EN10MB (Ethernet)" in text, "tshark -L: of Ethernet", text)
        code, shown = capture_live(lab, desk, hour.topic, hour.packets, "-i", "kafka-lab")
        tap.ok(code == 0 and len(shown) == 10
               and {line[0] for line in shown} <= {f"probe:{port}" for port in PORTS}
               and {line[1] for line in shown} == {str(WIRE_BYTES)},
               "a live capture shows packets with their interfaces and wire length", (code, shown))
        wait_for(lambda: not desk.processes(), "end of the extcap program", 20)
        tap.ok(True, "when tshark ends, our program ends")
        code, shown = capture_live(
            lab, desk, hour.topic, hour.packets, "-i", "kafka", "-f", "port 1003",
            "-o", f"extcap.kafka.brokers:{lab.bootstrap}", "-o", f"extcap.kafka.topic:{hour.topic}")
        tap.ok(code == 0 and len(shown) == 10 and all("1003" in line[2] for line in shown),
               "the interface that asks, with a capture filter", (code, shown))
        wait_for(lambda: not desk.processes(), "end of the extcap program", 20)
        extcap = str(desk.home / "extcap" / "kafka-to-pcap")
        out = desk.home / "out.pcapng"
        alone = lab.start("extcap", desk.command(extcap, "--capture", "--extcap-interface",
                                                 "kafka-lab", "--fifo", str(out)))
        wait_for(out.exists, "a capture by the extcap program alone", 20)
        tap.equal(os.stat(f"/proc/{alone.pid}/status").st_uid, 0,
                  "it dumps no core, which would have secrets: the kernel took its /proc away")
        tap.equal((alone.stop(), alone.output() + alone.log()), (0, ""),
                  "it ends in good order without a word: Wireshark takes any for an error")
        tap.equal(tshark_fields(out, "frame.number"), [], "and leaves a file that can be read")
        for text, good in (("host 10.0.0.1", True), ("hst x", False)):
            code, answer = desk.call(extcap, "--extcap-interface", "kafka-lab",
                                     "--extcap-capture-filter", text)
            tap.ok(code == 0 and (answer == "") == good, f"the filter '{text}' is judged", answer)
        code, answer = desk.call(extcap, "--capture", "--extcap-interface", "kafka-nothing",
                                 "--fifo", "x")
        tap.ok(code == 2 and len(answer.splitlines()) == 1, "no such interface: one line", answer)
    finally:
        desk.remove()


def main():
    tap = Tap()
    with Lab("rtback") as lab:
        lab.start_broker()
        hour = Hour(lab)
        for part in (everything, completeness, verdicts, ranges, late_ones, wild_times,
                     added_partitions, filters, plain_records, nanoseconds, configuration,
                     foreign_records, ends, answers, wireshark):
            tap.run(part, lab, hour)
            lab.end_programs()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
