# SPDX-License-Identifier: BSD-3-Clause
"""`meson install` into a directory of its own, and where everything is below it."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

SCRIPTS = ("ringtap-doctor", "fastcapa-import")
PROGRAMS = ("capture-primary", "kafka-secondary", "stats-tool", "kafka-to-pcap", *SCRIPTS)
UNITS = ("ringtap-primary@", "ringtap-secondary@")
BUILD = os.environ["RINGTAP_BUILD"]


def run(*command, **how):
    """Runs a command; returns it with its output, both streams in one text."""
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                          check=False, **how)


class Destination:
    """A DESTDIR, removed at the end."""

    def __enter__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="ringtap-install."))
        self.installing = run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir",
                              self.root)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root)

    def path(self, kind, *parts):
        """Below the directory of a kind, such as `bindir`."""
        return self.root.joinpath(os.environ["RINGTAP_" + kind.upper()].lstrip("/"), *parts)

    def program(self, name):
        return self.path("bindir", name)

    def unit(self, name):
        """Text of a unit, its programs those of this directory."""
        text = (self.path("units") / f"{name}.service").read_text()
        return text.replace(os.environ["RINGTAP_BINDIR"] + "/", str(self.path("bindir")) + "/")


def setting(unit, name):
    """The words after NAME= in the text of a unit."""
    return re.search(rf"^{name}=(.*)$", unit, re.M)[1].split()
