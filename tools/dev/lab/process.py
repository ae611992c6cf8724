# SPDX-License-Identifier: BSD-3-Clause
"""Run processes, wait for them, and end those that another run left."""

import contextlib
import os
import pathlib
import re
import select
import signal
import subprocess
import time

KILL_TIMEOUT_S = 10  # for the end of a process after SIGKILL


class LabError(Exception):
    """Something in the laboratory failed; one line says what."""


class LabBusy(LabError):
    """Another laboratory of this name is running."""


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


def start_time(pid):
    """Start of a process, which tells it from a later one of the same pid; None if it has ended."""
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
        with contextlib.suppress(OSError):  # it may have ended by now
            if os.readlink(fd) == str(path):
                pids.add(int(fd.parts[2]))
    return pids


@contextlib.contextmanager
def held_process(pid, started):
    """Yields a pidfd of the process that began at `started`; None if it has ended."""
    fd = None
    with contextlib.suppress(ProcessLookupError):
        fd = os.pidfd_open(pid)
    try:
        # The descriptor stays with its process, even when the pid is used again.
        yield fd if fd is not None and start_time(pid) == started else None
    finally:
        if fd is not None:
            os.close(fd)


def end_processes(processes, signo, timeout):
    """Sends `signo` to processes, (pid, start time) each, and SIGKILL to those that do not end.

    Waits `timeout` seconds before SIGKILL, and for a while after it; then LabError.
    """
    with contextlib.ExitStack() as stack:
        fds = {pid: stack.enter_context(held_process(pid, started)) for pid, started in processes}
        running = {pid: fd for pid, fd in fds.items() if fd is not None}
        for number, patience in ((signo, timeout), (signal.SIGKILL, KILL_TIMEOUT_S)):
            for fd in running.values():
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(fd, number)
            deadline = time.monotonic() + patience
            for pid, fd in list(running.items()):
                if select.select([fd], [], [], max(deadline - time.monotonic(), 0))[0]:
                    del running[pid]
        for pid in running:
            raise LabError(f"process {pid} does not end")


def kill_process(pid, started):
    """SIGKILL for the process that began at `started`, unless it has ended; waits for its end."""
    end_processes([(pid, started)], signal.SIGKILL, 0)


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
        """Returns its exit code, negative if a signal ended it."""
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
