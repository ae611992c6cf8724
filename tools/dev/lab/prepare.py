# SPDX-License-Identifier: BSD-3-Clause
"""Prepare a fresh machine for a command of tools/: set it up, and build."""

import os
import signal
import subprocess
import sys

from .places import SOURCE, TOOLS, build_directory


def need_root(name):
    """Ends the command tools/NAME unless root runs it."""
    if os.geteuid() != 0:
        sys.exit(f"{name}: must be root; try: sudo tools/{name}")


def prepare(name):
    """Sets the machine up and builds; says what it does on standard error. Ends if that fails."""
    need_root(name)
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing to clean up yet
    if (code := subprocess.run([TOOLS / "setup"], stdout=sys.stderr, check=False).returncode) != 0:
        sys.exit(code)
    build = build_directory().resolve()
    if not (build / "build.ninja").exists():
        print(f"{name}: building into {build}", file=sys.stderr, flush=True)
        _run_quietly("meson", "setup", build, SOURCE)
    _run_quietly("ninja", "-C", build, "--quiet")
    signal.signal(signal.SIGINT, before)


def _run_quietly(*command):
    """Shows the output of a command only if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        sys.exit(done.returncode)
