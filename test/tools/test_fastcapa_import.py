#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/fastcapa-import: what becomes of each line, and that ringtap takes the result. TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/).
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from doctor_run import SOURCE, nowhere_to_write
from tap import Tap

import yaml

IMPORT = SOURCE / "tools" / "fastcapa-import"
BUILD = pathlib.Path(os.environ.get("RINGTAP_BUILD") or SOURCE / "build")
PROGRAMS = [BUILD / name / name for name in ("capture-primary", "kafka-secondary")]

# Every property of Fastcapa's example and documentation, and those of its chapter on Kerberos.
EVERYTHING = """\
# a comment
[kafka-global]
metadata.broker.list = kafka1:9092, kafka2:9092
client.id = fastcapa
compression.codec = snappy
batch.num.messages=500000
queue.buffering.max.messages = 5000000
queue.buffering.max.ms = 5000
message.copy.max.bytes = 65535
message.max.bytes = 1000000000
message.send.max.retries = 5
retry.backoff.ms = 500
statistics.interval.ms = 5000
socket.timeout.ms = 6000
delivery.report.only.error = false
security.protocol = SASL_PLAINTEXT
sasl.mechanisms = PLAIN
sasl.kerberos.keytab = /etc/security/keytabs/metron.headless.keytab
sasl.kerberos.principal = metron@EXAMPLE.COM
sasl.username = metron
sasl.password = can"ary\\7

[kafka-topic]
compression.codec = lz4
request.required.acks = -1
message.timeout.ms = 300000
queue.buffering.max.kbytes = 2097151
produce.offset.report = false
"""
TAKEN = {
    "global": {
        "metadata.broker.list": "kafka1:9092, kafka2:9092", "client.id": "fastcapa",
        "compression.codec": "snappy", "batch.num.messages": "500000",
        "queue.buffering.max.messages": "5000000", "queue.buffering.max.ms": "5000",
        "message.copy.max.bytes": "65535", "message.max.bytes": "1000000000",
        "message.send.max.retries": "5", "retry.backoff.ms": "500",
        "statistics.interval.ms": "5000", "socket.timeout.ms": "6000",
        "delivery.report.only.error": "false", "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanisms": "PLAIN", "sasl.username": "metron", "sasl.password": 'can"ary\\7',
        "sasl.kerberos.keytab": "/etc/security/keytabs/metron.headless.keytab",
        "sasl.kerberos.principal": "metron@EXAMPLE.COM", "queue.buffering.max.kbytes": "2097151"},
    "topic": {"compression.codec": "lz4", "request.required.acks": "-1"},
}

GLOBAL, TOPIC = "[kafka-global]\n", "[kafka-topic]\n"

# (lines, what is said, kafka.global, kafka.topic)
CASES = (
    # moved
    (TOPIC + "queue.buffering.max.kbytes = 9", "2: queue.buffering.max.kbytes is moved from topic "
     "to global: librdkafka has it under global only", {"queue.buffering.max.kbytes": "9"}, {}),
    (GLOBAL + "request.required.acks = -1", "is moved from global to topic", {},
     {"request.required.acks": "-1"}),
    (GLOBAL + "linger.ms = 3\n" + TOPIC + "linger.ms = 4",
     "4: linger.ms is left out: global has it already", {"linger.ms": "3"}, {}),
    (TOPIC + "compression.codec = lz4", None, {}, {"compression.codec": "lz4"}),
    (GLOBAL + "queue.buffering.max.ms = 3\n" + TOPIC + "linger.ms = 4",
     "4: linger.ms is left out: global has it already", {"queue.buffering.max.ms": "3"}, {}),
    # translated
    (GLOBAL + "reconnect.backoff.jitter.ms = 500",
     "reconnect.backoff.jitter.ms is now reconnect.backoff.ms",
     {"reconnect.backoff.ms": "500"}, {}),
    (GLOBAL + "batch.size = 100k", "2: batch.size is now 100: librdkafka reads",
     {"batch.size": "100"}, {}),
    (TOPIC + "acks = -1 # all", "2: acks is now -1", {}, {"acks": "-1"}),
    (GLOBAL + "client.id = 7a", None, {"client.id": "7a"}, {}),
    # of no use any more
    (GLOBAL + "enforce.isr.cnt = 2", "min.insync.replicas of the topic", {}, {}),
    (GLOBAL + "socket.blocking.max.ms = 2", "no longer uses it", {}, {}),
    (GLOBAL + "metadata.request.timeout.ms = 2", "there is socket.timeout.ms", {}, {}),
    (GLOBAL + "topic.metadata.refresh.fast.cnt = 2", "no longer uses it", {}, {}),
    (TOPIC + "produce.offset.report = true", "always reports offsets", {}, {}),
    # what ringtap promises, by any alias
    (TOPIC + "message.timeout.ms = 300000", "nothing times out", {}, {}),
    (TOPIC + "delivery.timeout.ms = 5", "nothing times out", {}, {}),
    (TOPIC + "message.timeout.ms = 0", None, {}, {"message.timeout.ms": "0"}),
    (TOPIC + "request.required.acks = 0", "sent, not stored", {}, {}),
    (TOPIC + "acks = 0", "sent, not stored", {}, {}),
    (TOPIC + "request.required.acks = 1", "set `order: relaxed`", {}, {}),
    (TOPIC + "acks = all", None, {}, {"acks": "all"}),
    (GLOBAL + "delivery.report.only.error = true", "could never be released", {}, {}),
    (GLOBAL + "transactional.id = x", "not sent in transactions", {}, {}),
    (GLOBAL + "allow.auto.create.topics = true", "never creates a topic", {}, {}),
    (GLOBAL + "dr_msg_cb = x", "callbacks are not text", {}, {}),
    (TOPIC + "partitioner = random", "by flow", {}, {}),
    (GLOBAL + "plugin.library.paths = x.so", "no foreign code", {}, {}),
    # the idempotent producer
    (GLOBAL + "max.in.flight.requests.per.connection = 6", "does not go with `order", {}, {}),
    (GLOBAL + "max.in.flight = 5", None, {"max.in.flight": "5"}, {}),
    (GLOBAL + "message.send.max.retries = 0", "does not go with `order", {}, {}),
    (GLOBAL + "queue.buffering.backpressure.threshold = 2", "does not go with `order", {}, {}),
    (TOPIC + "queuing.strategy = lifo", "does not go with `order", {}, {}),
    (GLOBAL + "reconnect.backoff.ms = 1001", "back within a second", {}, {}),
    # what librdkafka says itself
    (GLOBAL + "client.idd = x", "client.idd is left out: librdkafka knows no such", {}, {}),
    (GLOBAL + "batch.num.messages = 1000001", "outside allowed range 1..1000000", {}, {}),
    (GLOBAL + "client.id = a\x01b", "not printable", {}, {}),
    # GLib's ways
    (GLOBAL + "client.id=a\nclient.id = b ", "is repeated", {"client.id": "b"}, {}),
    (GLOBAL + "queue.buffering.max.ms = 4\nbatch.size = 9\nlinger.ms = 5",
     "4: linger.ms is another name of queue.buffering.max.ms: the last one counts",
     {"batch.size": "9", "linger.ms": "5"}, {}),
    (TOPIC + "request.required.acks = -1\nacks = 2", "does not go with", {},
     {"request.required.acks": "-1"}),
    (TOPIC + "compression.codec = lz4\ncompression.type = gzip", "is another name of", {},
     {"compression.type": "gzip"}),
    ("[other]\nclient.id = a\n" + GLOBAL, "Fastcapa never read [other]", {}, {}),
    (GLOBAL + TOPIC + "#x = 1\n\n" + GLOBAL + "client.id =\t\u00e4 = : # \"x\"", None,
     {"client.id": '\u00e4 = : # "x"'}, {}),
    # Windows' ways
    ("\ufeff" + (GLOBAL + "client.id = a\n\n" + TOPIC + "acks = all\n").replace("\n", "\r\n"), None,
     {"client.id": "a"}, {"acks": "all"}),
    # notes
    (GLOBAL + "sasl.password = p4ss", "sasl.password is a secret: chmod 600",
     {"sasl.password": "p4ss"}, {}),
)

# (lines, the one line on standard error after the file's name)
REFUSED = (
    ("[kafka-global]\nclient.id\n", ":2: neither [group] nor name = value"),
    ("client.id = x\n", ":1: is before the first [group]"),
    ("[general]\n", ": neither [kafka-global] nor [kafka-topic]"),
    ("kafka:\n", ":1: neither [group] nor name = value"),
    ("", ": neither [kafka-global] nor [kafka-topic]"),
    (b"[kafka-global]\nclient.id = \xff\n", ": not UTF-8"),
)


class Files:
    """A file of Fastcapa, and what the tool makes of it."""

    def __init__(self, directory):
        self.ini, self.yaml = directory / "fastcapa.conf", directory / "ringtap.yaml"

    def make(self, text):
        self.ini.write_bytes(text if isinstance(text, bytes) else text.encode())
        done = run(IMPORT, self.ini)
        self.yaml.write_text(done.stdout)
        return done

    def kafka(self):
        kafka = yaml.safe_load(self.yaml.read_text())["kafka"]
        return kafka["global"] or {}, kafka["topic"] or {}

    def programs_refuse(self):
        """What the programs say against the result."""
        done = [run(program, "-c", self.yaml, "--check") for program in PROGRAMS]
        return [result.stderr for result in done if result.returncode != 0]


def run(*words):
    return subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=60, check=False)


def everything(tap, files):
    done = files.make(EVERYTHING)
    tap.equal(files.kafka(), (TAKEN["global"], TAKEN["topic"]), "all that Fastcapa documents")
    tap.none(files.programs_refuse(), "both programs take the result of it")
    left_out = [line for line in done.stderr.splitlines() if "is left out" in line]
    tap.equal(len(left_out), 2, "left out are message.timeout.ms and produce.offset.report")
    tap.ok("canary" not in done.stderr.replace('"', ""), "a secret is not in the remarks")


def each_line(tap, files):
    for text, remark, in_global, in_topic in CASES:
        done = files.make(text)
        line = text.splitlines()[-1]
        said = done.stderr.splitlines()
        tap.ok(done.returncode == 0 and files.kafka() == (in_global, in_topic)
               and (remark in done.stderr if remark else not said),
               f"{line!r}: {remark or 'taken'}",
               f"exit {done.returncode}: {done.stderr}{done.stdout}")
        tap.none(files.programs_refuse(), f"{line!r}: both programs take the result")


def secrets_in_refusals(tap, files):
    done = files.make(GLOBAL + "sasl.password = \x01canary\nsasl.pasword = canary\n")
    tap.ok("canary" not in done.stderr and done.stderr.count("is left out") == 2,
           "a refused or misspelt secret is not shown", done.stderr)


def refusals(tap, files):
    for text, line in REFUSED:
        done = files.make(text)
        tap.ok(done.returncode == 1 and not done.stdout and done.stderr.count("\n") == 1
               and f"{files.ini}{line}" in done.stderr, f"refused{line}", done.stderr)
    for words, code in (((), 2), (("a", "b"), 2), (("-x",), 2), (("/nonexistent",), 1),
                        (("--help",), 0)):
        done = run(IMPORT, *words)
        tap.ok(done.returncode == code and (code == 0) == bool(done.stdout),
               f"fastcapa-import {' '.join(words)}: exit {code}", done.stderr)


def without_kafka_secondary(tap, files):
    files.make(GLOBAL + "client.id = x\n")
    alone = files.ini.parent / "alone"
    alone.mkdir()
    shutil.copy(IMPORT, alone)
    done = run("env", "-i", "PATH=/nonexistent", sys.executable, alone / IMPORT.name, files.ini)
    tap.ok(done.returncode == 1 and not done.stdout and done.stderr.count("\n") == 1
           and "there is no kafka-secondary to ask what ringtap refuses; install" in done.stderr,
           "without kafka-secondary it says so, and the remedy", done.stderr)
    broken = alone / "kafka-secondary"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    done = run("env", "-i", sys.executable, alone / IMPORT.name, files.ini)
    tap.ok(done.returncode == 1 and not done.stdout and done.stderr.count("\n") == 1
           and f"{broken} does not list the properties" in done.stderr,
           "with one that does not answer, too", done.stderr)


def nowhere(tap, files):
    files.make(GLOBAL + "client.id = x\n")
    for word in (files.ini, "--help"):
        nowhere_to_write(tap, IMPORT, word)


def programs_name_the_tool(tap, files):
    files.make("\ufeff" + EVERYTHING.replace("\n", "\r\n"))
    for program in PROGRAMS:
        done = run(program, "-c", files.ini)
        tap.ok(done.returncode == 3 and done.stderr.count("\n") == 1
               and f"{files.ini}:2:1: this looks like an ini file" in done.stderr
               and "; fastcapa-import converts Fastcapa's" in done.stderr,
               f"{program.name} -c fastcapa.conf names the tool", done.stderr)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as directory:
        files = Files(pathlib.Path(directory))
        for part in (everything, each_line, secrets_in_refusals, refusals,
                     without_kafka_secondary, nowhere,
                     programs_name_the_tool):
            tap.run(part, files)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
