#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Processes that are killed, stuck, too many or that write where they must not. Prints TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import contextlib
import os
import re
import signal
import struct
import sys
import time

import control_zone
from verdicts import EXIT, left_behind, lines, run
from tap import Tap, same_frames

from lab import INTERFACE, Lab, LabError, compare, users_of, wait_for

AT_ONCE_S = 2  # what ends at once, on a busy machine
RINGS = 8  # two queues with four each
SLOTS = 64
COUNTERS_NUMBERS = 24  # of ports, queues, rings and slots; common/counters.h


def begin(lab, config=None, workers=2):
    """Starts a primary and a secondary whose workers serve. Returns both."""
    lab.write_config(config)
    primary = lab.start_primary()
    secondary = lab.start_secondary(workers) if workers else None
    serving(lab, workers)
    return primary, secondary


def serving(lab, count):
    wait_for(lambda: len(lab.workers()) == count, f"{count} workers", 20)


def outstanding(lab):
    return sum(queue["outstanding"] for queue in lab.stats()["queues"])


def captured(lab, count):
    """Waits until `count` packets wait in the rings."""
    wait_for(lambda: outstanding(lab) == count, f"{count} packets in the rings", 10)


@contextlib.contextmanager
def topic(lab, name):
    lab.topic = name
    lab.create_topic()
    yield
    lab.end_programs()


def values(lab):
    return [record.value for record in lab.read_topic()]


def frames(*senders):
    return [frame for sender in senders for frame in sender.frames()]


def tables(program):
    return len(re.findall(r"^\s*\[nic\]", program.output(), re.M))


# ---- the primary dies ----------------------------------------------------------------------------

def primary_killed_while_kafka_is_up(tap, lab):
    with topic(lab, "killed"):
        primary, secondary = begin(lab)
        workers = lab.workers()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        sent = lab.traffic(3_000, 10_000)
        captured(lab, 3_000)
        primary.kill()
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        tap.equal(secondary.wait(15), EXIT["NO_PRIMARY"], "killed primary: the workers leave")
        said = lines(secondary.log(), "warning")
        tap.ok(any("the primary died; delivering" in s and "(3000 packets)" in s for s in said),
               "killed primary: they say what they deliver", secondary.log())
        tap.equal(sum("everything is in Kafka, 0 packets left" in s for s in said), 2,
                  "killed primary: they say that they delivered it")
        difference = compare(sent.frames(), values(lab))
        same_frames(tap, difference, ": the rings of a killed primary")
        tap.none(difference.duplicates, "killed primary: none is there twice")
        stats = lab.stats()
        tap.equal(stats["primary"]["state"], "killed", "killed primary: stats-tool --json says so")
        text = run(lab.program("stats-tool", "stats-tool"), "-i", lab.name).out
        tap.ok(f"primary: killed (pid was {primary.pid}) while capturing" in text,
               "killed primary: stats-tool says so", text)
        tap.equal((stats["balance"]["kaf"]["out"], sum(r["orphaned"] for r in stats["rings"])),
                  (3_000, 0), "killed primary: all are counted as delivered, none as lost")
        tap.equal(users_of(lab.instance_directory / "attached.lock"), set(),
                  "killed primary: no worker is left")

        lab.secondaries.clear()
        begin(lab, workers=1)
        again = lab.traffic(500, 5_000, seed=2)
        lab.wait_delivered(500)
        lab.stop()
        same_frames(tap, compare(frames(sent, again), values(lab)), ": the next primary")
        tap.none(left_behind(lab), "the next primary leaves nothing behind")


def primary_killed_while_kafka_is_down(tap, lab):
    timeout_s, count = 3, 1_000
    with topic(lab, "orphans"):
        primary, secondary = begin(lab, {"orphan-timeout-s": timeout_s})
        lab.stop_one_broker(1, kill=True)
        lab.traffic(count, 5_000)
        captured(lab, count)
        primary.kill()
        killed = time.monotonic()
        tap.equal(secondary.wait(timeout_s + 10), EXIT["NO_PRIMARY"], "no Kafka: the workers leave")
        took = time.monotonic() - killed
        tap.ok(timeout_s <= took < timeout_s + AT_ONCE_S, "no Kafka: after orphan-timeout-s", took)
        said = [s for s in lines(secondary.log(), "warning") if "packets left in the rings" in s]
        tap.equal([f"over, {count} packets left" in s for s in said], [True] * 2,
                  "no Kafka: they say how many packets were left")
        tap.equal(sum(r["orphaned"] for r in lab.stats()["rings"]), count,
                  "no Kafka: those are counted as lost")
        lab.end_programs()
        tap.equal(lab.start_primary().stop(), 0, "no Kafka: the next primary starts all the same")
        lab.start_one_broker(1)


# ---- stops ---------------------------------------------------------------------------------------

def second_signal(tap, lab):
    """Kafka is down, so that nothing can drain."""
    count = 1_000
    with topic(lab, "impatience"):
        primary, secondary = begin(lab, {"drain-timeout-s": 60})
        lab.stop_one_broker(1, kill=True)
        lab.traffic(count, 5_000)
        captured(lab, count)
        for program, first, what in ((secondary, "stopping: ", "secondary"),
                                     (primary, f"receiving stopped, {count} buffers", "primary")):
            program.send_signal(signal.SIGTERM)
            program.wait_log(first, 5)
            time.sleep(1)
            tap.ok(program.is_running(), f"a {what} waits for Kafka after one SIGTERM")
            program.send_signal(signal.SIGTERM)
            began = time.monotonic()
            tap.equal(program.wait(30), EXIT["LEFT_BEHIND"],
                      f"{what}: the exit code says that packets were left")
            tap.ok(time.monotonic() - began < AT_ONCE_S, f"a {what} ends at the second SIGTERM")
        tap.ok(f"{count} buffers left on the rings" in primary.log(), "primary: says what was left",
               primary.log())
        tap.equal(users_of(lab.instance_directory / "attached.lock"), set(), "no worker is left")
        tap.none(left_behind(lab), "second SIGTERM: nothing is left behind")
        lab.start_one_broker(1)


def blocked_output(tap, lab):
    """No process reads the tables: a pipe that is full from the first byte on."""
    with topic(lab, "pipe"):
        lab.write_config()
        fifo = lab.directory / "stdout"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x")
        primary = lab.start("capture-primary", [
            "sh", "-c", 'exec "$@" >"$0"', fifo, "ip", "netns", "exec", lab.name,
            lab.program("capture-primary", "capture-primary"), "-c", lab.config_path])
        primary.wait_log("ready: ")
        lab.in_namespace("ip", "link", "set", INTERFACE, "up")
        time.sleep(1.5)  # the first table is due
        secondary = lab.start_secondary(1)
        serving(lab, 1)
        sent = lab.traffic(1_000, 5_000)
        lab.wait_delivered(1_000)
        tap.ok(True, "a blocked stdout does not stop the capture")
        tap.equal(lab.stop_secondary(secondary), 0, "blocked stdout: the secondary ends with 0")
        tap.equal(primary.stop(10), 0, "blocked stdout: the primary ends, too")
        tap.ok("no process reads the table" in primary.log(),
               "blocked stdout: it says why no table", primary.log())
        same_frames(tap, compare(sent.frames(), values(lab)), ": a blocked stdout")
        os.close(reader)
        os.close(writer)


# ---- workers that hang, many workers -------------------------------------------------------------

def stuck_worker(tap, lab):
    timeout_s = 2
    with topic(lab, "stuck"):
        primary, secondary = begin(lab, {"stuck-timeout-s": timeout_s})
        before = set(lab.workers())
        sender = lab.start_traffic(10_000, 2_000)
        lab.wait_delivered(1_000)
        stuck = min(before)
        os.kill(stuck, signal.SIGSTOP)
        began = time.monotonic()
        secondary.wait_log(rf"\(pid {stuck}\) has had no heartbeat for \d+ s; killing it", 15)
        took = time.monotonic() - began
        tap.ok(timeout_s - 0.5 < took < timeout_s + AT_ONCE_S, "a stuck worker: after its timeout",
               took)
        wait_for(lambda: len(set(lab.workers()) - {stuck}) == 2, "replacement", 10)
        tap.ok(True, "a stuck worker is replaced")
        sent = sender.finish()
        stats = lab.wait_drained(sent.count)
        lab.wait_delivered(sent.count)
        same_frames(tap, compare(sent.frames(), values(lab)), ": a stuck worker")
        tap.equal(sum(q["ring_full"] for q in stats["queues"]), 0, "a stuck worker: no drops")
        seen = tables(primary)
        age_s = time.time() - stats["primary"]["started_us"] / 1e6
        tap.ok(age_s - 2 <= seen <= age_s + 1, "a table every stats-interval-s", (seen, age_s))
        lab.stop()
        tap.ok("mempool whole" in primary.log(), "a stuck worker: the mempool is whole at the end",
               primary.log())


def many_secondaries(tap, lab):
    count, too_many = 10, SLOTS - 10 + 2
    with topic(lab, "many"):
        primary, _ = begin(lab, workers=0)
        command = [lab.program("kafka-secondary", "kafka-secondary"), "-c", lab.config_path]
        lab.secondaries += [lab.start("kafka-secondary", command) for _ in range(count)]
        for secondary in lab.secondaries:
            secondary.wait_log("attached to instance ", 30)
        serving(lab, count)
        tap.ok(True, f"{count} secondaries attach at the same time")
        sent = lab.traffic(2_000, 4_000)
        lab.wait_delivered(2_000)
        tap.equal(sum(w["rings"] for w in lab.stats()["workers"]), RINGS, "each ring has one owner")

        crowd = lab.start_secondary(too_many)
        said = crowd.wait_log("no slot for this worker: all are taken, start fewer workers", 30)
        tap.ok(said, "a worker too many says so")
        serving(lab, SLOTS)
        time.sleep(2)
        refusals = sum("no slot" in text for text in lines(crowd.log(), "error"))
        tap.ok(refusals < 40, "it does not fill the log", refusals)
        lab.stop(60)
        tap.ok("mempool whole" in primary.log(), "many: the mempool is whole", primary.log())
        tap.equal(compare(sent.frames(), values(lab)), ([], [], []), "many: every frame once")
        tap.none(left_behind(lab), "many: nothing is left behind")


# ---- workers that write where they must not ------------------------------------------------------

def wild_tail(tap, lab):
    name = "rtap_p0_q0_r1"
    with topic(lab, "quarantine"):
        primary, secondary = begin(lab, {"drain-timeout-s": 1})
        workers = lab.workers()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        sent = lab.traffic(1_000, 5_000)
        captured(lab, 1_000)
        ring = control_zone.ControlZone(primary.pid, lab.name).ring(name)
        address = ring + control_zone.CONS_TAIL
        (tail,) = struct.unpack("<I", control_zone.read(workers[0], address, 4))
        control_zone.write(workers[0], address, struct.pack("<I", (tail + (1 << 30)) % (1 << 32)))
        primary.wait_log(f"ring {name} is quarantined", 10)
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        more = lab.traffic(2_000, 5_000, seed=2)
        rings = {}

        def others_are_empty():
            rings.update({r["name"]: r for r in lab.stats()["rings"]})
            return (sum(r["enqueued"] + r["ring_full"] for r in rings.values()) == 3_000
                    and all(r["in_ring"] == 0 for r in rings.values() if r["name"] != name))
        with contextlib.suppress(LabError):
            wait_for(others_are_empty, "empty rings", 20)
        tap.equal([r for r in rings if rings[r]["quarantined"]], [name],
                  "a wild tail: this ring alone is quarantined, and the counters say so")
        tap.equal(primary.log().count("is quarantined"), 1, "a wild tail: the log says so once")
        tap.equal({r: rings[r]["in_ring"] for r in rings if r != name and rings[r]["in_ring"]}, {},
                  "a wild tail: the other rings flow")
        kept, dropped = rings[name]["in_ring"], rings[name]["ring_full"]
        tap.ok(kept > 10 and dropped > 10, "a wild tail: its packets are kept, new ones dropped",
               (kept, dropped))
        difference = compare(frames(sent, more), values(lab))
        tap.equal((len(difference.missing), difference.extra, difference.duplicates),
                  (kept + dropped, [], []), "a wild tail: every other frame is in Kafka once")
        tap.equal(lab.stop_secondary(secondary), 0, "a wild tail: the secondary ends with 0")
        tap.equal(primary.stop(), EXIT["LEFT_BEHIND"], "a wild tail: the primary says what it kept")
        tap.ok(f"{kept} on the rings, 0 unaccounted" in primary.log()
               or "mempool whole" in primary.log(), "a wild tail: every buffer is accounted for",
               primary.log())


def wild_counts(tap, lab):
    """Lengths of arrays in all memory that transmit workers can write to: they are not believed."""
    with topic(lab, "counts"):
        primary, secondary = begin(lab, {"stats-interval-s": 1})
        victim = lab.workers()[0]
        sender = lab.start_traffic(6_000, 1_500)
        zone = control_zone.ControlZone(primary.pid, lab.name)
        control_zone.write(primary.pid, zone.base + control_zone.NB_RINGS_OFFSET, b"\xff" * 4)
        with open(lab.instance_directory / "counters", "r+b", buffering=0) as counters:
            counters.seek(COUNTERS_NUMBERS)
            numbers = counters.read(16)
            counters.seek(COUNTERS_NUMBERS)
            counters.write(struct.pack("<4I", *[1 << 30] * 4))
            os.kill(victim, signal.SIGKILL)
            before = tables(primary)
            wait_for(lambda: tables(primary) > before + 2 or not primary.is_running(), "tables", 20)
            counters.seek(COUNTERS_NUMBERS)
            counters.write(numbers)  # for the stats tool, which refuses such a file
        tap.ok(primary.is_running(), "wild counts: the primary goes on", primary.log())
        wait_for(lambda: len(set(lab.workers()) - {victim}) == 2, "replacement", 20)
        sent = sender.finish()
        lab.wait_delivered(sent.count)
        same_frames(tap, compare(sent.frames(), values(lab)), ": wild counts")
        tap.equal(lab.stop_secondary(secondary), 0, "wild counts: the secondary ends with 0")
        tap.equal(primary.stop(), 0, "wild counts: the primary ends with 0")
        tap.ok("mempool whole" in primary.log(), "wild counts: the mempool is whole", primary.log())


def wild_words(tap, lab):
    """Who serves what, overwritten: it is put right, or the worker ends before two serve a ring."""
    with topic(lab, "words"):
        primary, secondary = begin(lab)
        zone, rings = control_zone.ControlZone(primary.pid, lab.name), range(RINGS)
        first, step = zone.shared_rings(), control_zone.SHARED_RING_BYTES
        sender = lab.start_traffic(12_000, 1_500)
        for ring in rings:
            control_zone.write(primary.pid, first + ring * step + control_zone.ASSIGNED, bytes(8))
        lab.wait_delivered(lab.stats()["balance"]["kaf"]["out"] + 1_000)
        tap.ok(all(control_zone.read(primary.pid, first + ring * step + control_zone.ASSIGNED, 8)
                   != bytes(8) for ring in rings), "wild words: assignments are put right")
        workers = lab.workers()
        control_zone.write(primary.pid, zone.base + control_zone.STATE,
                           bytes([control_zone.STOPPED]))
        for ring in rings:
            control_zone.write(primary.pid, first + ring * step + control_zone.QUARANTINED, b"\1")
        before = [ring["released"] for ring in lab.stats()["rings"]]
        wait_for(lambda: all(ring["released"] > was and not ring["quarantined"] for ring, was
                             in zip(lab.stats()["rings"], before, strict=True)),
                 "rings that flow", 20)
        tap.ok(lab.workers() == workers, "wild words: a state 'stopped' and 'quarantined' of every "
               "ring are put right, no worker leaves", secondary.log())
        control_zone.write(primary.pid, first + control_zone.OWNER, bytes(8))
        secondary.wait_log(r"names another owner than this transmit worker", 10)
        serving(lab, 2)
        victim = lab.workers()[0]
        control_zone.write(primary.pid, zone.slot(victim), struct.pack("<Q", 4242 << 8 | 77))
        secondary.wait_log(r"the slot of this transmit worker in shared memory was overwritten", 10)
        wait_for(lambda: len(set(lab.workers()) - {victim}) == 2, "replacement", 20)
        sent = sender.finish()
        lab.wait_drained(sent.count)
        same_frames(tap, compare(sent.frames(), values(lab)), ": wild words")
        lab.stop()
        tap.ok("mempool whole" in primary.log(), "wild words: the mempool is whole", primary.log())


def write_to_a_packet(tap, lab):
    """A debugger makes a worker store a byte into packet memory, as a wild pointer would."""
    with topic(lab, "segv"):
        primary, secondary = begin(lab)
        before = lab.workers()
        victim = before[0]
        guarded = list(control_zone.mappings(victim, lab.name, "r--s"))
        tap.ok(guarded, "packet memory is read-only in a worker")
        start, end = max(guarded, key=lambda m: m[1] - m[0])
        address = start + (end - start) // 2
        sender = lab.start_traffic(6_000, 2_000)
        lab.wait_delivered(1_000)
        gdb = run("gdb", "-nx", "-batch", "-p", victim, "-ex",
                  f"call (void*)memset((void*){address:#x}, 0x5a, 64)", timeout=60)
        tap.ok("SIGSEGV" in gdb.out + gdb.err, "a write to packet memory faults", gdb.out + gdb.err)
        secondary.wait_log(rf"\(pid {victim}\) was ended by signal {signal.SIGSEGV.value} ", 20)
        wait_for(lambda: len(set(lab.workers()) - {victim}) == 2, "replacement", 20)
        tap.ok(before[1] in lab.workers(), "it is replaced, the other worker goes on")
        wrong = control_zone.read(primary.pid, address, 64) == b"\x5a" * 64
        tap.ok(not wrong, "packet memory is unchanged")
        sent = sender.finish()
        lab.wait_drained(sent.count)
        lab.wait_delivered(sent.count)
        same_frames(tap, compare(sent.frames(), values(lab)), ": a wild write")
        tap.equal(lab.stats()["instance"]["workers_died"], 1, "the death is counted")
        lab.stop()
        tap.ok("mempool whole" in primary.log(), "a wild write: the mempool is whole",
               primary.log())


def main():
    tap = Tap()
    with Lab("rtlifecycle") as lab:
        lab.start_broker(port=9492)
        for part in (primary_killed_while_kafka_is_up, primary_killed_while_kafka_is_down,
                     second_signal, blocked_output, stuck_worker, many_secondaries,
                     wild_tail, wild_counts, wild_words, write_to_a_packet):
            began = time.monotonic()
            tap.run(part, lab)
            lab.end_programs()
            tap.note(f"{part.__name__}: {time.monotonic() - began:.0f} s")
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
