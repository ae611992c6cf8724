# SPDX-License-Identifier: BSD-3-Clause
"""Set up, run and remove a laboratory; see the top of this package."""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import sys

from .configuration import merge, yaml_lines
from .counters import LabCounters
from .kafka import LabKafka
from .leftovers import remove_leftovers
from .places import CLIENTS, STATE, build_directory, instance_directory
from .process import LabBusy, LabError, Program, call, kill_process, start_time, users_of
from .sender import Sender

INTERFACE = "rtap0"
JUMBO_MTU = 9014  # of the interface, so that a tagged frame of 9000 bytes of payload fits
LAST_LINES = 40  # of each log, when something failed


class Lab(LabKafka, LabCounters):
    """A laboratory; see the top of this package.

    name: of the instance and of the namespace. build: where Meson built the programs (default
    $RINGTAP_BUILD, else build/). directory: for configuration, logs and Kafka's data (default
    BUILD/lab/NAME, emptied at start); the logs in it are kept. debug: the programs log everything.
    """

    def __init__(self, name, build=None, directory=None, debug=False):
        self.name = name
        self.build = pathlib.Path(build or build_directory())
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
            remove_leftovers(self._state_file)
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
        """Leaves everything running for Lab.remove(name) or the next one of its name."""
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
            return remove_leftovers(STATE / f"{name}.json")

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
            raise LabBusy(f"another laboratory {self.name} is running") from None
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
            "instance": str(instance_directory(self.name)),
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
        remove_leftovers(self._state_file)

    # -- small tools --

    @property
    def broker_directory(self):
        return self.directory / "kafka"

    @property
    def instance_directory(self):
        return instance_directory(self.name)

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
        merge(config, overrides or {})
        self.topic = config["topic"]
        self.config_path.write_text("\n".join(yaml_lines(config)) + "\n")

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
        """SIGKILL for every program that still runs, so that the next part can start."""
        self.secondaries.clear()
        self.primary = None
        for program in reversed(self.programs):
            program.kill()
        for pid in users_of(instance_directory(self.name) / "attached.lock"):
            kill_process(pid, start_time(pid))

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
