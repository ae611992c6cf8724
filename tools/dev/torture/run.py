# SPDX-License-Identifier: BSD-3-Clause
"""Run one scenario: primaries, secondaries and traffic; at its end, account for every packet."""

import contextlib
import os
import re
import select
import time

from evidence import Evidence, read_topic
from lab import JUMBO_MTU, LabError, read_records, users_of, wait_for

FLOWS = 512
KINDS = "tcp4,udp4,tcp6,udp6"  # the kernel keeps the packets of these flows together
MAX_FRAME = 512
FOREVER = 0
EFFECT_S = 20  # by when a fault must show
DRAIN_S = 120  # to empty the rings on a busy machine


class Life:
    """One primary: the packets that it accepted, and the traffic that it was sent."""

    def __init__(self, primary, sender):
        self.primary, self.sender = primary, sender
        self.others = []  # senders of a few frames, which have ended
        self.killed = False
        self.accepted = self.given_up = self.ring_full = self.leaked = 0

    def count(self, stats):
        # A primary that was killed may not have counted the last burst that it handed over.
        self.accepted = sum(max(ring["enqueued"], ring["taken"] - ring["sent_again"])
                            for ring in stats["rings"])
        self.ring_full = sum(queue["ring_full"] for queue in stats["queues"])
        self.given_up = (sum(ring["orphaned"] for ring in stats["rings"])
                         + sum(worker["failed_too_large"] + worker["failed_invalid"]
                               for worker in stats["workers"]))

    def count_leaks(self):
        log = self.primary.log()
        if re.search(r"mempool whole: (\d+) of \1 buffers back", log):
            return
        leak = re.search(r"(-?\d+) unaccounted for", log)
        if not leak:
            raise LabError("the primary did not say how many buffers came back")
        self.leaked = abs(int(leak[1]))

    def offered(self):
        return self.sender.count + sum(sender.count for sender in self.others)

    def lost(self, unique):
        missing = self.accepted - unique - self.given_up
        # What is left by a dead primary counts as given up even if Kafka has it after all.
        return max(missing, 0) if self.killed else missing


class Run:
    """A scenario in a laboratory whose brokers run. `random` decides what is hit and when."""

    def __init__(self, lab, name, seconds, rate, seed, random):
        self.lab, self.name = lab, name
        self.rate, self.seed, self.random = rate, seed, random
        self.topic = f"torture-{name}"
        self.began = time.monotonic()
        self.end = self.began + seconds
        self.lives = []
        self.effects = []  # one for each fault; two threads may append
        self.problems = []
        self.flows = 0  # used so far: no two senders have a flow in common
        self.ordered = False  # the scenario promises order
        self.leaving = []  # secondaries that were asked to end
        self._topic_options = ()
        self._saved = []
        self.log_file = open(lab.logs / f"{name}.faults", "w", encoding="ascii", buffering=1)

    # -- time --

    def going(self):
        return time.monotonic() < self.end

    def pause(self, low, high):
        """Sleeps for a random time."""
        time.sleep(min(self.random.uniform(low, high), max(self.end - time.monotonic(), 0)))

    def log(self, text):
        self.log_file.write(f"{time.monotonic() - self.began:9.3f} {text}\n")

    # -- a scenario's cast --

    def configure(self, overrides=None, partitions=16, *topic_options):
        """Makes the topic and writes the configuration."""
        self._topic_options = topic_options
        self.make_topic(partitions)
        self.write_config(overrides)

    def write_config(self, overrides=None):
        self.lab.write_config({"topic": self.topic, "buffer-memory": "128MiB",
                               "drain-timeout-s": 60, **(overrides or {})})

    def make_topic(self, partitions):
        self.lab.kafka_topic("create", self.topic, "--partitions", partitions,
                             *self._topic_options)

    def save_topic(self):
        """Saves the records of a topic that is about to be deleted, for the evidence."""
        path = self.lab.directory / f"{self.topic}.{len(self._saved)}.records"
        self.lab.kafka_topic("read", self.topic, "--output", path, timeout=600)
        self._saved.append(path)

    def begin(self, *secondaries):
        """Starts a primary, secondaries with so many workers each, and the traffic."""
        primary = self.lab.start_primary()
        for workers in secondaries:
            self.lab.start_secondary(workers)
        sender = self.send(FOREVER, self.rate, "--max-frame", MAX_FRAME)
        self.lives.append(Life(primary, sender))
        self.flowing()

    def send(self, count, rate, *options):
        """Starts a sender; its flows are its own."""
        first, self.flows = self.flows, self.flows + FLOWS
        return self.lab.start_traffic(count, rate, "--kinds", KINDS, "--flows", FLOWS,
                                      "--first-flow", first, *options, seed=self.seed,
                                      recorded=False)

    def send_few(self, count, size):
        """Sends frames of this size, beside the traffic."""
        sender = self.send(count, 100, "--max-frame", JUMBO_MTU, "--size", size)
        self.life.others.append(sender.finish())

    @property
    def life(self):
        return self.lives[-1]

    def delivered(self):
        return self.lab.stats()["balance"]["kaf"]["out"]

    def flowing(self):
        """Waits until new packets arrive in Kafka."""
        goal = self.delivered() + self.rate // 5
        self.wait(lambda: self.delivered() >= goal, "new packets in Kafka", DRAIN_S)

    def wait(self, condition, what, timeout=EFFECT_S):
        try:
            return wait_for(condition, what, timeout)
        except LabError as error:
            raise LabError(f"{self.name}: {error}") from None

    def proved(self, condition, what, timeout=EFFECT_S):
        """Waits for the effect of a fault, and counts it."""
        value = self.wait(condition, what, timeout)
        self.effects.append(what)
        self.log(what)
        return value

    def ended(self, fd, what, timeout=EFFECT_S):
        """Waits for the end of the process of a pidfd; closes it."""
        self.proved(lambda: select.select([fd], [], [], 0)[0], what, timeout)
        os.close(fd)

    def dismiss(self, secondary):
        """Asks a secondary to end, and does not wait for it."""
        self.lab.secondaries.remove(secondary)
        self.leaving.append(secondary)
        secondary.send_signal(15)

    # -- the end --

    def settle(self):
        """Stops the traffic; waits until no packet is outstanding."""
        self.life.sender.stop_sending()
        last = None

        def at_rest():
            nonlocal last
            stats = self.lab.stats()
            before, last = last, stats["balance"]["rx"]["in"]
            time.sleep(0.2)
            return last == before and all(q["outstanding"] == 0 for q in stats["queues"])
        self.wait(at_rest, "empty rings", DRAIN_S)

    def check_laws(self):
        code, text = self.lab.check()
        if code != 0:
            self.problems.append(f"counter laws: {text}")

    def end_life(self):
        """Ends a primary in good order: everything delivered, all counted."""
        self.settle()
        self.check_laws()
        self.life.count(self.lab.stats())
        for secondary in self.leaving:
            if (code := secondary.wait(DRAIN_S)) != 0:
                self.problems.append(f"{secondary.name} ended with {code}")
        self.leaving.clear()
        try:
            self.lab.stop(DRAIN_S)
        except LabError as error:
            self.problems.append(str(error))
        self.life.count_leaks()

    def account_for_dead(self):
        """Accounts for a primary that was killed, once its workers have ended."""
        self.life.killed = True
        self.wait(lambda: not users_of(self.lab.instance_directory / "attached.lock"),
                  "end of all workers", DRAIN_S)
        self.life.sender.finish(30, codes=(0, 1))
        self.life.count(self.lab.stats())
        self.check_laws()

    def evidence(self, records=None):
        """Reads `records`, or the topic to its end. All senders have ended."""
        found = Evidence([[life.sender, *life.others] for life in self.lives])
        for path in self._saved:
            found.read(read_records(path))
            path.unlink()
        found.read(read_topic(self.lab, self.topic) if records is None else records)
        return found

    def line(self, found):
        """Judges the evidence; returns the scenario's line."""
        # More than was accepted is as wrong, and must not offset the loss of another primary.
        lost = sum(abs(life.lost(sent.unique))
                   for life, sent in zip(self.lives, found.sent, strict=True))
        leaked = sum(life.leaked for life in self.lives)
        for count, what in ((lost, "lost"), (found.wrong, "wrong"), (leaked, "leaked")):
            if count != 0:
                self.problems.append(f"{count} {what}")
        for life, flow, sequence, count in found.missing():
            self.log(f"not in Kafka: primary {life}, flow {flow}, frame {sequence} of {count}")
        if self.ordered and found.disorder:
            self.problems.append(f"{found.disorder} first occurrences out of order")
        if not self.effects:
            self.problems.append("no fault had an effect")
        return (f"scenario {self.name}: "
                f"offered {sum(life.offered() for life in self.lives)}, "
                f"accepted {sum(life.accepted for life in self.lives)}, "
                f"in Kafka {sum(sent.unique for sent in found.sent)}, "
                f"given up {sum(life.given_up for life in self.lives)}, "
                f"lost {lost}, duplicates {found.duplicates}, wrong bytes {found.wrong}, "
                f"ring-full drops {sum(life.ring_full for life in self.lives)}, "
                f"buffers leaked {leaked}, faults {len(self.effects)}")

    def close(self):
        self.log_file.close()
        self.lab.end_programs()
        with contextlib.suppress(LabError):  # it may never have been made
            self.lab.kafka_topic("delete", self.topic)
