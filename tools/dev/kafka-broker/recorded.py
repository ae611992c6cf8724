# SPDX-License-Identifier: BSD-3-Clause
"""Start processes that outlive this program, and find them again by the pid file they leave."""

import os
import pathlib
import subprocess

from lab import end_processes, start_time

BOOT_ID = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def recorded_process(directory):
    """(pid, start time) of the process whose pid file is in the directory; None if it has ended."""
    try:
        pid, started, boot_id = (directory / "pid").read_text().split()
        process = int(pid), int(started)
    except (OSError, ValueError):
        return None
    return process if boot_id == BOOT_ID and start_time(process[0]) == process[1] else None


def recorded_pid(directory):
    process = recorded_process(directory)
    return process and process[0]


def spawn(directory, log, command, env=None):
    """Starts a process in a session of its own, with its output at the end of the file `log`.

    The process itself writes the pid file, before its program begins and while it still holds the
    locks of this program: the next call finds it, whatever happens to this one.
    """
    path = directory / "pid"
    path.unlink(missing_ok=True)

    def record():
        path.write_text(f"{os.getpid()} {start_time(os.getpid())} {BOOT_ID}\n")
    with open(log, "ab") as out:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            preexec_fn=record,  # noqa: PLW1509 # there is one thread
            env={**os.environ, **(env or {})})


def terminate(directories, signo, timeout):
    """Ends what is recorded in the directories; with SIGKILL what takes longer than `timeout` s."""
    end_processes(filter(None, map(recorded_process, directories)), signo, timeout)
    for directory in directories:
        (directory / "pid").unlink(missing_ok=True)
