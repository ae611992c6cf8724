#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/demo as a user calls it: its last line, its exit code, and that it leaves nothing. TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time

from tap import Tap

from lab import SOURCE, STATE, build_directory, call, wait_for

NAME = "ringtap-demo"
DEMO = SOURCE / "tools" / "demo"
TIMEOUT_S = 100
ROW = r"^\[{}\]\s+{}\s+{}\s+{}\s+{}$"


class Demo:
    """A demo in the background; its output is in files."""

    def __init__(self, *options):
        self.out, self.err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([DEMO, *options], stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=self.err)

    def output(self):
        self.out.seek(0)
        return self.out.read()

    def wait_output(self, pattern):
        return wait_for(lambda: re.search(pattern, self.output(), re.M), f"'{pattern}'", TIMEOUT_S)

    def finish(self):
        """Returns exit code, standard output and standard error."""
        rc = self.process.wait(TIMEOUT_S)
        self.err.seek(0)
        return rc, self.output(), self.err.read()


def demo(*options):
    return Demo(*options).finish()


def last_line(text):
    return text.splitlines()[-1] if text else ""


def is_equal(tap, result, count, note):
    rc, out, err = result
    tap.equal(last_line(out), f"demo: {count} packets sent, {count} in Kafka, byte for byte equal",
              f"the last line says that all is equal, {note}")
    tap.equal(rc, 0, f"exit 0, {note}")
    tap.ok(re.search(ROW.format("kaf", count, 0, count, 0), out, re.M),
           f"the table is shown, {note}", out + err)


def nothing_is_left(tap, note):
    tap.ok(NAME not in call("ip", "netns", "list") and not (STATE / f"{NAME}.json").exists(),
           f"nothing is left, {note}")


def plain(tap):
    is_equal(tap, demo("--count", "3000"), 3000, "plain")
    nothing_is_left(tap, "plain")


def embedded(tap):
    is_equal(tap, demo("--embedded", "--count", "3000"), 3000, "embedded")
    nothing_is_left(tap, "embedded")


def users_own_capture(tap):
    build = build_directory()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "own.pcap"
        call(build.joinpath("tools", "dev", "traffic-gen", "traffic-gen"), "--pcap", path,
             "--count", 700, "--seed", 3)
        is_equal(tap, demo("--embedded", "--pcap", path), 700, "from a file")
        path.write_text("this is no capture")
        rc, out, _ = demo("--embedded", "--pcap", path)
    tap.ok(rc == 1 and "own.pcap: unknown file format" in last_line(out),
           "a file that is no capture: the last line says so", out)


def wrong_options(tap):
    for options in (["--count", "0"], ["--count", "x"], ["--count"], ["--pcap", "/nowhere"],
                    ["--fast"], ["--stop", "--keep"]):
        rc, out, err = demo(*options)
        tap.ok(rc == 2 and out == "" and len(err.splitlines()) == 1 and err.startswith("demo: "),
               f"{' '.join(options)}: exit 2 and one line", f"exit {rc}: {out}{err}")


def difference(tap):
    """Somebody else writes to the topic."""
    run = Demo("--embedded", "--count", "6000")
    broker = run.wait_output(r"ready at ([^: ]+:\d+)")[1]
    run.wait_output("sending")
    subprocess.run(["kcat", "-P", "-b", broker, "-t", NAME], input=b"stray", check=True)
    rc, out, _ = run.finish()
    tap.equal((rc, last_line(out)),
              (1, "demo: 6000 packets sent, 6001 in Kafka: 0 missing, 1 altered or not sent, "
                  "0 duplicated"), "a difference is exit 1, and the last line says what differs")
    nothing_is_left(tap, "after a difference")


def keep_and_stop(tap):
    is_equal(tap, demo("--embedded", "--count", "500", "--keep"), 500, "kept")
    rc, out, _ = demo("--embedded")
    tap.ok(rc == 1 and "--stop" in last_line(out), "no second one beside one that was kept", out)
    rc, out, _ = demo("--stop")
    tap.equal((rc, last_line(out)), (0, "demo: everything is stopped and removed"),
              "--stop ends it")
    nothing_is_left(tap, "after --stop")


def killed(tap):
    run = Demo("--embedded")
    run.wait_output("sending")
    time.sleep(1)
    rc, out, _ = demo("--embedded")
    tap.ok(rc == 1 and "another demo is running" in last_line(out), "one at a time", out)
    run.process.kill()
    run.finish()
    is_equal(tap, demo("--embedded", "--count", "500"), 500, "after one that was killed")
    nothing_is_left(tap, "after one that was killed")


def main():
    tap = Tap()
    for part in (wrong_options, plain, embedded, users_own_capture, difference, keep_and_stop,
                 killed):
        tap.run(part)
    demo("--stop")
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
