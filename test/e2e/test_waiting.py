#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A real Kafka that takes no packets for a while: the log and the counters name the cause, the
workers stay, and everything arrives. Prints TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import contextlib
import ctypes
import re
import socket
import subprocess
import sys
import threading

from tap import Tap, same_frames

from lab import KAFKA_BROKER, Lab, LabError, call, compare, wait_for

COUNT = 600
SMALL = {"buffer-memory": "16MiB", "workers": 2}
TIME_ERROR = 5  # of adjtimex(2): the clock is not synchronised
WITHIN_S = 25  # a partition counts as waiting after 5 s; the watcher looks every second


class Door:
    """Passes connections on to a port of the loopback, while it is open."""

    def __init__(self, port):
        self.to = port
        self.listener = None
        self.pairs = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=(self.listener,), daemon=True).start()

    def close(self):
        listener, self.listener = self.listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for end in self.pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.pairs = []

    def _serve(self, listener):
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
                self.pairs += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)


def advertise(lab, port):
    """Restarts the broker so that it names another port than the one it listens on."""
    lab.stop_one_broker(1)
    for path in lab.broker_directory.rglob("server.properties"):
        text = path.read_text()
        path.write_text(re.sub(r"(advertised\.listeners=CLIENT://127\.0\.0\.1):\d+", rf"\1:{port}",
                               text))
    # It would wait for the broker to name its own port.
    with subprocess.Popen([KAFKA_BROKER, "start", "--broker", "1", "--directory",
                           lab.broker_directory], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as start:
        def names_it():
            asked = subprocess.run(["kcat", "-L", "-m", "2", "-b", lab.bootstrap],
                                   capture_output=True, text=True, check=False)
            return f"at 127.0.0.1:{port}" in asked.stdout
        try:
            wait_for(names_it, "the broker's other port", 60)
        finally:
            start.kill()


def waiting_for(lab):
    return {worker["waiting_for"] for worker in lab.stats()["workers"]
            if worker["state"] != "gone"}


def begin(lab, overrides=None):
    lab.write_config({**SMALL, **(overrides or {})})
    lab.start_primary()
    secondary = lab.start_secondary()
    secondary.wait_log(r"topic \S+: \d+ partitions")
    return secondary


def says(tap, lab, secondary, reason, pattern):
    """The log has one line about the cause, the counters name it."""
    wait_for(lambda: reason in waiting_for(lab), f"{reason} in the counters", WITHIN_S)
    tap.equal(waiting_for(lab) - {"nothing"}, {reason}, f"{reason}: the counters say so")
    line = secondary.wait_log(rf"warning kafka: .*{pattern}.*", WITHIN_S)
    tap.ok(line and lab.topic in line[0] and "packets wait" in line[0],
           f"{reason}: the log says so", secondary.log())
    shown = call(lab.program("stats-tool", "stats-tool"), "-i", lab.name)
    tap.ok(re.search(r"worker \d+ \(pid \d+\) waits: .* \(\d+ partitions with packets\)", shown),
           f"{reason}: stats-tool says so", shown)
    tap.equal(len(re.findall("no broker reachable", secondary.log())), 0,
              f"{reason}: brokers are reachable, and the log says nothing else")


def all_arrives(tap, lab, secondary, sent, note):
    lab.wait_delivered(len(sent))
    wait_for(lambda: waiting_for(lab) == {"nothing"}, "nothing that waits", WITHIN_S)
    secondary.wait_log("packets are confirmed again", WITHIN_S)
    tap.equal(lab.stats()["instance"]["workers_died"], 0, f"{note}: no worker ended")
    difference = compare(sent, (record.value for record in lab.read_topic()))
    same_frames(tap, difference, f" ({note})")
    tap.none(difference.duplicates, f"no frame comes twice ({note})")


def leader(tap, lab):
    """The bootstrap address answers, the address that the broker advertises does not."""
    bootstrap = int(lab.start_broker().rpartition(":")[2])
    door = Door(bootstrap)
    lab.create_topic(partitions=8)
    advertise(lab, door.port)
    door.open()
    try:
        secondary = begin(lab)
        door.close()
        sent = list(lab.traffic(COUNT, 5_000).frames())
        says(tap, lab, secondary, "leader",
             rf"broker 1 at 127\.0\.0\.1:{door.port}: .*refused.*advertised\.listeners")
        door.open()
        all_arrives(tap, lab, secondary, sent, "leader")
    finally:
        door.close()
    lab.end_programs()
    lab.stop_broker()


def clock(tap, lab):
    """Brokers refuse the time of every packet. Rings that are to move stay where they are."""
    lab.start_broker()
    lab.kafka_topic("create", lab.topic, "--partitions", 8, "--config",
                    "message.timestamp.before.max.ms=1")
    secondary = begin(lab, {"drain-timeout-s": 1})
    sent = list(lab.traffic(COUNT, 5_000).frames())
    says(tap, lab, secondary, "clock", r"Invalid timestamp.*LogAppendTime")
    unsynchronised = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(256)) == TIME_ERROR
    said = re.findall(r"clock of this machine is not synchronised.*CreateTime", secondary.log())
    tap.equal(len(said), int(unsynchronised), "clock: the start warns of one that is not kept")
    late = lab.start_secondary(1)
    late.wait_log(r"supervisor: worker 0 started")
    with contextlib.suppress(LabError):  # longer than a ring was waited for once
        wait_for(lambda: lab.stats()["instance"]["workers_died"] > 0, "a worker that ends", 8)
    tap.equal(lab.stats()["instance"]["workers_died"], 0, "clock: no worker ends for a ring")
    lab.kafka_topic("configure", lab.topic, "--config", "message.timestamp.type=LogAppendTime")
    all_arrives(tap, lab, secondary, sent, "clock")
    lab.stop()


def quota(tap, lab):
    """A stop waits for a broker that holds the client back."""
    lab.kafka_topic("create", "limited", "--partitions", 8, "--config",
                    "message.timestamp.type=LogAppendTime")
    lab.kafka_topic("quota", "ringtap", "--bytes-per-s", 20_000)
    secondary = begin(lab, {"topic": "limited", "drain-timeout-s": 3})
    sent = list(lab.traffic(COUNT, 5_000).frames())
    line = secondary.wait_log(r"warning kafka: broker 1 at \S+ holds this client back by .*", 30)
    tap.ok("quota" in line[0] and "kafka-configs.sh" in line[0], "quota: the log says so", line[0])
    tap.equal(lab.stop_secondary(secondary, 120), 0, "quota: a stop waits for all reports")
    tap.equal(len(re.findall("no broker reachable|not synchronised", secondary.log())), 0,
              "quota: nothing else is said")
    lab.kafka_topic("quota", "ringtap", "--bytes-per-s", 0)
    difference = compare(sent, (record.value for record in lab.read_topic()))
    same_frames(tap, difference, " (quota)")
    tap.none(difference.duplicates, "no frame comes twice (quota)")
    lab.stop()
    lab.stop_broker()


def replicas(tap, lab):
    """One of three brokers ends and min.insync.replicas is 3."""
    lab.start_broker(brokers=3)
    lab.kafka_topic("create", lab.topic, "--partitions", 8, "--replication", 3, "--config",
                    "min.insync.replicas=3")
    secondary = begin(lab)
    lab.stop_one_broker(2)
    sent = list(lab.traffic(COUNT, 5_000).frames())
    says(tap, lab, secondary, "replicas", r"2 of 3 replicas .* min\.insync\.replicas is 3")
    lab.kafka_topic("configure", lab.topic, "--config", "min.insync.replicas=2")
    all_arrives(tap, lab, secondary, sent, "replicas")
    lab.stop()


def main():
    tap = Tap()
    with Lab("rtwaiting") as lab:
        for part in leader, clock, quota, replicas:
            tap.run(part, lab)
            lab.end_programs()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
