# SPDX-License-Identifier: BSD-3-Clause
"""Show ringtap at work: real packets into a real Kafka, read back and compared."""

import os
import pathlib
import re
import shutil
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lab import (
    INTERFACE,
    JUMBO_MTU,
    Arguments,
    Lab,
    LabBusy,
    LabError,
    call,
    compare,
    need_root,
    positive,
    prepare,
    read_records,
    wait_for,
)

NAME = "ringtap-demo"  # of the instance, of the network namespace and of the topic
COUNT, RATE = 30_000, 3_000
BUFFER_MEMORY = "160MiB"  # room for all of them: nothing is dropped, however slow Kafka starts
PARTITIONS = 16
MOCK_PARTITIONS = 64  # each keeps its newest 5 MiB only
KEPT_RATE, KEPT_S = 100, 3600
PATIENCE_S = 10  # without any progress
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
USAGE = """\
Usage: tools/demo [--count N | --pcap FILE [--count N]] [--embedded] [--keep]
       tools/demo --stop

Shows ringtap at work, without a NIC: sets the machine up (tools/setup), builds, starts a
Kafka broker, capture-primary on a virtual device and kafka-secondary with two workers,
sends packets, shows the table of counters every second, reads everything back from Kafka
and compares it byte for byte with what was sent. Then it ends and removes what it started.
Needs root. Takes about half a minute once the machine is set up.

  --count N    packets to send (default 30000; with --pcap all of the file)
  --pcap FILE  send the packets of this capture instead of generated ones
  --embedded   librdkafka's mock cluster instead of Apache Kafka: no Java is started
  --keep       leave everything running, and print what to try next
  --stop       end what --keep left running
  --help       this text

The last line is "demo: N packets sent, N in Kafka, byte for byte equal": the first number
is the sender's, the second that of a consumer that shares no code with ringtap's writer.

Exit: 0 equal; 1 a difference or a failure, which the last line describes; 2 usage.
"""


def say(text):
    print(f"demo: {text}", flush=True)


# ---- Kafka: each of the two knows how to start and how to read back ------------------------------

class RealKafka:
    """Apache Kafka, read back with its own Java client."""

    def __init__(self, lab):
        self.lab = lab
        say("starting Apache Kafka")
        say(f"broker ready at {lab.start_broker()}")
        lab.create_topic(PARTITIONS, settings=["message.timestamp.type=LogAppendTime"])
        say(f"topic {lab.topic} has {PARTITIONS} partitions")

    def records(self):
        say("reading the topic back with Kafka's own Java client")
        return self.lab.read_topic()


class MockKafka:
    """librdkafka's mock cluster, read while it is written with kafka-python."""

    def __init__(self, lab):
        mock = lab.start("mock-cluster", [
            lab.tool("mock-cluster"), "--topic", lab.topic,
            "--partitions", MOCK_PARTITIONS])
        ready = wait_for(lambda: re.search(r"^bootstrap\.servers=(.+)$", mock.output(), re.M),
                         "mock cluster", 10)
        lab.bootstrap = ready[1]
        say(f"broker ready at {lab.bootstrap}: mock cluster, pid {mock.pid}")
        self.path = lab.directory / "topic.records"
        self.reader = lab.start("read-topic", [
            "/usr/bin/python3", HERE / "read_topic.py", lab.bootstrap, lab.topic, self.path])
        self.reader.wait_log("reading .* partitions")
        say(f"topic {lab.topic} has {MOCK_PARTITIONS} partitions; kafka-python reads them all")

    def records(self):
        say("waiting for the consumer to reach the end")
        if self.reader.stop() != 0:
            raise LabError(f"the consumer failed: {self.reader.log().splitlines()[-1]}")
        return read_records(self.path)


# ---- the steps -----------------------------------------------------------------------------------

def start_ringtap(lab):
    lab.write_config({"buffer-memory": BUFFER_MEMORY})
    primary = lab.start_primary()
    say(f"capture-primary ready, pid {primary.pid}: captures what is sent to {INTERFACE}, "
        f"in a network namespace of its own")
    secondary = lab.start_secondary(workers=2)
    say(f"kafka-secondary attached, pid {secondary.pid}: two workers")


def start_traffic(lab, options):
    if options.pcap:
        say(f"sending the packets of {options.pcap}, {RATE} per second")
        return lab.start_traffic(options.count or 0, RATE, replay=options.pcap)
    count = options.count or COUNT
    say(f"sending {count} packets of 60 to {JUMBO_MTU} bytes, {RATE} per second")
    return lab.start_traffic(count, RATE, max_frame=JUMBO_MTU)


def show_table(lab):
    print("\n" + call(lab.program("stats-tool", "stats-tool"), "-i", lab.name), end="", flush=True)


def watch(lab, sender):
    """Shows the table every second until all that was sent is delivered, or nothing moves."""
    delivered, moved = 0, time.monotonic()
    while time.monotonic() - moved < PATIENCE_S:
        time.sleep(1)
        before, delivered = delivered, lab.stats()["balance"]["kaf"]["out"]
        if not sender.is_running() and delivered >= sender.finish().count:
            lab.wait_drained(sender.count)
            break
        show_table(lab)
        if sender.is_running() or delivered != before:
            moved = time.monotonic()
    show_table(lab)
    print(flush=True)


def check_counters(lab):
    rc, text = lab.check()
    if rc != 0:
        raise LabError(f"stats-tool --check: {text}")
    say(f"the counters agree: {text.splitlines()[-1].removeprefix('check: ')}")


def verdict(sender, records):
    """Returns the last line and the exit code."""
    values = [record.value for record in records]
    missing, extra, duplicates = compare(sender.frames(), values)
    counts = f"{sender.count} packets sent, {len(values)} in Kafka"
    for what, frames in (("missing", missing), ("altered", extra), ("duplicated", duplicates)):
        if frames:
            say(f"the first one {what}, {len(frames[0])} bytes: {frames[0][:64].hex()}")
    if missing or extra or duplicates or len(values) != sender.count:
        return (f"{counts}: {len(missing)} missing, {len(extra)} altered or not sent, "
                f"{len(duplicates)} duplicated"), 1
    if not values:
        return f"{counts}: there was nothing to send", 1
    return f"{counts}, byte for byte equal", 0


def keep(lab):
    """Leaves it all running, with some traffic, and says what to try."""
    lab.start("traffic-gen", [
        "ip", "netns", "exec", lab.name, lab.tool("traffic-gen"),
        "--interface", INTERFACE, "--rate", KEPT_RATE, "--count", KEPT_RATE * KEPT_S, "--seed", 2])
    lab.keep()
    build, config = os.path.relpath(lab.build), os.path.relpath(lab.config_path)
    kafka_to_pcap = (f"{build}/tools/kafka-to-pcap/kafka-to-pcap "
                     f"-b {lab.bootstrap} -t {lab.topic} --follow --from-end -w -")
    say(f"everything stays, and {KEPT_RATE} packets per second keep coming for an hour. Try next:")
    print(f"""
  watch the table:
    {build}/stats-tool/stats-tool -i {lab.name} --watch
  stop the secondary; packets wait in the rings:
    kill {lab.secondaries[0].pid}
  start it again, or one more; the packets that waited come first:
    {build}/kafka-secondary/kafka-secondary -c {config} --workers 2
  open Wireshark on the topic (on a machine without a screen: | tshark -r -):
    {kafka_to_pcap} | wireshark -k -i -
  end it:
    tools/demo --stop
""", flush=True)


def run(options):
    """Returns the last line and the exit code."""
    with Lab(NAME) as lab:
        lab.topic = NAME  # so that nothing else writes to it
        try:
            kafka = (MockKafka if options.embedded else RealKafka)(lab)
            start_ringtap(lab)
            sender = start_traffic(lab, options)
            watch(lab, sender)
            if drops := lab.stats()["balance"]["rx"]["drops"]:
                say(f"{drops} packets were dropped: the rings were full because Kafka was too slow")
            last = verdict(sender, kafka.records())
            if last[1] == 0:
                check_counters(lab)
            if options.keep:
                keep(lab)
            elif last[1] == 0:
                lab.stop()
                say("stopped in good order")
        except SystemExit:
            for signo in END_SIGNALS:
                signal.signal(signo, signal.SIG_IGN)  # one is enough: now all is ended
            raise
    if last[1] == 0 and not options.keep:
        shutil.rmtree(lab.directory)
    return last


def stop():
    """Ends what --keep left."""
    if not Lab.remove(NAME):
        return "nothing is running", 0
    shutil.rmtree(Lab(NAME).directory, ignore_errors=True)
    return "everything is stopped and removed", 0


def parse_options():
    parser = Arguments("demo", USAGE)
    parser.add_argument("--count", type=positive(9))
    parser.add_argument("--pcap")
    for flag in ("--embedded", "--keep", "--stop"):
        parser.add_argument(flag, action="store_true")
    options, _ = parser.parse()
    if options.pcap and not (os.path.isfile(options.pcap) and os.access(options.pcap, os.R_OK)):
        parser.error(f"--pcap {options.pcap}: not a readable file")
    if options.stop and (options.count or options.pcap or options.embedded or options.keep):
        parser.error("--stop goes alone")
    return options


def main():
    options = parse_options()
    if options.stop:
        need_root("demo")
    else:
        prepare("demo")
    for signo in END_SIGNALS:
        signal.signal(signo, lambda number, _: sys.exit(128 + number))
    try:
        if not options.stop and Lab.is_kept(NAME):
            raise LabError("a demo that was kept is still running; end it with: tools/demo --stop")
        line, rc = stop() if options.stop else run(options)
    except LabBusy:
        line, rc = "another demo is running; wait for its end, or press Ctrl-C there", 1
    except LabError as error:
        line, rc = str(error), 1
    except SystemExit as ended:
        line, rc = "interrupted; everything is stopped and removed", ended.code
    say(line)
    return rc


if __name__ == "__main__":
    sys.exit(main())
