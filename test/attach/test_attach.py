#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Secondaries that are killed: in the middle of their life and in the middle of their attach. TAP.

    test_attach.py [--seed N] [--lives N] [--kills N]

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root. A long
run by hand: --lives 0 --kills 3000.
"""

import argparse
import collections
import contextlib
import heapq
import pathlib
import random
import re
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "multiproc"))

from verdicts import left_behind

from eal_memory import EalMemory
from lab import Lab, LabError, compare, wait_for
from tap import Tap, same_frames
from victim import Gate, Victim
from watchdog import watchdog

# The rings hold a minute of it: however slow the machine and short a life, nothing is dropped.
RATE, BUFFER_MEMORY = 300, "48MiB"
AT_ONCE, LIFE_S = 6, 1
TIDY_S = 10  # of the primary, between two looks at files of dead secondaries


class Capture:
    """A primary, a secondary with one worker, and traffic."""

    def __init__(self, tap, lab, name):
        self.tap, self.lab, self.name = tap, lab, name
        lab.topic = name.replace(" ", "-")
        lab.write_config({"buffer-memory": BUFFER_MEMORY})
        lab.create_topic()
        self.primary = lab.start_primary()
        lab.start_secondary(1)
        wait_for(lambda: len(lab.workers()) == 1, "worker", 20)
        self.gate, self.memory = Gate(lab), EalMemory(lab)
        self.allocated = self.memory.allocated()
        self.sender = lab.start_traffic(10_000_000, RATE)

    def next_one_delivers(self):
        """A new secondary, alone."""
        old, = self.lab.secondaries
        self.tap.equal(self.lab.stop_secondary(old), 0, f"{self.name}: an older one ends with 0")
        wait_for(lambda: not self.lab.workers(), "end of all workers", 20)
        delivered = self.lab.stats()["balance"]["kaf"]["out"]
        self.lab.start_secondary(1)
        self.lab.wait_delivered(delivered + 1)
        self.tap.ok(True, f"{self.name}: the next secondary attaches and delivers")

    def dead_files(self):
        pids = {path: re.search(r"(?:mp_socket|memseg[^_]*)_(\d+)(?:_\w+)?$", path.name)
                for path in self.memory.path.parent.iterdir()}
        return [path for path, pid in pids.items()
                if pid and not pathlib.Path(f"/proc/{pid[1]}").exists()]

    def is_tidied_up(self):
        with contextlib.suppress(LabError):
            wait_for(lambda: not self.dead_files(), "tidy directory", TIDY_S + 2)
        self.tap.none(self.dead_files(), f"{self.name}: the primary removes the files of the dead")

    def goes_on(self):
        received = self.lab.stats()["balance"]["nic"]["in"]
        with contextlib.suppress(LabError):
            wait_for(lambda: self.lab.stats()["balance"]["nic"]["in"] > received, "packets", 5)
        self.tap.ok(self.primary.is_running()
                    and self.lab.stats()["balance"]["nic"]["in"] > received,
                    f"{self.name}: the primary captures")

    def end(self, hung=False):
        """`hung`: a lock is left. Then the primary may be unable to close its device."""
        tap, lab, name = self.tap, self.lab, self.name
        sent = self.sender.stop_sending()
        stats = lab.wait_drained(sent.count)
        tap.equal(sum(q["ring_full"] for q in stats["queues"]), 0, f"{name}: no drops")
        values = [record.value for record in lab.read_topic()]
        same_frames(tap, compare(sent.frames(), values), f", {name}")
        last, = lab.secondaries
        tap.equal(lab.stop_secondary(last), 0, f"{name}: the last secondary ends with 0")
        code = lab.stop_primary()
        tap.ok(code == 0 or hung, f"{name}: the primary ends with 0", code)
        tap.ok("mempool whole" in self.primary.log() or hung,
               f"{name}: the mempool is whole at the end", self.primary.log())
        tap.none(left_behind(lab), f"{name}: no file and no process is left")


# ---- lives ---------------------------------------------------------------------------------------

def live_and_die(lab, count, moment):
    """Starts `count` secondaries, several alive at once; returns them when all are dead."""
    victims, due = [], []

    def next_death():
        at, _, victim = heapq.heappop(due)
        time.sleep(max(0, at - time.monotonic()))
        victim.kill(workers=moment.random() < 0.25)
    for _ in range(count):
        if len(due) == AT_ONCE:
            next_death()
        victim = Victim(lab)
        victims.append(victim)
        death = time.monotonic() + moment.uniform(0, LIFE_S)
        heapq.heappush(due, (death, victim.pid, victim))
    while due:
        next_death()
    return victims


def lives(tap, lab, count, moment):
    capture = Capture(tap, lab, "short lives")
    victims = live_and_die(lab, count, moment)
    attached = sum(victim.has_attached() for victim in victims)
    repairs = sum("was killed inside EAL" in victim.log() for victim in victims)
    tap.note(f"{count} lives: {attached} had attached; {repairs} met a gate left by a dead one")
    tap.ok(attached > count / 10, "short lives: many have attached", attached)
    capture.goes_on()
    capture.next_one_delivers()
    capture.is_tidied_up()
    tap.equal(capture.memory.allocated(), capture.allocated, "short lives: the heap is as it was")
    tap.equal(capture.memory.taken(), {}, "short lives: no lock of EAL is taken")
    capture.end()


# ---- kills in the middle of the attach -----------------------------------------------------------

def attach_s(capture):
    """How long a secondary has the gate."""
    took = []
    for _ in range(5):
        victim = Victim(capture.lab)
        victim.enter(capture.gate)
        began = time.monotonic()
        while capture.gate.is_held():
            time.sleep(0.0001)
        took.append(time.monotonic() - began)
        victim.kill()
    return statistics.median(took)


def kill_inside(capture, delay, seen):
    """Kills one secondary `delay` after it has taken the gate."""
    allocated, before = capture.memory.allocated(), capture.memory.taken()
    victim = Victim(capture.lab)
    victim.enter(capture.gate)
    time.sleep(delay)
    victim.kill()
    seen["kills"] += 1
    if not capture.gate.somebody_is_inside():
        return
    seen["inside"] += 1
    seen["leaked bytes"] += capture.memory.allocated() - allocated
    taken = capture.memory.taken()
    left = [lock for lock in taken if taken[lock] != before.get(lock)]
    for lock in left:
        seen[f"left {lock}"] += 1
    if left:
        seen["left a lock"] += 1
        attach_after(capture, taken, seen)


def attach_after(capture, taken, seen):
    """A kill left locks taken: what the next attach makes of it."""
    probe = Victim(capture.lab)
    if not probe.attach():
        seen["hung"] += 1
        capture.tap.note(f"after {seen['kills']} kills an attach fails, {taken} taken: "
                         f"exit {probe.process.returncode}, {probe.log().splitlines()[-1:]}")
    elif not capture.memory.taken():
        seen["cleared"] += 1
    probe.kill()


def kills(tap, lab, count, moment):
    seen = collections.Counter()
    while seen["kills"] < count:
        capture = Capture(tap, lab, f"killed attaches {seen['hung'] + 1}")
        span_s, hung = attach_s(capture), seen["hung"]
        tap.note(f"an attach takes {span_s * 1000:.1f} ms")
        while seen["kills"] < count and seen["hung"] == hung:
            kill_inside(capture, moment.uniform(0, span_s), seen)
        tap.note(", ".join(f"{what}: {seen[what]}" for what in seen))
        capture.goes_on()
        if seen["hung"] == hung:
            capture.next_one_delivers()
        capture.is_tidied_up()
        capture.end(seen["hung"] != hung)
    tap.ok(seen["inside"] > count / 4, "killed attaches: many were killed inside", seen)
    tap.equal(seen["leaked bytes"], 0, "killed attaches: the heap is as it was")
    tap.equal(seen["hung"], 0, "killed attaches: the next one attaches")


# ---- all of it -----------------------------------------------------------------------------------

class SharedTap(Tap):
    """Verdicts of two threads."""

    def __init__(self):
        super().__init__()
        self.lock = threading.RLock()

    def ok(self, good, name, diagnostic=""):
        with self.lock:
            super().ok(good, name, diagnostic)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lives", type=int, default=500)
    parser.add_argument("--kills", type=int, default=60)
    options = parser.parse_args()
    tap, moment = SharedTap(), random.Random(options.seed)
    tap.note(f"seed {options.seed}")
    with Lab("rtattach") as lab, Lab("rtattachw") as other:
        other.bootstrap = lab.start_broker(port=9592)
        # It mostly waits.
        beside = threading.Thread(target=tap.run, args=(watchdog, other))
        beside.start()
        for part, count in ((lives, options.lives), (kills, options.kills)):
            if count:
                tap.run(part, lab, count, moment)
                lab.end_programs()
        beside.join()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
