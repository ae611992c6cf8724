# SPDX-License-Identifier: BSD-3-Clause
"""Run the mock cluster of librdkafka, make it fail, and read it with another client."""

import os
import pathlib
import re

from lab import LabError, read_records, wait_for

READER = pathlib.Path(__file__).resolve().parent.parent / "demo" / "read_topic.py"


class Mock:
    """A mock cluster that takes commands; the laboratory uses it until its end.

    Brokers are numbered from 1; partition p is led by broker 1 + p % brokers. The topic is read all
    the time, because a broker keeps the newest 5 MiB of a partition only. It does not check the
    sequence numbers of producers, so a retry may be stored after what was sent later.
    """

    def __init__(self, lab, topic, brokers=3, partitions=16):
        self.brokers, self.partitions = brokers, partitions
        self._lab, self._topic, self._other_bootstrap = lab, topic, lab.bootstrap
        self._commands = lab.directory / f"{topic}.commands"
        self._records = lab.directory / f"{topic}.records"
        self._nb_told = 0

    def __enter__(self):
        lab = self._lab
        os.mkfifo(self._commands)
        # Opened for reading and writing: neither open() blocks, and the end is never reached.
        self._cluster = lab.start("mock-cluster", [
            "sh", "-c", 'exec "$@" <>"$0"', self._commands,
            lab.tool("mock-cluster"), "--brokers", self.brokers,
            "--topic", self._topic, "--partitions", self.partitions])
        ready = wait_for(lambda: re.search(r"^bootstrap\.servers=(.+)\n", self._cluster.output()),
                         "mock cluster", 10)
        lab.bootstrap = ready[1]
        for partition in range(self.partitions):
            self.tell("leader", partition, 1 + partition % self.brokers)
        self._reader = lab.start("read-topic", [
            "/usr/bin/python3", READER, lab.bootstrap, self._topic, self._records])
        self._reader.wait_log("reading .* partitions")
        return self

    def __exit__(self, *_):
        self._reader.kill()
        self._cluster.kill()
        self._commands.unlink()
        self._lab.bootstrap = self._other_bootstrap

    def tell(self, *words, timeout=10):
        """Gives a command, see mock-cluster --help; returns the number in the answer, if any."""
        line = " ".join(map(str, words))
        self._commands.write_text(line + "\n", encoding="ascii")
        self._nb_told += 1

        def answer():  # the first line is bootstrap.servers
            return self._cluster.output().split("\n")[self._nb_told:-1]
        word, *rest = wait_for(answer, f"answer to '{line}'", timeout)[0].split()
        if word != "ok":
            raise LabError(f"mock-cluster: {line}: {' '.join(rest)}")
        return int(rest[0]) if rest else None

    def refuse(self, code, count, broker="all", api="produce", delay_ms=0):
        """The next `count` requests to each broker are answered with `code`, after `delay_ms`."""
        self.tell("error", broker, api, code, count, delay_ms)

    def pending(self, broker="all", api="produce"):
        """How many answers of refuse() are still to come."""
        return self.tell("pending", broker, api)

    def records(self):
        """Yields every Record. Call it once, after the last write."""
        if self._reader.stop(120) != 0:
            raise LabError(f"the reader failed: {self._reader.log().splitlines()[-1]}")
        expected = [0] * self.partitions
        for record in read_records(self._records):
            if record.offset != expected[record.partition]:
                raise LabError(f"partition {record.partition}: offset {record.offset} follows "
                               f"{expected[record.partition] - 1}: the reader was too slow")
            expected[record.partition] += 1
            yield record
