# SPDX-License-Identifier: BSD-3-Clause
"""What the multi-process scripts share: programs that run to their end, and what they said."""

import collections
import pathlib
import re
import subprocess
import sys

TEST = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TEST / "e2e"))
sys.path.insert(0, str(TEST.parent / "tools" / "dev"))

LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\S+Z [\w/-]+\[\d+\] (\w+) (\w+): (.*)$")

# Exit codes by their names in common/exit_code.h, without the prefix.
EXIT = {name: int(value) for name, value in re.findall(
    r"RTAP_EXIT_(\w+) = (\d+)", (TEST.parent / "common" / "exit_code.h").read_text())}

Outcome = collections.namedtuple("Outcome", "code out err")


def run(*command, timeout=30, **how):
    """Runs a program to its end."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=timeout, check=False, **how)
    return Outcome(done.returncode, done.stdout.decode(errors="replace"),
                   done.stderr.decode(errors="replace"))


def lines(log, level):
    """Texts of our own log lines of a level; EAL's are not among them."""
    matches = (LOG_LINE.match(line) for line in log.splitlines())
    return [m[3] for m in matches if m and m[1] == level]


def left_behind(lab):
    """What a primary must not leave at its end: hugepage files, EAL's files, a link, processes."""
    found = []
    for mount in pathlib.Path("/proc/mounts").read_text().splitlines():
        device_and_path = mount.split()
        if device_and_path[2] == "hugetlbfs":
            found += pathlib.Path(device_and_path[1]).glob(f"{lab.name}map_*")
    found += (lab.instance_directory / "dpdk" / lab.name).glob("*")
    found += [path for path in pathlib.Path("/var/run/dpdk").glob(lab.name) if path.is_symlink()]
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            maps = (process / "maps").read_text()
        except OSError:  # it has ended
            continue
        if f"/{lab.name}map_" in maps:
            found.append(process)
    return found


def refused(tap, outcome, code, wanted, what, lab=None):
    """A program said no: exit code, one line that holds every text of `wanted`, nothing left."""
    said = lines(outcome.err, "error")
    if not said:  # before the log begins: a line as it is
        said = outcome.err.splitlines()
    missing = [text for text in wanted if len(said) != 1 or text not in said[0]]
    tap.ok(outcome.code == EXIT[code] and len(said) == 1 and not missing, what,
           f"exit {outcome.code}, wanted {code}; not in the one line: {missing}\n"
           f"{outcome.err[-3000:]}")
    if lab:
        tap.none([str(path) for path in left_behind(lab)], f"{what}: nothing is left behind")
