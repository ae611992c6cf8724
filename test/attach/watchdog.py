# SPDX-License-Identifier: BSD-3-Clause
"""Attaches that cannot go on: they end with a remedy, and the remedy works."""

import os
import re
import signal
import time

from verdicts import EXIT, left_behind, lines

from eal_memory import EalMemory
from lab import wait_for
from victim import Gate, Victim

WATCHDOG_S, GATE_WAIT_S = 20, 25  # kafka-secondary/rings/attach.c
LATE_S = 5  # on a machine that has other things to do
RATE = 100  # packets per second


class Waiting:
    """A secondary that attaches; when it gives up and what it says."""

    def __init__(self, lab):
        self.began, self.victim = time.monotonic(), Victim(lab)

    def gives_up(self, tap, after_s, name):
        """Returns what it says."""
        code = self.victim.process.wait(after_s + 4 * LATE_S)
        took = time.monotonic() - self.began
        tap.equal(code, EXIT["ATTACH"], f"{name}: the exit code says so")
        tap.ok(after_s - 1 < took < after_s + LATE_S, f"{name}: it gives up in time", took)
        return self.victim.log()


def delivers(lab):
    """Whether packets reach Kafka now."""
    before = lab.stats()["balance"]["kaf"]["out"]
    return bool(lab.wait_delivered(before + 1, 10))


def stopped_inside(tap, lab):
    """Who waits for the gate is told whom to end."""
    name, memory, gate = "stopped attach", EalMemory(lab), Gate(lab)
    memory.take("mlock")  # it cannot be too fast for us
    stopped = Victim(lab)
    wait_for(gate.somebody_is_inside, "attach", 20)
    os.kill(stopped.pid, signal.SIGSTOP)
    waiting = Waiting(lab)
    said = lines(waiting.gives_up(tap, GATE_WAIT_S, name), "error")
    remedy = re.search(r"\(kill -9 (\d+)\)", " ".join(said))
    tap.ok(remedy and int(remedy[1]) == stopped.pid, f"{name}: it says whom to end", said)
    tap.ok(delivers(lab), f"{name}: capture and running workers go on")
    stopped.kill()
    after = Victim(lab)
    tap.ok(after.attach(), f"{name}: as soon as that one is dead, secondaries attach", after.log())
    tap.ok("its locks are cleared" in after.log(), f"{name}: its lock was cleared", after.log())
    tap.equal(memory.taken(), {}, f"{name}: no lock of EAL is taken any more")
    after.kill()


def unknown_layout(tap, lab):
    """Locks that cannot be cleared are said at the start, not when an attach hangs."""
    name = "unknown layout"
    gate, victim = Gate(lab), None
    with EalMemory(lab).of_another_version():
        victim = Victim(lab)
        victim.process.wait(WATCHDOG_S)
    said = lines(victim.log(), "warning")
    tap.ok(any("unknown layout" in line for line in said), f"{name}: a warning says so", said)
    tap.ok(not gate.somebody_is_inside(), f"{name}: the attach ended in order", victim.log())
    after = Victim(lab)
    tap.ok(after.attach() and "unknown layout" not in after.log(),
           f"{name}: the layout of this EAL is known", after.log())
    after.kill()


def lock_left(tap, lab):
    """A lock whose owner is dead, unnoticed: the watchdog ends the attach."""
    name = "lock of EAL"
    EalMemory(lab).take("mlock")
    said = Waiting(lab).gives_up(tap, WATCHDOG_S, name)
    tap.ok("the attach hangs" in said and "Stop the primary when its rings are empty and start it "
           "again; then secondaries can attach" in said, f"{name}: it says what to do", said)
    tap.ok(delivers(lab), f"{name}: capture and running workers go on")


def restart(tap, lab, sender):
    """The remedy: nothing is lost, and secondaries attach."""
    name = "lock of EAL"
    sent = sender.stop_sending()
    stats = lab.wait_drained(sent.count)
    lab.wait_delivered(sent.count)
    tap.equal(sum(q["ring_full"] for q in stats["queues"]), 0, f"{name}: no drops")
    old, = lab.secondaries
    tap.equal(lab.stop_secondary(old), 0, f"{name}: the secondary ends with 0")
    # Its device may need the lock to be closed: then the kernel closes it.
    tap.ok(lab.stop_primary() in (EXIT["OK"], EXIT["FAILURE"]), f"{name}: the primary ends")
    tap.none(left_behind(lab), f"{name}: no file and no process is left")
    lab.start_primary()
    lab.start_secondary(1)
    lab.traffic(100, 1_000)
    lab.wait_delivered(100)
    tap.ok(True, f"{name}: with the next primary secondaries attach and deliver")


def watchdog(tap, lab):
    lab.topic = "watchdog"
    lab.create_topic()
    lab.write_config({"buffer-memory": "16MiB"})
    lab.start_primary()
    lab.start_secondary(1)
    wait_for(lambda: len(lab.workers()) == 1, "worker", 20)
    sender = lab.start_traffic(10_000_000, RATE)
    unknown_layout(tap, lab)
    stopped_inside(tap, lab)
    lock_left(tap, lab)
    restart(tap, lab, sender)
