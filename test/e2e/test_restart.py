#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Parts stop, die and come back while packets flow; nothing is lost. Prints TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import contextlib
import os
import resource
import signal
import sys
import time

from tap import Tap, disordered_packets, ends_in_good_order, same_frames

from lab import Lab, LabError, compare, start_time, wait_for

RATE = 4_000  # packets/s; the rings hold those of 14 seconds
OUTAGE_RATE = 500  # while a broker starts, which takes long on a busy machine
DRAIN_TIMEOUT_S = 100
FOREVER = 10_000_000  # the scenario stops the traffic
SOON_S = 20  # by when a change must have its effect


class Flow:
    """Steady traffic through a primary, until the scenario has seen enough."""

    def __init__(self, tap, lab, topic, rate=RATE):
        self.tap, self.lab = tap, lab
        lab.write_config({"topic": topic, "drain-timeout-s": DRAIN_TIMEOUT_S,
                          "buffer-memory": "128MiB"})
        self.primary = lab.start_primary()
        self.rate = rate
        self.sender = self.sent = None

    def begin(self):
        self.sender = self.lab.start_traffic(FOREVER, self.rate)

    def delivered(self):
        return self.lab.stats()["balance"]["kaf"]["out"]

    def moves(self, name):
        """Asserts that packets arrive in Kafka that were not there yet; returns when some have."""
        goal = self.delivered() + self.rate // 4
        self.tap.ok(_soon(lambda: self.delivered() >= goal), name, self.lab.stats()["balance"])

    def serve(self, secondary, count, name):
        """Asserts that a secondary has `count` workers at their slots before long."""
        self.tap.ok(_soon(lambda: len(self.lab.workers(secondary)) == count), name, secondary.log())

    def end(self):
        """Stops to send; returns the counters when nothing is on its way any more."""
        self.sent = self.sender.stop_sending()
        with contextlib.suppress(LabError):  # the counters show what is wrong
            self.lab.wait_drained(self.sent.count)
        return self.lab.stats()


def _soon(condition):
    try:
        return wait_for(condition, "effect", SOON_S)
    except LabError:  # the caller says what is missing
        return False


def nothing_is_dropped(tap, flow, stats, note):
    balance, sent = stats["balance"], flow.sent.count
    tap.ok(sent > flow.rate, f"there was traffic{note}", sent)
    tap.equal((balance["nic"]["in"], balance["nic"]["drops"]), (sent, 0),
              f"the device took all that was sent{note}")
    tap.equal(balance["rx"], {"in": sent, "queued": 0, "out": sent, "drops": 0},
              f"all of it went through the rings{note}")
    tap.equal(sum(q["ring_full"] for q in stats["queues"]), 0, f"no ring was ever full{note}")
    tap.equal(sum(r["released"] for r in stats["rings"]), sent, f"all of it was released{note}")
    tap.equal(balance["rx"]["out"] + balance["sent_again"],
              balance["rx"]["queued"] + balance["tx"]["in"],
              f"[rx] out + sent again = [rx] queued + [tx] in{note}")
    rc, text = flow.lab.check()
    tap.equal(rc, 0, f"stats-tool --check: every law holds{note}")
    if rc != 0:
        tap.note(text)


def kafka_has_all(tap, flow, stats, note):
    """Everything at least once; what is there again was counted as sent again."""
    records = sorted(flow.lab.read_topic(), key=lambda r: (r.partition, r.offset))
    difference = compare(flow.sent.frames(), (r.value for r in records))
    same_frames(tap, difference, note)
    again = stats["balance"]["sent_again"]
    tap.ok(len(difference.duplicates) <= again, f"only what was sent again is there again{note}",
           f"{len(difference.duplicates)} duplicates, {again} sent again")
    tap.ok(len(records) >= stats["balance"]["kaf"]["out"],
           f"Kafka has at least what [kaf] out says{note}", (len(records), stats["balance"]["kaf"]))
    tap.none(disordered_packets(_first_of_each(records)),
             f"the first ones of each packet are in order{note}")


def _first_of_each(records):
    seen = set()
    for record in records:
        if record.value not in seen:
            seen.add(record.value)
            yield record


def in_flight(lab, secondary):
    """Whether each worker of a secondary waits for reports."""
    counts = [w["in_flight"] for w in lab.stats()["workers"]
              if w["supervisor_pid"] == secondary.pid and w["state"] == "serving"]
    return counts and all(counts)


def kill_a_worker(flow, secondary, signo, count):
    """Asserts that the supervisor replaces a worker that a signal ends."""
    tap, lab, name = flow.tap, flow.lab, signal.Signals(signo).name
    before = lab.stats()["instance"]
    victim = lab.workers(secondary)[0]
    os.kill(victim, signo)
    tap.ok(_soon(lambda: f"(pid {victim}) was ended by signal {int(signo)} " in secondary.log()),
           f"the supervisor names a worker's {name}", secondary.log())
    # The supervisor may be faster than the primary, whose counters lab.workers() reads.
    tap.ok(_soon(lambda: victim not in lab.workers(secondary)), f"the primary notices the {name}")
    flow.serve(secondary, count, f"a worker takes the place of the one that a {name} ended")
    tap.ok(_soon(lambda: lab.stats()["instance"]["workers_died"] == before["workers_died"] + 1),
           f"the primary counts the {name}", lab.stats()["instance"])
    flow.moves(f"packets arrive after a worker's {name}")


def workers_come_and_go(tap, lab):
    note = ", after workers came and went"
    lab.create_topic(topic="workers")
    flow = Flow(tap, lab, "workers")
    first = lab.start_secondary(2)
    flow.begin()
    flow.moves("packets arrive with the first secondary")

    tap.equal(lab.stop_secondary(first), 0, "a secondary stops with 0 under traffic")
    tap.equal(lab.stats()["instance"]["workers_died"], 0, "its workers left, none died")
    second = lab.start_secondary(2)
    flow.serve(second, 2, "a later secondary attaches")
    flow.moves("packets arrive with the later secondary")

    guest = lab.start_secondary(2)
    flow.serve(guest, 2, "one more secondary joins")
    tap.ok(_soon(lambda: all(w["rings"] == 2 for w in lab.stats()["workers"]
                             if w["state"] == "serving")),
           "each of the four workers has two of the eight rings", lab.stats()["workers"])
    flow.moves("packets arrive with both")
    with lab.broker_paused():
        wait_for(lambda: in_flight(lab, guest), "packets without a report", SOON_S)
        os.killpg(guest.pid, signal.SIGINT)  # as a Ctrl-C does: its workers get the signal, too
        time.sleep(0.5)
        tap.ok(guest.is_running(), "a Ctrl-C does not end the guest before all is reported",
               guest.log())
    tap.equal(guest.wait(SOON_S), 0, "then the guest stops with 0")
    tap.ok(_soon(lambda: sum(w["rings"] for w in lab.stats()["workers"]
                             if w["supervisor_pid"] == second.pid) == 8),
           "the other one has all rings again", lab.stats()["workers"])
    flow.moves("packets arrive after the guest left")
    tap.equal(lab.stats()["instance"]["workers_died"], 0, "no worker died so far")
    tap.equal(lab.stats()["balance"]["sent_again"], 0, "nothing was sent again so far")

    kill_a_worker(flow, second, signal.SIGKILL, 2)
    kill_a_worker(flow, second, signal.SIGSEGV, 2)

    # One that has no ring yet would never wait for a report.
    tap.ok(_soon(lambda: [w["rings"] for w in lab.stats()["workers"]
                          if w["pid"] in lab.workers(second)] == [4, 4]),
           "the two that are there share the rings", lab.stats()["workers"])
    orphans = lab.workers(second)
    with lab.broker_paused():
        wait_for(lambda: in_flight(lab, second), "packets without a report", SOON_S)
        second.kill()
        time.sleep(0.5)
        tap.ok(all(start_time(pid) for pid in orphans),
               "the workers of a killed secondary wait for their reports", second.log())
    tap.ok(_soon(lambda: not any(start_time(pid) for pid in orphans)),
           "then they leave", lab.stats()["workers"])
    last = lab.start_secondary(2)
    flow.serve(last, 2, "a secondary attaches after one was killed")
    flow.moves("packets arrive after a secondary was killed")

    stats = flow.end()
    nothing_is_dropped(tap, flow, stats, note)
    instance = stats["instance"]
    tap.equal((instance["workers_joined"], instance["workers_left"], instance["workers_died"]),
              (10, 6, 2), f"joined, left, died are counted{note}")
    exits = {"the last secondary": lab.stop_secondary(last), "the primary": lab.stop_primary()}
    ends_in_good_order(tap, flow.primary, exits, note)
    kafka_has_all(tap, flow, stats, note)


def the_topic_comes_late(tap, lab):
    note = ", with a topic that came late"
    flow = Flow(tap, lab, "late")
    secondary = lab.start_secondary(2)
    flow.begin()
    tap.ok(secondary.wait_log("topic late does not exist"), "the secondary names the unknown topic")
    wait_for(lambda: lab.stats()["balance"]["rx"]["in"] > RATE, "traffic", SOON_S)
    tap.equal(flow.delivered(), 0, "nothing is delivered without a topic")
    tap.equal(len(lab.workers(secondary, "starting")), 2, "the workers wait for it")
    lab.create_topic()
    flow.moves("packets arrive once the topic is there")
    stats = flow.end()
    nothing_is_dropped(tap, flow, stats, note)
    exits = {"the secondary": lab.stop_secondary(secondary), "the primary": lab.stop_primary()}
    ends_in_good_order(tap, flow.primary, exits, note)
    kafka_has_all(tap, flow, stats, note)


def the_broker_goes_away(tap, lab):
    note = ", after the broker was away"
    lab.create_topic(topic="broker")
    flow = Flow(tap, lab, "broker", OUTAGE_RATE)
    secondary = lab.start_secondary(2)
    flow.begin()
    flow.moves("packets arrive with the broker")
    lab.stop_one_broker()
    before = flow.delivered()
    wait_for(lambda: lab.stats()["balance"]["rx"]["in"] > before + flow.rate, "traffic", SOON_S)
    stats = lab.stats()["balance"]
    tap.ok(stats["rx"]["in"] - stats["kaf"]["out"] > flow.rate // 2,
           "packets wait for the broker", stats)
    lab.start_one_broker()
    flow.moves("packets arrive again with the broker")
    stats = flow.end()
    nothing_is_dropped(tap, flow, stats, note)
    # The idempotent producer may have ended one with a fatal error: then another one went on.
    flow.serve(secondary, 2, f"two workers are there{note}")
    exits = {"the secondary": lab.stop_secondary(secondary), "the primary": lab.stop_primary()}
    ends_in_good_order(tap, flow.primary, exits, note)
    kafka_has_all(tap, flow, stats, note)


def the_primary_stops_with_packets_queued(tap, lab):
    note = ", after a stop with packets queued"
    lab.create_topic(topic="drain")
    flow = Flow(tap, lab, "drain")
    secondary = lab.start_secondary(2)
    flow.serve(secondary, 2, f"workers are there{note}")
    lab.stop_one_broker()
    flow.sent = lab.traffic(2 * RATE, RATE)
    wait_for(lambda: lab.stats()["balance"]["rx"]["in"] == flow.sent.count, "all packets", SOON_S)
    tap.equal(flow.delivered(), 0, "nothing is delivered without a broker")
    flow.primary.send_signal(signal.SIGTERM)
    flow.primary.wait_log("receiving stopped")
    tap.equal(lab.stats()["primary"]["phase"], "draining", "the primary waits for the workers")
    lab.start_one_broker()
    # Not stop(): a second signal would end it at once. The secondary follows by itself.
    exits = {"the primary": flow.primary.wait(DRAIN_TIMEOUT_S),
             "the secondary": secondary.wait(SOON_S)}
    tap.equal(lab.stats()["primary"]["state"], "stopped", f"the counters say stopped{note}")
    stats = lab.stats()
    nothing_is_dropped(tap, flow, stats, note)
    ends_in_good_order(tap, flow.primary, exits, note)
    kafka_has_all(tap, flow, stats, note)


def main():
    tap = Tap()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # crashes are part of the play
    with Lab("rtrestart") as lab:
        lab.start_broker()
        for part in (workers_come_and_go, the_topic_comes_late, the_broker_goes_away,
                     the_primary_stops_with_packets_queued):
            tap.run(part, lab)
            lab.end_programs()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
