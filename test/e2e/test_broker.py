#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# tools/kafka-broker and tools/kafka-topic against the real thing. Prints TAP.

import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

TOOLS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "tools"))
KAFKA_TOPIC = f"{TOOLS}/kafka-topic"
HEAD = struct.Struct(">IQQi")


def run(*command, expect=0, stdin=None, timeout=120):
    """Runs a program; returns its standard output. Output goes to a file, not a pipe: a broker
    that kept it open would otherwise be waited for."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        done = subprocess.run(command, stdout=out, stderr=err, timeout=timeout, stdin=stdin,
                              check=False)
        rc = done.returncode
        out.seek(0)
        err.seek(0)
        text = out.read().decode()
        if rc != expect:
            raise AssertionError(f"{command}: exit {rc}\n{text}{err.read().decode()}")
        return text if expect == 0 else err.read().decode()


def equal(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


class Cluster:
    """tools/kafka-broker in a directory of its own."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="ringtap-test-broker.")
        self.addresses = []

    def command(self, *words):
        return [f"{TOOLS}/kafka-broker", *words, "--directory", self.directory]

    def call(self, *words, **how):
        return run(*self.command(*words), **how)

    def start(self, *words):
        line = self.call("start", *words)
        match = re.fullmatch(r"bootstrap\.servers=((127\.0\.0\.1:\d+,?)+)\n", line)
        assert match, line
        self.addresses = match[1].split(",")
        return line

    def status(self):
        """Returns the exit code and the output."""
        done = subprocess.run(self.command("status"), stdout=subprocess.PIPE, check=False)
        return done.returncode, done.stdout.decode()

    def pid(self, broker=1):
        status = self.call("status")
        return int(re.search(rf"^broker {broker}: pid (\d+), port \d+$", status, re.M)[1])

    def processes(self):
        """Everything alive that was started in the directory."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().decode(errors="replace")
            except OSError:
                continue
            if "kafka.Kafka" in words and self.directory in words:
                found.append(int(pid))
        return found

    def topic(self, *words, **how):
        return run(KAFKA_TOPIC, "--bootstrap", ",".join(self.addresses), *words, **how)

    def produce(self, topic, partition, *words, lines=None):
        command = ["kcat", "-q", "-P", "-b", ",".join(self.addresses), "-t", topic]
        with tempfile.TemporaryFile() as f:
            f.write(lines or b"")
            f.seek(0)
            run(*command, "-p", str(partition), *words, stdin=f)

    def read(self, topic, *words, expect=0):
        """Returns {partition: [(key, value), ...]}; checks the offsets and the count."""
        path = f"{self.directory}/records"
        out = self.topic("read", topic, "--output", path, *words, expect=expect)
        records = {}
        with open(path, "rb") as f:
            while head := f.read(HEAD.size):
                partition, offset, stamp, length = HEAD.unpack(head)
                key = None if length < 0 else f.read(length)
                (length,) = struct.unpack(">i", f.read(4))
                value = None if length < 0 else f.read(length)
                equal(offset, len(records.setdefault(partition, [])))
                assert abs(stamp / 1000 - time.time()) < 600, stamp
                records[partition].append((key, value))
        os.unlink(path)
        if expect == 0:
            equal(out.splitlines()[-1], f"{sum(map(len, records.values()))} records")
        return records

    def finish(self):
        self.call("stop")
        shutil.rmtree(self.directory)


def listen(port=0):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen()
    return s


def keyed_lines(count, seed):
    """count pairs of a key and a value without the bytes that kcat takes apart."""
    rng = random.Random(seed)
    return [(b"%08d" % i, rng.randbytes(rng.randrange(1, 1500)).replace(b"\n", b"_"))
            for i in range(count)]


def produce_pairs(cluster, topic, partition, pairs):
    cluster.produce(topic, partition, "-K:", lines=b"".join(k + b":" + v + b"\n" for k, v in pairs))


def wait_for(condition, what, timeout=30):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"no {what} within {timeout} s"
        time.sleep(0.02)


def test_nothing_runs(one):
    assert "no cluster runs" in one.call("status", expect=1)
    one.call("stop")
    assert "no cluster runs" in one.call("stop", "--broker", "1", expect=1)


def test_wrong_usage(one):
    for words in (["start", "--brokers", "0"], ["start", "--brokers"], ["frob"], ["start", "stop"],
                  ["status", "--broker", "1"], ["stop", "--kill"], ["stop", "--brokers", "3"],
                  ["stop", "--secured"], ["start", "--secured", "--brokers", "2"],
                  ["start", "--kafka", "new"], ["status", "--kafka", "3.9.1"],
                  ["stop", "--directory", ""]):
        run(f"{TOOLS}/kafka-broker", *words, expect=2)


def test_port_in_use_is_refused(one):
    with listen() as taken:
        port = taken.getsockname()[1]
        assert f"port {port} is in use" in one.call("start", "--port", str(port), expect=1)
    equal(os.listdir(one.directory), [])


def test_two_starts_make_one_cluster(one):
    with tempfile.TemporaryFile() as other:
        second = subprocess.Popen(one.command("start"), stdout=other)
        line = one.start()
        equal(second.wait(60), 0)
        other.seek(0)
        equal(other.read().decode(), line)
    equal(one.processes(), [one.pid()])
    equal(one.call("status").splitlines()[-1], line.strip())


def test_start_again_changes_nothing(one):
    pid = one.pid()
    equal(one.start(), f"bootstrap.servers={one.addresses[0]}\n")
    equal(one.pid(), pid)
    assert "stop it first" in one.call("start", "--brokers", "2", expect=1)
    equal(one.processes(), [pid])


def test_only_the_loopback_listens(one):
    sockets = run("ss", "-ltnpH").splitlines()
    ours = [s.split()[3] for s in sockets if f"pid={one.pid()}," in s]
    equal(len(ours), 2)
    for address in ours:
        assert re.fullmatch(r"(\[::ffff:)?127\.0\.0\.1\]?:\d+", address), address


def test_topics(one):
    one.topic("create", "t", "--partitions", "3", "--config", "retention.ms=600000")
    equal(one.topic("describe", "t").splitlines(),
          [f"partition {p} leader 1 replicas 1 isr 1" for p in range(3)])
    assert "already exists" in one.topic("create", "t", "--partitions", "3", expect=1)
    one.topic("create", "u", "--partitions", "0", expect=1)
    one.topic("add-partitions", "t", "5")
    equal(len(one.topic("describe", "t").splitlines()), 5)
    equal(one.read("t"), {})
    one.topic("delete", "t")
    one.topic("describe", "t", expect=1)
    one.topic("read", "t", "--output", "/dev/null", expect=1)
    one.topic("create", "t", expect=2)


def test_no_topic_by_accident(one):
    metadata = run("kcat", "-L", "-b", one.addresses[0], "-t", "accident", "-X",
                   "allow.auto.create.topics=true")
    assert "Unknown topic" in metadata, metadata
    one.topic("describe", "accident", expect=1)


def test_records_read_back_equal(one):
    one.topic("create", "r", "--partitions", "4")
    sent = {p: keyed_lines(2000, p) for p in range(3)}
    for partition, pairs in sent.items():
        produce_pairs(one, "r", partition, pairs)
    # Every byte value, no key; no key and no value; an empty key.
    path = f"{one.directory}/bytes"
    with open(path, "wb") as f:
        f.write(bytes(range(256)) * 8)
    one.produce("r", 3, path)
    one.produce("r", 3, "-Z", "-K:", lines=b"k:\n")
    one.produce("r", 3, "-K:", lines=b":v\n")
    os.unlink(path)
    sent[3] = [(None, bytes(range(256)) * 8), (b"k", None), (b"", b"v")]
    equal(one.read("r"), sent)


def test_a_broker_keeps_its_data(one):
    pid, line = one.pid(), "bootstrap.servers=" + one.addresses[0] + "\n"
    before = one.read("r")
    one.call("stop", "--broker", "1")
    equal(one.status()[0], 1)
    equal(one.call("start", "--broker", "1"), line)
    equal(one.call("start", "--broker", "1"), line)
    assert one.pid() != pid
    equal(one.read("r"), before)


def test_reading_ends_as_asked(one):
    equal(sum(map(len, one.read("r", "--max", "10").values())), 10)
    began = time.monotonic()
    one.read("r", "--until-count", "6004", "--timeout-s", "1", expect=1)
    one.read("r", "--until-count", "6004", "--idle-ms", "200")
    assert time.monotonic() - began < 10
    equal(sum(map(len, one.read("r", "--until-count", "6003").values())), 6003)


def test_reading_follows_until_the_file(one):
    one.topic("create", "f", "--partitions", "1")
    stop, path = f"{one.directory}/stop", f"{one.directory}/followed"
    reader = subprocess.Popen([KAFKA_TOPIC, "--bootstrap", one.addresses[0], "read", "f",
                               "--output", path, "--follow-until-file", stop, "--timeout-s", "60"],
                              stdout=subprocess.PIPE)
    one.produce("f", 0, lines=b"a\nb\n")
    one.topic("add-partitions", "f", "2")
    one.produce("f", 1, lines=b"c\n")
    with open(stop, "wb"):
        pass
    out, _ = reader.communicate(timeout=60)
    equal((reader.returncode, out), (0, b"3 records\n"))
    os.unlink(stop)
    os.unlink(path)


def test_a_dead_broker_is_noticed_and_replaced(one):
    pid = one.pid()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: "broker 1: not running" in one.status()[1], "end of the broker")
    equal(one.status()[0], 1)
    one.start()
    assert one.pid() != pid
    one.topic("describe", "r", expect=1)


def test_stop_leaves_only_logs(one):
    assert len(one.processes()) == 1
    one.call("stop")
    equal(one.processes(), [])
    equal(os.listdir(one.directory), ["logs"])
    one.call("stop")
    one.call("status", expect=1)


def test_a_killed_start_and_a_hung_broker_are_cleaned_up(one):
    """With the port of the last run taken: the next one has to choose another."""
    port = int(one.addresses[0].split(":")[1])
    with listen(port):
        first = subprocess.Popen(one.command("start"), stdout=subprocess.DEVNULL)
        wait_for(one.processes, "broker")
        first.kill()
        first.wait()
        (hung,) = one.processes()
        os.kill(hung, signal.SIGSTOP)
        one.start()
        assert one.addresses[0] != f"127.0.0.1:{port}"
        equal(one.processes(), [one.pid()])
        assert one.pid() != hung


def test_a_stranger_is_not_killed(one):
    """The pid of a dead broker may belong to anybody now."""
    stranger = subprocess.Popen(["sleep", "100"])
    try:
        path = f"{one.directory}/cluster/broker-1/pid"
        with open(path) as f:
            _, rest = f.read().split(" ", 1)
        os.kill(one.pid(), signal.SIGKILL)
        with open(path, "w") as f:
            f.write(f"{stranger.pid} {rest}")
        one.call("stop")
        equal(stranger.poll(), None)
    finally:
        stranger.kill()
        stranger.wait()
    wait_for(lambda: not one.processes(), "end of the broker")


def test_three_brokers(three):
    three.start("--brokers", "3")
    equal(len(set(three.addresses)), 3)
    equal(len({three.pid(b) for b in (1, 2, 3)}), 3)
    three.topic("create", "t", "--partitions", "3", "--config", "min.insync.replicas=2")
    for line in three.topic("describe", "t").splitlines():
        all_three = "[123],[123],[123]"
        pattern = rf"partition \d leader [123] replicas {all_three} isr {all_three}"
        assert re.fullmatch(pattern, line), line


def test_one_of_three_stops_and_comes_back(three):
    sent = [keyed_lines(500, i) for i in range(3)]
    produce_pairs(three, "t", 0, sent[0])
    for number, how in ((2, []), (3, ["--kill"])):
        pid = three.pid(number)
        three.call("stop", "--broker", str(number), *how)
        assert pid not in three.processes()
        three.call("stop", "--broker", str(number))
        equal(three.status()[0], 1)
        produce_pairs(three, "t", 0, sent[number - 1])
        three.call("start", "--broker", str(number))
        assert three.pid(number) != pid
    assert "no broker 4" in three.call("stop", "--broker", "4", expect=1)
    equal(three.read("t"), {0: sum(sent, [])})
    wait_for(lambda: all(len(line.split(" isr ")[1].split(",")) == 3
                         for line in three.topic("describe", "t").splitlines()), "full isr")


def test_three_brokers_stop(three):
    three.call("stop")
    equal(three.processes(), [])
    equal(os.listdir(three.directory), ["logs"])


ONE = [test_nothing_runs, test_wrong_usage, test_port_in_use_is_refused,
       test_two_starts_make_one_cluster, test_start_again_changes_nothing,
       test_only_the_loopback_listens, test_topics, test_no_topic_by_accident,
       test_records_read_back_equal, test_a_broker_keeps_its_data, test_reading_ends_as_asked,
       test_reading_follows_until_the_file, test_a_dead_broker_is_noticed_and_replaced,
       test_stop_leaves_only_logs, test_a_killed_start_and_a_hung_broker_are_cleaned_up,
       test_a_stranger_is_not_killed]
THREE = [test_three_brokers, test_one_of_three_stops_and_comes_back, test_three_brokers_stop]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and end the brokers
    failed = number = 0
    for tests in (ONE, THREE):
        cluster = Cluster()
        try:
            for test in tests:
                number += 1
                began = time.monotonic()
                try:
                    test(cluster)
                    verdict = "ok"
                except Exception:  # pylint: disable=broad-except
                    verdict = "not ok"
                    failed += 1
                    print("\n".join("# " + line for line in traceback.format_exc().splitlines()))
                name = test.__name__.removeprefix("test_").replace("_", " ")
                print(f"{verdict} {number} - {name} # {time.monotonic() - began:.1f} s", flush=True)
        finally:
            cluster.finish()
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
