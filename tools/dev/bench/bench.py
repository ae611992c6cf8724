# SPDX-License-Identifier: BSD-3-Clause
"""Measure packets per second from a device to Kafka on this machine, and their cost."""

import collections
import itertools
import math
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lab import TOOLS, Arguments, Lab, LabError, call, prepare

NAME = "ringtap-bench"  # of the instance, of the network namespace and of the topics
SIZES = (64, 256, 1024)
QUICK_SIZES = (256,)
ORDERS = ("strict", "relaxed")
PARTITIONS = (1, 16, 64)
HEADERS_PARTITIONS = 16  # the case that is measured with record headers too
FLOWS = 1024
WORKERS = 2
BUFFER_MEMORY = "128MiB"
RUNS = 3
USAGE = """\
Usage: tools/bench [--quick]

Measures ringtap from a device to a real Kafka on this machine, and prints a table in
Markdown on standard output: packets per second that Kafka acknowledged, and CPU time, for
frames of 64, 256 and 1024 bytes, order strict and relaxed, 1, 16 and 64 partitions.
Needs root, 4 GB of disk, and a machine that does nothing else. Takes about four minutes.

  --quick  frames of 256 bytes only, shorter runs: under one minute
  --help   this text
"""
TICK_S = 1 / os.sysconf("SC_CLK_TCK")

Setting = collections.namedtuple("Setting", "size order partitions headers")
Sample = collections.namedtuple("Sample", "time received dropped delivered primary_s workers_s")
Rates = collections.namedtuple("Rates", "delivered received dropped primary_s workers_s")


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


# ---- measuring -----------------------------------------------------------------------------------

def cpu_seconds(pid):
    """User and system time that a process has used, all threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def sample(lab):
    stats = lab.stats()
    workers = [w["pid"] for w in stats["workers"] if w["state"] == "serving"]
    if len(workers) != WORKERS:
        raise LabError(f"{len(workers)} of {WORKERS} workers are serving")
    balance = stats["balance"]
    return Sample(time.monotonic(), balance["rx"]["in"], balance["rx"]["drops"],
                  balance["kaf"]["out"], cpu_seconds(lab.primary.pid),
                  sum(cpu_seconds(pid) for pid in workers))


def per_million(seconds, packets):
    return seconds / packets * 1e6 if packets else math.inf


def rates(a, b):
    """What happened between two samples. On crowded CPUs that may be nothing at all."""
    seconds, received = b.time - a.time, b.received - a.received
    delivered = b.delivered - a.delivered
    return Rates(delivered / seconds, received / seconds,
                 (b.dropped - a.dropped) / received if received else 0,
                 per_million(b.primary_s - a.primary_s, received),
                 per_million(b.workers_s - a.workers_s, delivered))


def measure(lab, setting, seconds):
    """Returns the Rates of RUNS periods of `seconds` each, after one that does not count."""
    lab.topic = "-".join(map(str, (NAME, *setting)))
    lab.create_topic(setting.partitions)
    lab.write_config({
        "devices": f"net_pcap0,rx_pcap={lab.directory}/{setting.size}.pcap,infinite_rx=1",
        "receive-queues": 1,
        "buffer-memory": BUFFER_MEMORY,
        "order": setting.order,
        "headers": setting.headers,
    })
    lab.start_primary()
    lab.start_secondary(WORKERS)
    samples = []
    for _ in range(RUNS + 1):
        time.sleep(seconds)
        samples.append(sample(lab))
    lab.end_programs()
    lab.kafka_topic("delete", lab.topic)
    return [rates(a, b) for a, b in itertools.pairwise(samples)]


def measure_ring(lab):
    """Returns the packets per second of one ring."""
    return int(call(lab.tool("ring-bench")).split()[0])


def make_frames(lab, sizes):
    for size in sizes:
        call(lab.tool("traffic-gen"), "--pcap",
             lab.directory / f"{size}.pcap", "--count", FLOWS, "--flows", FLOWS, "--kinds", "udp4",
             "--size", size)


# ---- printing ------------------------------------------------------------------------------------

def cpu_model():
    match = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return match[1] if match else platform.machine()


def package_version(name):
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True,
                          text=True, check=True).stdout


def print_machine():
    pom = (TOOLS / "dev" / "kafka-broker" / "pom.xml").read_text()
    kafka = re.search(r"<kafka.version>([^<]*)<", pom)[1]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    print(f"""\
Measured on {time.strftime('%Y-%m-%d')} with `tools/bench`: {cpu_model()}, {os.cpu_count()} CPUs,
{memory:.0f} GiB, Linux {platform.release()}, DPDK {package_version('libdpdk-dev')},
librdkafka {package_version('librdkafka-dev')}, one broker of Apache Kafka {kafka} on the same \
machine.
""", flush=True)


def print_ring(packets_per_s):
    print(f"""\
One ring alone, without device and Kafka, from the receive worker's core to the transmit worker's,
buffers from and back to the mempool: {packets_per_s / 1e6:.1f} million packets/s \
(median of {RUNS} runs of 1 s).
""", flush=True)


def print_head(seconds):
    few = "With so few CPUs, they get what is left. " if os.cpu_count() <= 4 else ""
    print(f"""\
The whole way, from a device to the acknowledgement of Kafka: net_pcap with `infinite_rx` ({FLOWS}
UDP flows, at full speed), one receive queue with four rings, one secondary with {WORKERS}
workers, `buffer-memory: {BUFFER_MEMORY}`, `idle: sleep`, everything else at its default. A row is
the median of {RUNS} consecutive runs of {seconds} s, after a warm-up; range is that of delivered/s.

The device always offers more than Kafka takes: the rings are full, and the receive worker drops the
rest. That is intended. The receive worker is always busy; workers and broker share the CPUs with
it. {few}CPU seconds are per million packets: the primary's per million received, most of which it
drops, the workers' per million delivered.

| frame B | order | partitions | headers | delivered/s | range | MB/s | received/s | dropped \
| primary s/M | workers s/M |
|--:|---|--:|---|--:|--:|--:|--:|--:|--:|--:|""", flush=True)


def print_row(setting, runs):
    median = Rates(*(statistics.median(column) for column in zip(*runs, strict=True)))
    low, high = min(r.delivered for r in runs), max(r.delivered for r in runs)
    print(f"| {setting.size} | {setting.order} | {setting.partitions} | {setting.headers} "
          f"| {median.delivered:,.0f} | {low:,.0f}-{high:,.0f} "
          f"| {median.delivered * setting.size / 1e6:.1f} | {median.received:,.0f} "
          f"| {median.dropped:.1%} | {median.primary_s:.2f} | {median.workers_s:.2f} |", flush=True)


def run(quick):
    sizes, seconds = (QUICK_SIZES, 1) if quick else (SIZES, 2)
    with Lab(NAME) as lab:
        print_machine()
        say("one ring alone")
        print_ring(statistics.median(measure_ring(lab) for _ in range(RUNS)))
        say("starting Apache Kafka")
        lab.start_broker()
        make_frames(lab, sizes)
        say("warming the broker up")
        settings = [Setting(size, order, partitions, headers)
                    for size, order, partitions in itertools.product(sizes, ORDERS, PARTITIONS)
                    for headers in ("none", "basic")[:1 + (partitions == HEADERS_PARTITIONS)]]
        measure(lab, settings[-1], 1)
        print_head(seconds)
        for number, setting in enumerate(settings, 1):
            say(f"{number} of {len(settings)}: {setting.size} B, {setting.order}, "
                f"{setting.partitions} partitions, headers {setting.headers}")
            print_row(setting, measure(lab, setting, seconds))


def main():
    parser = Arguments("bench", USAGE)
    parser.add_argument("--quick", action="store_true")
    options, _ = parser.parse()
    prepare("bench")
    try:
        run(options.quick)
    except (LabError, KeyboardInterrupt) as error:
        print(f"bench: {str(error) or 'interrupted'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
