#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Other DPDK programs with the instance's name as their file-prefix, other instances. Prints TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/) and Debian's
dpdk-dev. Needs root.
"""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from verdicts import EXIT, left_behind, lines, refused, run
from tap import Tap, same_frames

from lab import Lab, LabError, call, compare, wait_for

SMALL = {"devices": "net_ring0", "receive-queues": 1, "receive-descriptors": 64,
         "buffer-memory": "4MiB"}
HUGEPAGES = pathlib.Path("/dev/hugepages")
EAL_BASE = pathlib.Path("/var/run/dpdk")
ATTACH_S = 3  # at most; it takes 0.05 s
# In a mount and PID namespace with an empty EAL_BASE: as in a container that shares /dev/hugepages.
CONTAINER = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
             f'mkdir -p {EAL_BASE} && mount -t tmpfs none {EAL_BASE} && exec "$@"', "sh"]


def hugepage_files(name, directory=HUGEPAGES):
    """{name: inode} of the hugepage files of a prefix."""
    return {path.name: path.stat().st_ino for path in directory.glob(f"{name}map_*")}


def program(lab):
    return lab.program("capture-primary", "capture-primary")


def primary(lab, *prefix):
    """Runs the primary to its end, with other words before it."""
    return run(*prefix, program(lab), "-c", lab.config_path)


def link(lab):
    return EAL_BASE / lab.name


class Testpmd:
    """dpdk-testpmd in interactive mode, without a device of the machine."""

    def __init__(self, lab, *eal_arguments, env=None):
        self.prefix = lab.name
        self.log = lab.logs / "testpmd.out"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                ["stdbuf", "-oL", "dpdk-testpmd", f"--file-prefix={lab.name}", "--no-pci",
                 "--vdev=net_null0", "-m", "64", "-l", "0-1", *eal_arguments,
                 "--", "-i", "--total-num-mbufs=2048"],
                stdin=subprocess.PIPE, stdout=out, stderr=out, env={**os.environ, **(env or {})})

    def __enter__(self):
        self.wait_for("testpmd> ")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        shutil.rmtree(EAL_BASE / self.prefix, ignore_errors=True)
        for path in HUGEPAGES.glob(f"{self.prefix}map_*"):
            path.unlink()

    def wait_for(self, text):
        wait_for(lambda: text in self.log.read_text(errors="replace"), f"'{text}' of testpmd", 20)

    def answers(self):
        """Whether it still does what it is told, with its memory."""
        begin = len(self.log.read_bytes())
        with contextlib.suppress(BrokenPipeError, LabError):
            self.process.stdin.write(b"start\nstop\n")
            self.process.stdin.flush()
            wait_for(lambda: b"forward statistics for all" in self.log.read_bytes()[begin:],
                     "forwarding", 10)
            return True
        return False


def warnings(program, text):
    """What the program warned of that has `text` in it: others may run on this machine."""
    return [line for line in lines(program.log(), "warning") if text in line]


def attach(tap, lab, what):
    """One more secondary comes and goes as quickly as ever."""
    began = time.monotonic()
    secondary = lab.start_secondary(1)
    took = time.monotonic() - began
    tap.ok(took < ATTACH_S, f"a secondary attaches {what} ({took:.3f} s)", took)
    tap.equal(lab.stop_secondary(secondary), 0, f"and ends with 0 {what}")


# ---- beside a primary ----------------------------------------------------------------------------

def tools(lab, pid):
    """(what, command, exit code, what it says) of DPDK's tools beside the primary `pid`."""
    prefix = f"--file-prefix={lab.name}"
    testpmd = ["--no-pci", "--vdev=net_null0", "-m", "64", "-l", "0-1", "--", "-i",
               "--total-num-mbufs=2048"]
    telemetry = ["sh", "-c", 'printf "%s\\n" "$@" | dpdk-telemetry.py -f "$0"', lab.name]
    proc_info = ["dpdk-proc-info", prefix, "--no-pci", "--"]
    for mode, said in (("auto", "type: SECONDARY"),
                       ("primary", "Is another primary process running")):
        yield (f"dpdk-testpmd, {mode}",
               ["dpdk-testpmd", prefix, f"--proc-type={mode}", *testpmd], 1, said)
    yield ("dpdk-telemetry.py, the ports", [*telemetry, "/ethdev/list"], 0, '{"/ethdev/list": [0]}')
    yield ("dpdk-telemetry.py, more",
           [*telemetry, "/info", "/ethdev/stats,0", "/ethdev/xstats,0", "/ethdev/info,0",
            "/eal/heap_info,0", "/eal/memzone_list", "/mempool/info,rtap_mbufs_0"], 0,
           f'"pid": {pid}')
    yield "dpdk-proc-info, statistics", [*proc_info, "--xstats"], 0, "rx_good_packets: "
    yield ("dpdk-proc-info, more", [*proc_info, "--show-port", "--show-ring", "--show-mempool"], 0,
           "ring <rtap_p0_q1_r3>")
    yield "dpdk-dumpcap -D", ["dpdk-dumpcap", prefix, "-D"], 0, "0. net_tap0"


def tools_beside_a_capture(tap, lab):
    """What DPDK's own tools do to it, while packets come and go."""
    lab.start_broker(port=9792)
    lab.create_topic(partitions=8)
    lab.write_config({"buffer-memory": "16MiB"})
    capture = lab.start_primary()
    serving = lab.start_secondary(2)
    files = hugepage_files(lab.name)
    sender = lab.start_traffic(1_000_000, 2_000)
    attach(tap, lab, "before all")
    for what, command, code, said in tools(lab, capture.pid):
        outcome = run(*command)
        tap.ok(outcome.code == code and said in outcome.out + outcome.err,
               f"{what} says '{said}' and ends with {code}", outcome)
        tap.equal(hugepage_files(lab.name), files, f"{what}: the hugepage files are the same")
        attach(tap, lab, f"after {what}")
    sender.stop_sending()
    lab.wait_delivered(sender.count)
    tap.ok(capture.is_running() and serving.is_running() and len(lab.workers()) == 2,
           "the primary and its workers are unharmed")
    tap.equal(lab.check()[0], 0, "every law holds")
    same_frames(tap, compare(sender.frames(), (r.value for r in lab.read_topic())))
    lab.stop()
    tap.ok(not link(lab).is_symlink(), "the link is gone at the end")
    tap.none(left_behind(lab), "the primary leaves nothing behind")
    lab.stop_broker()


# ---- before a primary ----------------------------------------------------------------------------

def testpmd_was_first(tap, lab):
    lab.write_config(SMALL)
    elsewhere = {"RUNTIME_DIRECTORY": str(lab.directory)}
    for how, arguments, env, locked in (
            ("with its lock in sight", [], {}, f"{EAL_BASE}/{lab.name}/config"),
            ("with a page a file", [], elsewhere, f"{HUGEPAGES}/{lab.name}map_"),
            ("with one file", ["--single-file-segments"], elsewhere,
             f"{HUGEPAGES}/{lab.name}map_")):
        with Testpmd(lab, *arguments, env=env) as other:
            files = hugepage_files(lab.name)
            user = f"dpdk-testpmd (pid {other.process.pid})"
            refused(tap, primary(lab), "ALREADY_RUNNING",
                    [f"file-prefix {lab.name}", locked, user, "`instance`"],
                    f"a testpmd {how}: the primary is refused")
            tap.ok(files and hugepage_files(lab.name) == files, f"{how}: no file is touched", files)
            tap.ok(other.answers(), f"{how}: testpmd still answers", other.log.read_text())
            outcome = run(program(lab), "-c", lab.config_path, "--check")
            tap.equal(outcome.code, 0, f"{how}: --check does not mind")


def left_by_testpmd(tap, lab):
    """Files that no process uses do not matter."""
    lab.write_config(SMALL)
    with Testpmd(lab) as other:
        other.process.kill()
        other.process.wait()
        tap.ok(len(hugepage_files(lab.name)) > 5, "a killed testpmd leaves hugepage files")
        capture = lab.start_primary()
        said = warnings(capture, str(link(lab)))
        tap.ok(len(said) == 1 and f"rm -r {link(lab)}" in said[0],
               "its directory is named once, with the remedy", capture.log())
        tap.equal(sorted(hugepage_files(lab.name)), [f"{lab.name}map_0", f"{lab.name}map_lock"],
                  "its hugepage files are gone")
        attach(tap, lab, "all the same")
        tap.equal(lab.stop_primary(), 0, "the primary ends with 0")
        tap.ok(link(lab).is_dir() and not link(lab).is_symlink(), "the directory stays")
        tap.none(left_behind(lab), "the primary leaves nothing behind")


def stale_link(tap, lab):
    lab.write_config(SMALL)
    lab.start_primary().kill()
    tap.ok(link(lab).is_symlink(), "a killed primary leaves its link")
    capture = lab.start_primary()
    tap.none(warnings(capture, str(link(lab))), "the next one takes its place")
    tap.ok((link(lab) / "config").exists(), "it leads to EAL's files")
    tap.equal(lab.stop_primary(), 0, "and ends with 0")
    tap.ok(not link(lab).is_symlink(), "the link is gone at the end")
    call("ln", "-s", "/nonexistent", link(lab))
    capture = lab.start_primary()
    tap.equal(len(warnings(capture, str(link(lab)))), 1, "another's link is named")
    tap.equal(lab.stop_primary(), 0, "the primary beside it ends with 0")
    tap.equal(os.readlink(link(lab)), "/nonexistent", "another's link stays")
    link(lab).unlink()


def directory_of_its_own(tap, lab):
    """Under hugepage-directory: a folder of a mount, too."""
    with tempfile.TemporaryDirectory(dir=HUGEPAGES) as name:
        directory = pathlib.Path(name)
        lab.write_config({**SMALL, "hugepage-directory": name})
        lab.start_primary().kill()
        before = hugepage_files(lab.name, directory)
        tap.ok(f"{lab.name}map_0" in before, "the files are in the folder that is named", before)
        lab.start_primary()
        after = hugepage_files(lab.name, directory)
        tap.ok(after.keys() == before.keys() and not set(after.values()) & set(before.values()),
               "the next primary removes what a killed one left there", (before, after))
        tap.equal(lab.stop_primary(), 0, "it ends with 0")
        tap.none(list(directory.iterdir()), "and leaves nothing there")


# ---- two primaries -------------------------------------------------------------------------------

def two_directories(tap, lab):
    """One name, another $RINGTAP_DIR: as in two containers with one /dev/hugepages."""
    lab.write_config(SMALL)
    capture = lab.start_primary()
    files = hugepage_files(lab.name)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        environment = ["env", f"RINGTAP_DIR={other}"]
        refused(tap, primary(lab, *environment), "ALREADY_RUNNING",
                [f"capture-primary (pid {capture.pid})", "`instance`"],
                "a second primary with a directory of its own is refused")
        refused(tap, primary(lab, *CONTAINER, *environment), "ALREADY_RUNNING",
                [f"{HUGEPAGES}/{lab.name}map_", "a process in another container"],
                "one in another container is refused")
    tap.equal(hugepage_files(lab.name), files, "the first one keeps its files")
    tap.ok((link(lab) / "config").exists(), "and its link")
    attach(tap, lab, "to the first one")
    tap.equal(lab.stop_primary(), 0, "the first one ends with 0")
    tap.none(left_behind(lab), "and leaves nothing behind")


def two_at_once(tap, lab, rounds=5):
    """Neither is there when the other one looks."""
    lab.write_config(SMALL)
    for number in range(rounds):
        with contextlib.ExitStack() as stack:
            both = []
            for _ in range(2):
                other = stack.enter_context(tempfile.TemporaryDirectory(dir="/dev/shm"))
                both.append(lab.start(f"container{number}", [
                    *CONTAINER, "env", f"RINGTAP_DIR={other}", program(lab), "-c",
                    lab.config_path]))
            wait_for(lambda pair=both: any("ready: " in p.log() for p in pair)
                     and not all(p.is_running() for p in pair), "one that is ready, one that ended",
                     20)
            running = [p for p in both if p.is_running()]
            codes = [p.returncode for p in both if not p.is_running()]
            tap.ok(len(running) == 1 and codes == [EXIT["ALREADY_RUNNING"]],
                   f"two that start at once: one runs, one is refused, round {number + 1}", codes)
            for p in running:
                p.kill()


def same_cpu(tap, lab):
    """Two instances that both take the first CPU that they may."""
    with Lab(lab.name + "b") as other:
        for one in (lab, other):
            one.write_config(SMALL)
        first, second = lab.start_primary(), other.start_primary()
        said = warnings(second, f"instance {lab.name} ")
        cpus = [int(cpu) for cpu in re.findall(r"receive worker on lcore (\d+)", second.log())]
        tap.ok(len(said) == 1 and f"CPU {cpus[0]}" in said[0] and "receive-lcores" in said[0],
               "the second one says whose CPU it takes, and what helps", second.log())
        tap.none(warnings(first, f"instance {other.name} "), "the first one says nothing")
        tap.equal((lab.stop_primary(), other.stop_primary()), (0, 0), "both end with 0")


def main():
    tap = Tap()
    with Lab("rtneigh") as lab:
        for part in (tools_beside_a_capture, testpmd_was_first, left_by_testpmd, stale_link,
                     directory_of_its_own, two_directories, two_at_once, same_cpu):
            tap.run(part, lab)
            lab.end_programs()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
