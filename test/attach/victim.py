# SPDX-License-Identifier: BSD-3-Clause
"""Secondaries that are killed, and the attach gate that says where they were."""

import fcntl
import os
import signal
import struct
import subprocess
import tempfile
import time

from lab import LabError, wait_for

FLOCK = struct.Struct("hhqqi4x")
ANY_LOCK = FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)


class Gate:
    """The attach gate of a laboratory. One secondary has attached before."""

    def __init__(self, lab):
        self.fd = os.open(lab.instance_directory / "attach.gate", os.O_RDONLY | os.O_CLOEXEC)

    def is_held(self):
        return FLOCK.unpack(fcntl.fcntl(self.fd, fcntl.F_OFD_GETLK, ANY_LOCK))[0] != fcntl.F_UNLCK

    def somebody_is_inside(self):
        """Or was, when it was killed."""
        return os.pread(self.fd, 1, 0) == b"I"


class Victim:
    """A secondary with one worker."""

    def __init__(self, lab):
        self._log = tempfile.TemporaryFile()  # theirs are many
        self.process = subprocess.Popen(
            [lab.program("kafka-secondary", "kafka-secondary"), "-c", lab.config_path,
             "--workers", "1"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True)
        self.pid = self.process.pid

    def log(self):
        return os.pread(self._log.fileno(), 1 << 20, 0).decode(errors="replace")

    def has_attached(self):
        return "attached to instance" in self.log()

    def enter(self, gate, timeout=20):
        """Waits until it has the gate, which no other process wants, or had it: a busy machine may
        look too late."""
        deadline = time.monotonic() + timeout
        while not (gate.is_held() or self.has_attached() or self.process.poll() is not None):
            if time.monotonic() > deadline:
                raise LabError(f"a secondary does not take the gate within {timeout} s")
            time.sleep(0.0001)

    def attach(self, timeout=60):
        """Waits until it has attached or given up; returns whether it has attached."""
        wait_for(lambda: self.has_attached() or self.process.poll() is not None, "attach", timeout)
        return self.has_attached()

    def kill(self, workers=False):
        """The supervisor alone, or its workers in the same instant."""
        if workers:
            os.killpg(self.pid, signal.SIGKILL)  # not yet waited for, so it is still its group
        else:
            self.process.kill()
        self.process.wait(10)
