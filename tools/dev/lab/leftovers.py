# SPDX-License-Identifier: BSD-3-Clause
"""Remove what a laboratory left on the machine, as its state file lists it."""

import json
import pathlib
import shutil

from .places import KAFKA_BROKER
from .process import call, kill_process, start_time, users_of


def remove_leftovers(state_file):
    """Ends and removes what the state file names; returns whether there was anything."""
    try:
        state = json.loads(state_file.read_text())
    except FileNotFoundError:
        return False
    instance = pathlib.Path(state["instance"])
    processes = dict(state["processes"])
    namespace = call("ip", "netns", "pids", state["namespace"], expect=(0, 1)).split()
    # Workers have no entry in the state: they hold the instance's lock.
    for pid in {int(pid) for pid in namespace} | users_of(instance / "attached.lock"):
        processes.setdefault(pid, start_time(pid))
    for pid, start in processes.items():
        if start is not None:
            kill_process(pid, start)
    call(KAFKA_BROKER, "stop", "--directory", state["broker"])
    call("ip", "netns", "del", state["namespace"], expect=(0, 1))
    shutil.rmtree(instance, ignore_errors=True)
    _free_hugepages(instance.name)
    _remove_link(instance.name)
    shutil.rmtree(state["broker"], ignore_errors=True)
    shutil.rmtree(state.get("clients", ""), ignore_errors=True)
    state_file.unlink()
    return True


def _free_hugepages(instance):
    """Removes the files of a primary that was killed: its hugepages would stay taken."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "hugetlbfs":
            for path in pathlib.Path(where).glob(f"{instance}map_*"):
                path.unlink()


def _remove_link(instance):
    """Removes the link that lets DPDK's tools find a primary that was killed."""
    link = pathlib.Path("/var/run/dpdk") / instance
    if link.is_symlink():
        link.unlink()
