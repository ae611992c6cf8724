# SPDX-License-Identifier: BSD-3-Clause
"""Read the machine: /proc, /sys and its programs, below a root that tests can replace."""

import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
import time

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
BESIDE = pathlib.Path(sys.argv[0]).resolve().parent  # of the doctor that was called
# The remedy for a program that is missing: all are installed together.
HOW_TO_GET = ("meson setup build && ninja -C build" if (BUILD.parent / "meson.build").exists()
              else f"install ringtap again: it belongs in {BESIDE}")


def cpus_of(text):
    """The CPUs of a list such as 1,3-5."""
    cpus = set()
    for part in text.replace(" ", "").split(","):
        if part:
            first, _, last = part.partition("-")
            cpus.update(range(int(first), int(last or first) + 1))
    return cpus


def cpu_text(cpus):
    """A set of CPUs as a list such as 1,3-5."""
    parts, left = [], sorted(cpus)
    while left:
        first = last = left.pop(0)
        while left and left[0] == last + 1:
            last = left.pop(0)
        parts.append(str(first) if first == last else f"{first}-{last}")
    return ",".join(parts)


class Host:
    """Reads files below `root`. A missing file is None or empty, never an exception."""

    def __init__(self, root="/"):
        self.root = pathlib.Path(root)
        self.is_real = self.root == pathlib.Path("/")

    def path(self, name):
        return self.root / name.lstrip("/")

    def text(self, name):
        try:
            return self.path(name).read_text(errors="replace").strip()
        except OSError:
            return None

    def number(self, name):
        text = self.text(name)
        return int(text) if text and text.lstrip("-").isdigit() else None

    def glob(self, pattern):
        """Paths below the root, as names on the machine."""
        return sorted("/" + str(path.relative_to(self.root))
                      for path in self.root.glob(pattern.lstrip("/")))

    def link(self, name):
        """The last part of where a symbolic link leads."""
        try:
            return os.path.basename(os.readlink(self.path(name)))
        except OSError:
            return None

    def online_cpus(self):
        return cpus_of(self.text("/sys/devices/system/cpu/online") or "0")

    def nodes(self):
        """CPUs by NUMA node."""
        found = {}
        for name in self.glob("/sys/devices/system/node/node[0-9]*/cpulist"):
            found[int(name.split("/")[-2][4:])] = cpus_of(self.text(name) or "")
        return found or {0: self.online_cpus()}

    def mounts(self, kind):
        """[(where, options)] of a kind of file system."""
        lines = [line.split() for line in (self.text("/proc/mounts") or "").splitlines()]
        return [(words[1], words[3].split(",")) for words in lines if words[2:3] == [kind]]

    def program(self, name):
        """Path of a program: one that was built here or is installed here, else another one."""
        if not self.is_real:
            return shutil.which(name, path=str(self.path("/usr/bin")))
        build = pathlib.Path(os.environ.get("RINGTAP_BUILD") or BUILD)
        ours = [path for path in (build / name / name, BESIDE / name) if path.exists()]
        return str(ours[0]) if ours else shutil.which(name)

    def run(self, name, *options, given=""):
        """(exit code, output, errors) of a program; None when it is not there or hangs.

        given: what it reads on standard input.
        """
        program = self.program(name)
        if program is None:
            return None
        try:
            done = subprocess.run([program, *options], input=given,
                                  capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.returncode, done.stdout, done.stderr

    def now(self):
        """Seconds since 1970 by this machine's clock."""
        return time.time() + (0 if self.is_real else self.number("/clock-ahead-s") or 0)

    def kernel_clock(self):
        """(status bits, largest error in us) of the kernel's clock; None when it does not say."""
        if not self.is_real:
            words = (self.text("/adjtimex") or "").split()
            return (int(words[0]), int(words[1])) if len(words) == 2 else None
        buffer = (ctypes.c_long * 64)()  # struct timex, all zeros: only look
        if ctypes.CDLL(None).adjtimex(buffer) < 0:
            return None
        return buffer[5] & 0xFFFFFFFF, buffer[3]
