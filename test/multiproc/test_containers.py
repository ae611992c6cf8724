#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Primary and secondary in containers of their own: what they must share. Prints TAP.

A pod is a mount and PID namespace with a /run and a hugetlbfs of its own; each container in it has
a mount namespace, the primary's network is the laboratory's. The programs are those of the build
directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import os
import pathlib
import shutil
import signal
import sys
import time

from verdicts import EXIT, Outcome, refused
from tap import Tap, same_frames

from lab import Lab, compare, wait_for

SHARED = pathlib.Path("/dev/shm/rtpod")  # a tmpfs that the pod has at /run, and we here
SECONDS = 10  # for a line about what is wrong
PAGES = 64
# The pod's mounts end with its first process.
POD = (f"mount --make-rprivate / && umount /dev/hugepages && mount -t proc none /proc "
       f"&& mount -t hugetlbfs -o size={PAGES * 2}M nodev /dev/hugepages "
       f"&& mount --bind {SHARED} /run && exec sleep infinity")
# All that root has there, as config/containers/pod.yaml has it.
CAPABILITIES = {"capture-primary": "-all,+net_raw,+net_admin",
                "kafka-secondary": "-all,+setuid,+setgid,+kill"}
DISK = "mkdir -p /var/tmp/rtpod && mount --bind /var/tmp/rtpod /run"  # not a tmpfs


def child_of(pid):
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return int(wait_for(children.read_text, f"a child of {pid}", 5).split()[0])


class Pod:
    """Containers of one laboratory."""

    def __init__(self, lab):
        self.lab = lab
        shutil.rmtree(SHARED, ignore_errors=True)
        SHARED.mkdir()
        self.pause = lab.start("pause", ["unshare", "--mount", "--pid", "--fork", "--kill-child",
                                         "sh", "-c", POD])
        self.first = child_of(self.pause.pid)
        wait_for(lambda: "sleep" in pathlib.Path(f"/proc/{self.first}/comm").read_text(),
                 "the pod", 5)

    def start(self, name, mounts=":", enter=("--mount", "--pid"), before=()):
        """Starts a program in a container: `mounts` change what it sees, `before` where it is."""
        may = CAPABILITIES[name]
        return self.lab.start(name, [
            *before, "nsenter", "--target", self.first, *enter, "unshare", "--mount", "sh", "-c",
            f'{mounts} && exec env -u RINGTAP_DIR "$@"', "sh", "setpriv", f"--bounding-set={may}",
            f"--inh-caps={may}", self.lab.program(name, name), "-c", self.lab.config_path])

    def start_primary(self):
        primary = self.start("capture-primary", before=["ip", "netns", "exec", self.lab.name])
        primary.wait_log("ready: ")
        return primary

    def start_secondary(self, **how):
        secondary = self.start("kafka-secondary", **how)
        secondary.wait_log("attached to ")
        return secondary


def send(program, signo):
    """To the program itself, not to the nsenter in front of it."""
    os.kill(child_of(program.pid), signo)


def stop(program):
    send(program, signal.SIGTERM)
    return program.wait(30)


def carries_packets(tap, lab, pod):
    """Each container is killed and started again."""
    lab.start_broker(port=9794)
    lab.create_topic(partitions=8)
    lab.write_config({"buffer-memory": "16MiB", "run-as": "nobody"})
    capture = pod.start_primary()
    lab.in_namespace("ip", "link", "set", "rtap0", "up")
    serving = pod.start_secondary()
    other = pod.start_secondary()
    sender = lab.start_traffic(1_000_000, 2_000)
    lab.wait_delivered(2_000)
    send(serving, signal.SIGKILL)
    serving.wait(10)
    lab.wait_delivered(lab.stats()["balance"]["rx"]["in"] + 2_000)
    serving = pod.start_secondary()
    lab.wait_delivered(lab.stats()["balance"]["rx"]["in"] + 2_000)
    sender.stop_sending()
    lab.wait_delivered(sender.count)
    tap.equal(lab.check()[0], 0, "every law holds")
    same_frames(tap, compare(sender.frames(), (r.value for r in lab.read_topic())))

    send(capture, signal.SIGKILL)
    capture.wait(10)
    tap.equal([serving.wait(20), other.wait(20)], [EXIT["NO_PRIMARY"]] * 2,
              "after the death of the primary's container the secondaries end")
    capture = pod.start_primary()
    tap.equal(lab.stats()["primary"]["state"], "running", "the primary starts again")
    serving = pod.start_secondary()
    lab.in_namespace("ip", "link", "set", "rtap0", "up")
    lab.traffic(1_000, 2_000)
    lab.wait_delivered(1_000)
    tap.ok(True, "and packets arrive")
    tap.equal([stop(serving), stop(capture)], [0, 0], "both end with 0")
    lab.stop_broker()


def below_run(tap, lab, pod):
    """/run is a part of the image, the volume is mounted at /run/ringtap."""
    lab.write_config({"devices": "net_ring0", "receive-queues": 1, "receive-descriptors": 64,
                      "buffer-memory": "4MiB"})
    mounts = (f"mount --bind /run/ringtap {SHARED}/ringtap && {DISK} && mkdir -p /run/ringtap "
              f"&& mount --bind {SHARED}/ringtap /run/ringtap")
    capture = pod.start_primary()
    secondary = pod.start_secondary(mounts=mounts)
    tap.equal([stop(secondary), stop(capture)], [0, 0], "a volume at /run/ringtap is found")


def wrong_ways(tap, lab, pod):
    """One line in seconds for each thing that is not shared."""
    where = f"/ringtap/{lab.name}"
    capture = pod.start_primary()
    pages = "/dev/hugepages"
    for what, how, code, wanted in (
            ("another /run", {"mounts": "mount -t tmpfs none /run"}, "NO_PRIMARY",
             [f"no running primary in /run{where};", "needs this directory"]),
            ("a /run on a disk", {"mounts": DISK}, "NO_PRIMARY",
             [f"no running primary in /dev/shm{where};", "needs this directory"]),
            ("another hugetlbfs", {"mounts": f"mount -t hugetlbfs nodev {pages}"}, "ATTACH",
             [f"hugepage file {pages}/{lab.name}map_0", "No such file",
              f"mount the primary's hugetlbfs at {pages}"]),
            ("another hugetlbfs with a file of the name",
             {"mounts": f"mount -t hugetlbfs nodev {pages} && touch {pages}/{lab.name}map_0"},
             "ATTACH", [f"{pages}/{lab.name}map_0 is not the primary's", "inode",
                        f"mount the primary's hugetlbfs at {pages}"]),
            ("no hugetlbfs", {"mounts": f"umount {pages}"}, "ATTACH",
             [f"hugepage file {pages}/{lab.name}map_0", "No such file",
              f"mount the primary's hugetlbfs at {pages}"]),
            ("another PID namespace", {"enter": ["--mount"], "mounts": "mount -t proc none /proc"},
             "ATTACH", ["another pid namespace", "shareProcessNamespace"])):
        began = time.monotonic()
        secondary = pod.start("kafka-secondary", **how)
        outcome = Outcome(secondary.wait(30), "", secondary.log())
        refused(tap, outcome, code, wanted, f"{what}: the secondary says what is wrong")
        took = time.monotonic() - began
        tap.ok(took < SECONDS, f"{what}: within seconds", took)
    tap.equal(stop(capture), 0, "the primary ends with 0")


def another_primary(tap, lab, pod):
    """Of the host, while the pod has one, and with a directory that is open to all."""
    capture = pod.start_primary()
    outside = lab.start("capture-primary", [
        "env", f"RINGTAP_DIR={SHARED}/ringtap", lab.program("capture-primary", "capture-primary"),
        "-c", lab.config_path])
    outcome = Outcome(outside.wait(20), "", outside.log())
    refused(tap, outcome, "ALREADY_RUNNING", ["is already running", "of another pid namespace"],
            "a primary outside of the pod is refused")
    tap.equal(stop(capture), 0, "the one in the pod ends with 0")
    os.chmod(SHARED / "ringtap", 0o777)
    open_to_all = pod.start("capture-primary")
    outcome = Outcome(open_to_all.wait(20), "", open_to_all.log())
    refused(tap, outcome, "FAILURE", [f"/run/ringtap/{lab.name}", "others may write", "chmod go-w"],
            "a directory that others may write to is refused")


def main():
    tap = Tap()
    os.environ["RINGTAP_DIR"] = f"{SHARED}/ringtap"  # for the tools of the laboratory
    with Lab("rtpod") as lab:
        pod = Pod(lab)
        for part in carries_packets, below_run, wrong_ways, another_primary:
            tap.run(part, lab, pod)
    shutil.rmtree(SHARED, ignore_errors=True)
    shutil.rmtree("/var/tmp/rtpod", ignore_errors=True)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
