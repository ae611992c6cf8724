# SPDX-License-Identifier: BSD-3-Clause
"""A laboratory on one machine: a network namespace, Kafka, a primary, secondaries and traffic.

    with Lab("rtdemo") as lab:
        lab.start_broker()
        lab.create_topic(partitions=16)
        lab.write_config({"receive-queues": 2})
        lab.start_primary()
        lab.start_secondary(workers=2)
        sent = lab.traffic(count=10_000, rate=5_000)
        lab.wait_delivered(sent.count)
        lab.stop()
        difference = compare(sent.frames(), (r.value for r in lab.read_topic()))

What a laboratory starts it ends, and it removes what it made, whatever happens in between. Only a
SIGKILL prevents that: then the next laboratory of the same name does it first. The name is that of
the instance and of the namespace, so it is used by one laboratory at a time. Needs root.
"""

import collections
import contextlib
import fcntl
import json
import os
import pathlib
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TOOLS = SOURCE / "tools"
KAFKA_TOPIC = TOOLS / "dev" / "kafka-topic"
STATE = pathlib.Path("/run/ringtap-lab")
# What the clients of a secured broker need, where any user gets to.
CLIENTS = pathlib.Path("/run/ringtap-lab-clients")
# Where a listener's secret stands: property, file beside the listener's properties.
SECRETS = {"mtls": ("ssl.key.password", "key.password"),
           "scram": ("sasl.password", "scram.password")}
INTERFACE = "rtap0"
JUMBO_MTU = 9014  # of the interface, so that a tagged frame of 9000 bytes of payload fits
LAST_LINES = 40  # of each log, when something failed


class LabError(Exception):
    """Something in the laboratory is not as it should be; one line says what."""


class LabBusy(LabError):
    """Another laboratory of this name is at work."""


def wait_for(condition, what, timeout):
    """Returns the first true value of condition(); LabError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise LabError(f"no {what} within {timeout} s")
        time.sleep(0.02)
    return value


def call(*command, timeout=120, expect=(0,)):
    """Runs a command to its end; returns its standard output."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                          check=False)
    if done.returncode not in expect:
        text = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise LabError(f"{' '.join(words)}: exit {done.returncode}: {text}")
    return done.stdout.decode()


# ---- processes -----------------------------------------------------------------------------------

def start_time(pid):
    """What tells a process from every later one with its pid; None when there is none."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state == "Z" else int(fields[18])


def users_of(path):
    """Pids of the processes that have a file open."""
    pids = set()
    for fd in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):  # it may be gone by now
            if os.readlink(fd) == str(path):
                pids.add(int(fd.parts[2]))
    return pids


def kill_process(pid, started, timeout=10):
    """SIGKILL for the process that began at `started`, unless it has ended; waits for its end."""
    with contextlib.suppress(ProcessLookupError):
        fd = os.pidfd_open(pid)
        try:
            if start_time(pid) == started:  # the descriptor cannot come to mean another one
                signal.pidfd_send_signal(fd, signal.SIGKILL)
                if not select.select([fd], [], [], timeout)[0]:
                    raise LabError(f"process {pid} does not die")
        finally:
            os.close(fd)


class Program:
    """A program in the background, with its output in NAME.out and NAME.err."""

    def __init__(self, name, command, logs, env=None, pass_fds=(), stdin=subprocess.DEVNULL):
        self.name = name
        self.out_path, self.err_path = logs / f"{name}.out", logs / f"{name}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            # In a session of its own: a Ctrl-C is for us, who end it in good order.
            self.process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=err,
                                            stdin=stdin, start_new_session=True,
                                            env={**os.environ, **(env or {})},
                                            pass_fds=pass_fds)
        self.pid = self.process.pid

    def output(self):
        return self.out_path.read_text(errors="replace")

    def log(self):
        return self.err_path.read_text(errors="replace")

    @property
    def returncode(self):
        return self.process.returncode

    def is_running(self):
        return self.process.poll() is None

    def wait_log(self, pattern, timeout=30, count=1):
        """Waits until `pattern` stands in the log `count` times; returns the last match."""
        def found():
            matches = list(re.finditer(pattern, self.log(), re.M))
            if len(matches) < count and not self.is_running():
                # It may have been its last line.
                matches = list(re.finditer(pattern, self.log(), re.M))
                if len(matches) < count:
                    raise LabError(f"{self.name} ended with {self.returncode} before it "
                                   f"said '{pattern}'")
            return len(matches) >= count and matches[count - 1]
        return wait_for(found, f"'{pattern}' from {self.name}", timeout)

    def send_signal(self, signo):
        self.process.send_signal(signo)

    def wait(self, timeout):
        """Returns its exit code, as the shell counts it negative for signals."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name} does not end within {timeout} s") from None

    def stop(self, timeout=30, signo=signal.SIGTERM):
        """Asks it to end; returns its exit code."""
        if self.is_running():
            self.send_signal(signo)
        return self.wait(timeout)

    def kill(self):
        if self.is_running():
            self.process.kill()
        return self.wait(10)


# ---- frames and records --------------------------------------------------------------------------

Trailer = collections.namedtuple("Trailer", "flow reverse sequence")
Record = collections.namedtuple("Record", "partition offset timestamp_ms key value")
Difference = collections.namedtuple("Difference", "missing extra duplicates")


def trailer(frame):
    """What traffic-gen wrote at the end of a frame; None for a frame of others."""
    if len(frame) < 16:
        return None
    magic, flow, sequence = struct.unpack(">4sIQ", frame[-16:])
    return Trailer(flow & 0x7FFFFFFF, bool(flow >> 31), sequence) if magic == b"rtap" else None


def read_pcap(path):
    """Yields (time in us, frame) for every frame of a pcap file."""
    with open(path, "rb") as f:
        magic = f.read(4)
        order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        unit = {0xA1B2C3D4: 1, 0xA1B23C4D: 1000}[struct.unpack(order + "I", magic)[0]]
        head = struct.Struct(order + "4I")
        f.read(20)
        while len(raw := f.read(head.size)) == head.size:
            seconds, fraction, captured, _ = head.unpack(raw)
            yield seconds * 1_000_000 + fraction // unit, f.read(captured)


def read_records(path):
    """Yields every Record of a file that `tools/dev/kafka-topic read` wrote."""
    head, length = struct.Struct(">IQQ"), struct.Struct(">i")
    with open(path, "rb", buffering=1 << 20) as f:
        def field():
            (size,) = length.unpack(f.read(length.size))
            return None if size < 0 else f.read(size)
        while raw := f.read(head.size):
            yield Record(*head.unpack(raw), field(), field())


def compare(sent, received):
    """Compares two iterables of byte strings as multisets.

    missing: frames sent and never received. extra: received and never sent (or altered).
    duplicates: received more often than sent. Each a list of frames, as many as there are.
    """
    left = collections.Counter(sent)
    known = frozenset(left)
    extra, duplicates = [], []
    for frame in received:
        if frame not in known:
            extra.append(frame)
        elif left[frame] == 0:
            duplicates.append(frame)
        else:
            left[frame] -= 1
    return Difference(list(left.elements()), extra, duplicates)


class Sender(Program):
    """traffic-gen at work."""

    def __init__(self, name, command, logs, record, remake):
        super().__init__(name, command, logs)
        self.record = record  # path of the pcap file of what it sent, None: not recorded
        self.remake = remake  # command that writes the same frames to standard output

    def finish(self, timeout=120, codes=(0,)):
        """Waits for its end; returns itself, with count and bytes."""
        rc = self.wait(timeout)
        match = re.search(r"^(\d+) frames sent, (\d+) bytes$", self.output(), re.M)
        if rc not in codes or not match:
            raise LabError(f"{self.name}: exit {rc}: {self.log().strip()}")
        self.count, self.bytes = int(match[1]), int(match[2])
        return self

    def stop_sending(self):
        """Ends it before it has sent all; returns itself, with count and bytes."""
        self.send_signal(signal.SIGTERM)
        return self.finish(30)

    def frames(self):
        """Yields every frame that it sent."""
        if self.record:
            yield from (frame for _, frame in read_pcap(self.record))
        elif self.count:
            with subprocess.Popen([*self.remake, "--count", str(self.count)],
                                  stdout=subprocess.PIPE) as made:
                yield from (frame for _, frame in read_pcap(f"/dev/fd/{made.stdout.fileno()}"))


# ---- the laboratory ------------------------------------------------------------------------------

class Lab:
    """A laboratory; see the top of this file.

    name: of the instance and of the namespace. build: where Meson built the programs (default
    $RINGTAP_BUILD, else build/). directory: for configuration, logs and Kafka's data (default
    BUILD/lab/NAME, emptied at start); the logs in it are kept. debug: the programs log everything.
    """

    def __init__(self, name, build=None, directory=None, debug=False):
        self.name = name
        self.build = pathlib.Path(build or os.environ.get("RINGTAP_BUILD") or SOURCE / "build")
        self.directory = pathlib.Path(directory or self.build / "lab" / name).resolve()
        self.logs = self.directory / "logs"
        self.config_path = self.directory / "ringtap.yaml"
        self.debug = debug
        self.topic = "pcap"
        self.bootstrap = None  # addresses of the brokers, once they run
        self.primary = None
        self.secondaries = []
        self.secondary_env = {}  # what a secondary has in its environment beside ours
        self.programs = []  # all, in the order of their start
        self._state_file = STATE / f"{name}.json"
        self._lock = None
        self._kept = False

    # -- begin and end --

    def __enter__(self):
        if os.geteuid() != 0:
            raise LabError("a laboratory needs root")
        if not (self.build / "capture-primary" / "capture-primary").exists():
            raise LabError(f"no programs in {self.build}; run meson setup build && ninja -C build")
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        self._take_name()
        try:
            _remove_leftovers(self._state_file)
            shutil.rmtree(self.directory, ignore_errors=True)
            self.logs.mkdir(parents=True)
            self._save_state()
            self._make_namespace()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(self, kind, error, _):
        failed = kind not in (None, SystemExit, KeyboardInterrupt)
        try:
            if failed:
                self.print_logs(error)
        finally:
            if not self._kept or failed:
                self._clean_up()
            self._lock.close()

    def keep(self):
        """Leave everything running at the end, for Lab.remove(name) or the next one of the name."""
        self._kept = True
        self._save_state()

    @staticmethod
    def is_kept(name):
        """Whether a laboratory of this name was left running by keep()."""
        with contextlib.suppress(FileNotFoundError):
            return json.loads((STATE / f"{name}.json").read_text())["kept"]
        return False

    @staticmethod
    def remove(name):
        """Ends and removes what a laboratory of this name left; returns whether there was any."""
        with Lab(name)._take_name():
            return _remove_leftovers(STATE / f"{name}.json")

    def print_logs(self, why="", out=None):
        """Prints the last lines of all logs, as TAP's diagnostics."""
        out = out or sys.stderr
        print(f"# {why}\n# logs are in {self.logs}", file=out)
        for path in sorted(self.logs.iterdir()):
            for line in path.read_text(errors="replace").splitlines()[-LAST_LINES:]:
                print(f"# {path.name}: {line}", file=out)
        out.flush()

    def _take_name(self):
        STATE.mkdir(mode=0o700, exist_ok=True)
        self._lock = open(STATE / f"{self.name}.lock", "wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise LabBusy(f"another laboratory {self.name} is at work") from None
        return self._lock

    def _make_namespace(self):
        call("ip", "netns", "add", self.name)
        self.in_namespace("ip", "link", "set", "lo", "up")
        # The kernel would send frames of its own.
        for scope in ("all", "default"):
            self.in_namespace("sysctl", "-qw", f"net.ipv6.conf.{scope}.disable_ipv6=1")

    def _save_state(self):
        state = {
            "namespace": self.name,
            "instance": str(_instance_directory(self.name)),
            "broker": str(self.broker_directory),
            "clients": str(CLIENTS / self.name),
            "kept": self._kept,
            "processes": [[p.pid, start_time(p.pid)] for p in self.programs if p.is_running()],
        }
        new = self._state_file.with_suffix(".new")
        new.write_text(json.dumps(state))
        new.rename(self._state_file)

    def _clean_up(self):
        self.end_programs()
        _remove_leftovers(self._state_file)

    # -- small tools --

    @property
    def broker_directory(self):
        return self.directory / "kafka"

    @property
    def instance_directory(self):
        return _instance_directory(self.name)

    def program(self, *parts):
        """Path of a program of the build."""
        return self.build.joinpath(*parts)

    def tool(self, name):
        """Path of a developer's program of the build."""
        return self.program("tools", "dev", name, name)

    def in_namespace(self, *command, **how):
        """Runs a command in the namespace; returns its output."""
        return call("ip", "netns", "exec", self.name, *command, **how)

    def start(self, name, command, kind=Program, **how):
        """Starts any program in the background; it ends with the laboratory at the latest."""
        number = sum(p.name.split(".")[0] == name for p in self.programs)
        program = kind(f"{name}.{number + 1}" if number else name, command, self.logs, **how)
        self.programs.append(program)
        self._save_state()
        return program

    # -- Kafka --

    def _broker(self, *words):
        # Output to a file: a broker that kept a pipe open would be waited for.
        log = self.logs / "kafka-broker.log"
        with open(log, "ab") as out:
            begin = out.tell()
            done = subprocess.run(
                [TOOLS / "kafka-broker", *words, "--directory", self.broker_directory],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=180, check=False)
        text = log.read_bytes()[begin:].decode(errors="replace")
        if done.returncode != 0:
            raise LabError(f"kafka-broker {' '.join(words)}: {text.strip()}")
        return text

    def start_broker(self, brokers=1, port=None, secured=False, kafka=None):
        """Starts an empty cluster, on `port` and the next ones if given; returns its addresses.

        secured: one broker with ACLs and the listeners of kafka_properties() beside the plain one,
        which this laboratory itself uses as User:ANONYMOUS, who may do everything. kafka: its
        version, if it is to be another one.
        """
        text = self._broker("start", *(["--secured"] if secured else ["--brokers", str(brokers)]),
                            *(["--port", str(port)] if port else []),
                            *(["--kafka", kafka] if kafka else []))
        self.bootstrap = re.search(r"^bootstrap\.servers=(.*)$", text, re.M)[1]
        return self.bootstrap

    def kafka_properties(self, security, user="root"):
        """Properties under kafka.global for a listener of a secured broker.

        security: tls, mtls (with a client certificate), scram or gssapi. The files that they name
        are copies for `user`, who alone may read them; secrets are in such files, too.
        """
        files = CLIENTS / self.name / user
        source = self.broker_directory / "cluster" / "client"
        if not files.exists():
            files.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            CLIENTS.chmod(0o711)
            shutil.copytree(source, files)
            for path in (files, *files.iterdir()):
                shutil.chown(path, user)
            files.chmod(0o700)
        text = (files / f"{security}.properties").read_text().replace(str(source), str(files))
        properties = dict(line.split("=", 1) for line in text.splitlines())
        if security in SECRETS:
            name, file = SECRETS[security]
            properties[name] = {"file": str(files / file)}
        if security == "gssapi":
            self.secondary_env = {"KRB5_CONFIG": str(files / "krb5.conf"),
                                  "KRB5CCNAME": f"FILE:{files / 'tickets'}"}
        return properties

    def grant(self, principal, operation="WRITE", topic=None):
        self.kafka_topic("grant", topic or self.topic, "--principal", principal,
                         "--operation", operation)

    def revoke(self, principal, operation="WRITE", topic=None):
        self.kafka_topic("revoke", topic or self.topic, "--principal", principal,
                         "--operation", operation)

    def stop_broker(self):
        """Ends the cluster and removes its data."""
        self._broker("stop")
        shutil.rmtree(CLIENTS / self.name, ignore_errors=True)

    def stop_one_broker(self, number=1, kill=False):
        self._broker("stop", "--broker", str(number), *(["--kill"] if kill else []))

    def start_one_broker(self, number=1):
        self._broker("start", "--broker", str(number))

    @contextlib.contextmanager
    def broker_paused(self, number=1):
        """Within, a broker does not answer. For a few seconds: then it takes itself for dead."""
        text = call(TOOLS / "kafka-broker", "status", "--directory", self.broker_directory)
        pid = int(re.search(rf"^broker {number}: pid (\d+)", text, re.M)[1])
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def kafka_topic(self, *words, timeout=120):
        return call(KAFKA_TOPIC, "--bootstrap", self.bootstrap, *words, timeout=timeout)

    def create_topic(self, partitions=16, topic=None):
        self.kafka_topic("create", topic or self.topic, "--partitions", partitions)

    def read_topic(self, topic=None, timeout=120):
        """Yields the Records of a topic up to its present end, by Kafka's own client."""
        topic = topic or self.topic
        path = self.directory / f"{topic}.records"
        self.kafka_topic("read", topic, "--output", path, "--timeout-s", timeout,
                         timeout=timeout + 30)
        return read_records(path)

    # -- ringtap --

    def write_config(self, overrides=None):
        """Writes the configuration file: the laboratory's values, then those of `overrides`.

        Sets self.topic, too. A mapping is merged; None takes a key out.
        """
        config = {
            "instance": self.name,
            "log-level": "debug" if self.debug else "info",
            "stats-interval-s": 1,
            "devices": f"net_tap0,iface={INTERFACE}",
            "receive-queues": 2,
            "idle": "sleep",
            "buffer-memory": "64MiB",
            "topic": self.topic,
            "kafka": {"global": {"bootstrap.servers": self.bootstrap or "127.0.0.1:9092"}},
        }
        _merge(config, overrides or {})
        self.topic = config["topic"]
        self.config_path.write_text("\n".join(_yaml(config)) + "\n")

    def start_primary(self, timeout=30):
        """Starts the primary in the namespace and waits until it is ready."""
        self.primary = self.start("capture-primary", [
            "ip", "netns", "exec", self.name, self.program("capture-primary", "capture-primary"),
            "-c", self.config_path])
        self.primary.wait_log(r"ready: ", timeout)
        if f"iface={INTERFACE}" in self.config_path.read_text():
            call("ip", "-n", self.name, "link", "set", INTERFACE, "mtu", JUMBO_MTU, "up")
        return self.primary

    def start_secondary(self, workers=None, timeout=30):
        """Starts one more secondary and waits until it is attached."""
        secondary = self.start("kafka-secondary", [
            self.program("kafka-secondary", "kafka-secondary"), "-c", self.config_path,
            *(["--workers", workers] if workers else [])], env=self.secondary_env)
        self.secondaries.append(secondary)
        secondary.wait_log(r"attached to instance ", timeout)
        return secondary

    def stop_secondary(self, secondary, timeout=30):
        """Stops one in good order; returns its exit code."""
        self.secondaries.remove(secondary)
        return secondary.stop(timeout)

    def stop_primary(self, timeout=30):
        """Stops it in good order; returns its exit code."""
        primary, self.primary = self.primary, None
        return primary.stop(timeout)

    def stop(self, timeout=30):
        """Stops the secondaries, then the primary; LabError unless every exit code is 0."""
        codes = {p.name: self.stop_secondary(p, timeout) for p in list(self.secondaries)}
        if self.primary:
            codes["capture-primary"] = self.stop_primary(timeout)
        wrong = [f"{name}: exit {code}" for name, code in codes.items() if code != 0]
        if wrong:
            raise LabError(", ".join(wrong))

    def end_programs(self):
        """SIGKILL for every program that still runs, so that a next part can begin anew."""
        self.secondaries.clear()
        self.primary = None
        for program in reversed(self.programs):
            program.kill()
        for pid in users_of(_instance_directory(self.name) / "attached.lock"):
            kill_process(pid, start_time(pid))

    def workers(self, secondary=None, state="serving"):
        """Pids of the workers in a state, those of one secondary or all."""
        return [w["pid"] for w in self.stats()["workers"] if w["state"] == state
                and (secondary is None or secondary.pid == w["supervisor_pid"])]

    # -- traffic --

    def start_traffic(self, count, rate, *options, seed=1, max_frame=1514, replay=None,
                      recorded=True, interface=INTERFACE):
        """Starts to send; the Sender's finish() waits for the end. `options` are traffic-gen's.

        What is not recorded is made once more for frames(): slower, and no file.
        """
        record = self.directory / f"sent.{len(self.programs)}.pcap" if recorded else None
        source = ["--replay", replay] if replay else ["--seed", seed, "--max-frame", max_frame]
        source = [str(word) for word in (*source, *options)]
        generator = self.tool("traffic-gen")
        return self.start("traffic-gen", [
            "ip", "netns", "exec", self.name, generator, "--interface", interface,
            "--count", count, "--rate", rate, *(["--record", record] if record else []), *source],
            kind=Sender, record=record, remake=[generator, "--pcap", "-", *source])

    def traffic(self, count, rate, *options, **how):
        """Sends `count` frames at `rate` per second; returns the Sender: count, bytes, frames()."""
        return self.start_traffic(count, rate, *options, **how).finish(60 + count / max(rate, 1))

    # -- counters --

    def stats(self):
        """What stats-tool --json says."""
        return json.loads(call(self.program("stats-tool", "stats-tool"), "-i", self.name, "--json"))

    def check(self):
        """Exit code and output of stats-tool --check."""
        done = subprocess.run(
            [self.program("stats-tool", "stats-tool"), "-i", self.name, "--check"],
            capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, (done.stdout + done.stderr).strip()

    def wait_delivered(self, count, timeout=60):
        """Waits until Kafka has acknowledged at least `count` packets; returns the last stats."""
        stats = {}

        def delivered():
            stats.update(self.stats())
            return stats["balance"]["kaf"]["out"] >= count
        try:
            wait_for(delivered, f"{count} packets delivered", timeout)
        except LabError as e:
            raise LabError(f"{e}; balance: {stats.get('balance')}") from None
        return stats

    def wait_drained(self, count=0, timeout=60):
        """Waits until `count` packets came and none is on its way any more; returns the last stats.

        The device's own counters, which the primary asks for twice a second, are in it, too.
        """
        stats = {}

        def drained():
            stats.update(self.stats())
            rows = stats["balance"]
            return (count <= rows["rx"]["in"] <= rows["nic"]["in"]
                    and all(queue["outstanding"] == 0 for queue in stats["queues"]))
        try:
            wait_for(drained, "empty rings", timeout)
        except LabError as e:
            raise LabError(f"{e}; balance: {stats.get('balance')}") from None
        return stats


def _instance_directory(name):
    stat = subprocess.run(["stat", "-fc", "%T", "/run"], capture_output=True, text=True, check=True)
    base = "/run" if stat.stdout.strip() == "tmpfs" else "/dev/shm"
    return pathlib.Path(os.environ.get("RINGTAP_DIR") or f"{base}/ringtap") / name


def _remove_leftovers(state_file):
    """Ends and removes what the state file names; returns whether there was anything."""
    try:
        state = json.loads(state_file.read_text())
    except FileNotFoundError:
        return False
    instance = pathlib.Path(state["instance"])
    processes = {pid: start for pid, start in state["processes"]}
    namespace = call("ip", "netns", "pids", state["namespace"], expect=(0, 1)).split()
    # Workers have no entry in the state: they hold the instance's lock.
    for pid in {int(pid) for pid in namespace} | users_of(instance / "attached.lock"):
        processes.setdefault(pid, start_time(pid))
    for pid, start in processes.items():
        if start is not None:
            kill_process(pid, start)
    call(TOOLS / "kafka-broker", "stop", "--directory", state["broker"])
    call("ip", "netns", "del", state["namespace"], expect=(0, 1))
    shutil.rmtree(instance, ignore_errors=True)
    _free_hugepages(instance.name)
    _remove_link(instance.name)
    shutil.rmtree(state["broker"], ignore_errors=True)
    shutil.rmtree(state.get("clients", ""), ignore_errors=True)
    state_file.unlink()
    return True


def _free_hugepages(instance):
    """Removes the files of a primary that was killed: its hugepages would stay taken."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "hugetlbfs":
            for path in pathlib.Path(where).glob(f"{instance}map_*"):
                path.unlink()


def _remove_link(instance):
    """Removes the link that lets DPDK's tools find a primary that was killed."""
    link = pathlib.Path("/var/run/dpdk") / instance
    if link.is_symlink():
        link.unlink()


def _merge(config, overrides):
    for key, value in overrides.items():
        if value is None:
            config.pop(key, None)
        elif isinstance(value, dict) and isinstance(config.get(key), dict):
            _merge(config[key], value)
        else:
            config[key] = value


def _yaml(config, indent=""):
    for key, value in config.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from _yaml(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{key}: [{', '.join(json.dumps(item) for item in value)}]"
        else:
            yield f"{indent}{key}: {json.dumps(value)}"
