# SPDX-License-Identifier: BSD-3-Clause
"""Inject faults, one function each, and wait for their effect: only then a fault counts."""

import contextlib
import json
import os
import re
import signal
import time

from lab import LabError, call


def victim(run):
    """A worker at random, as (pid, pidfd); None if there is none at the moment."""
    pids = run.lab.workers()
    if pids:
        pid = run.random.choice(pids)
        with contextlib.suppress(ProcessLookupError):
            return pid, os.pidfd_open(pid)
    return None


# ---- workers -------------------------------------------------------------------------------------

def kill_worker(run, signo=None):
    """SIGKILL or SIGSEGV; returns whether there was one to kill."""
    hit = victim(run)
    if not hit:
        return False
    signo = signo or run.random.choice((signal.SIGKILL, signal.SIGSEGV))
    pid, fd = hit
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(fd, signo)
    run.ended(fd, f"worker {pid} is dead: {signal.Signals(signo).name}")
    return True


@contextlib.contextmanager
def stopped(run, pid, what):
    """Stops a process for the time of the block, as /proc confirms."""
    os.kill(pid, signal.SIGSTOP)
    try:
        run.proved(lambda: state_of(pid) == "T", f"{what} {pid} is stopped")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except OSError:
        return None


def pause_worker(run, seconds):
    """Stops a worker for less than stuck-timeout-s: the same one goes on."""
    hit = victim(run)
    if not hit:
        return
    os.close(hit[1])
    with stopped(run, hit[0], "worker"):
        time.sleep(seconds)


def pause_supervisor(run, seconds):
    supervisor = run.random.choice(run.lab.secondaries)
    with stopped(run, supervisor.pid, "supervisor"):
        time.sleep(seconds)


# ---- secondaries ---------------------------------------------------------------------------------

def kill_secondaries(run, count):
    """SIGKILL for several at once. Their workers deliver what they hold and follow."""
    hit = run.random.sample(run.lab.secondaries, min(count, len(run.lab.secondaries)))
    fds = [os.pidfd_open(secondary.pid) for secondary in hit]
    for secondary in hit:
        run.lab.secondaries.remove(secondary)
        secondary.send_signal(signal.SIGKILL)
    for secondary, fd in zip(hit, fds, strict=True):
        run.ended(fd, f"secondary {secondary.pid} is dead: SIGKILL")
        secondary.wait(10)


def dismiss_secondaries(run, count):
    """SIGTERM for several at once; they end while others start."""
    for secondary in run.random.sample(run.lab.secondaries, min(count, len(run.lab.secondaries))):
        run.dismiss(secondary)
        run.proved(lambda s=secondary: "stopping: " in s.log(),
                   f"secondary {secondary.pid} stops: SIGTERM")


def start_secondary(run, workers):
    return run.lab.start_secondary(workers, timeout=60)


# ---- brokers -------------------------------------------------------------------------------------

def leaders(run):
    """Leader of each partition of the topic as Kafka has it now; -1: none."""
    return {p["partition"]: p["leader"] for p in _partitions(run)}


def _partitions(run):
    text = call("kcat", "-L", "-J", "-m", 5, "-b", run.lab.bootstrap, "-t", run.topic,
                expect=(0, 1))
    with contextlib.suppress(json.JSONDecodeError, LookupError):
        return json.loads(text)["topics"][0]["partitions"]
    return []


def is_in_sync(run):
    """Every replica of every partition is in sync, and each partition has a leader."""
    partitions = _partitions(run)
    return partitions and all(
        p["leader"] > 0 and len(p["isrs"]) == len(p["replicas"]) for p in partitions)


def newest(run, partition):
    """Offset after the last record of a partition; -1 if Kafka does not tell."""
    text = call("kcat", "-Q", "-m", 5, "-b", run.lab.bootstrap, "-t",
                f"{run.topic}:{partition}:-1", expect=(0, 1))
    match = re.search(r"offset (\d+)", text)
    return int(match[1]) if match else -1


def broker_down(run, number, kill):
    """Ends a broker; its leaders move to others."""
    before = [p for p, leader in leaders(run).items() if leader == number]
    run.lab.stop_one_broker(number, kill=kill)

    def moved():
        now = leaders(run)
        return now and all(now.get(p, number) not in (number, -1) for p in before)
    run.proved(moved, f"broker {number} {'killed' if kill else 'stopped'}: "
               f"{len(before)} leaders moved", 40)


def broker_up(run, number):
    run.lab.start_one_broker(number)
    run.wait(lambda: is_in_sync(run), "in-sync replicas", 60)


def kill_leader(run):
    """SIGKILL for the broker that leads most partitions; then starts it again."""
    places = list(leaders(run).values())
    number = max(set(places), key=places.count)
    broker_down(run, number, kill=True)
    broker_up(run, number)


# ---- the primary ---------------------------------------------------------------------------------

def kill_primary(run, leaves_within_s):
    """SIGKILL; every secondary logs it and ends in time. Returns the secondaries."""
    lab, secondaries = run.lab, list(run.lab.secondaries)
    fd = os.pidfd_open(lab.primary.pid)
    lab.primary.send_signal(signal.SIGKILL)
    run.ended(fd, f"primary {lab.primary.pid} is dead: SIGKILL")
    lab.primary.wait(10)
    for secondary in secondaries:
        secondary.wait(leaves_within_s)
        if "the primary died" not in secondary.log():
            raise LabError(f"{secondary.name} did not say that the primary died")
    lab.secondaries.clear()
    run.account_for_dead()
    return secondaries
