# SPDX-License-Identifier: BSD-3-Clause
"""Play the scenarios: what happens to a run until its time is over."""

import concurrent.futures
import re
import time

import faults
from lab import LabError, call
from mock_cluster import Mock

WORKERS = 2  # of a secondary
STUCK_S = 2
ORPHAN_S = 4
EXIT_NO_PRIMARY = 8  # common/exit_code.h


# ---- 1 to 3: workers and secondaries -------------------------------------------------------------

def workers_killed(run):
    """SIGKILL and SIGSEGV of transmit workers at random instants."""
    run.configure()
    run.begin(4, 4)
    while True:
        run.pause(0, 0.4)
        faults.kill_worker(run)
        if not run.going():
            break
    run.flowing()
    run.end_life()
    return run.evidence()


def secondaries_killed(run):
    """SIGKILL and SIGTERM of whole secondaries, several at once, starts in between."""
    run.configure()
    run.begin(WORKERS, WORKERS, WORKERS)
    while run.going():
        run.pause(0, 1.5)
        choice = run.random.choice((faults.kill_secondaries, faults.dismiss_secondaries))
        choice(run, run.random.randint(1, 3))
        run.pause(0, 0.5)
        while len(run.lab.secondaries) < 3:
            faults.start_secondary(run, WORKERS)
    run.flowing()
    run.end_life()
    return run.evidence()


def workers_stopped(run):
    """SIGSTOP of workers and of supervisors, shorter and longer than stuck-timeout-s."""
    run.configure({"stuck-timeout-s": STUCK_S})
    run.begin(WORKERS, WORKERS)
    while True:
        faults.pause_worker(run, run.random.uniform(0.1, STUCK_S / 2))
        _hang_worker(run)
        faults.pause_supervisor(run, run.random.uniform(0.5, 2 * STUCK_S))
        if not run.going():
            break
    run.flowing()
    run.end_life()
    return run.evidence()


def _hang_worker(run):
    """Stops a worker for good: the others go on, stats-tool names it, it is replaced."""
    lab = run.lab
    pid, fd = run.wait(lambda: faults.victim(run), "serving worker")
    (slot,) = [w["worker"] for w in lab.stats()["workers"]
               if w["pid"] == pid and w["state"] == "serving"]
    with faults.stopped(run, pid, "worker"):
        others = _released(lab.stats(), lambda ring: ring["worker"] != slot)
        run.wait(lambda: f"worker {slot} (pid {pid}): no heartbeat for"
                 in call(lab.program("stats-tool", "stats-tool"), "-i", lab.name),
                 f"stats-tool that names worker {slot}")
        run.wait(lambda: _released(lab.stats(), lambda ring: ring["worker"] != slot) > others,
                 "progress of the other workers")
        run.ended(fd, f"worker {pid} hung and is dead", STUCK_S + 10)
    run.wait(lambda: any(f"(pid {pid}) has had no heartbeat for" in s.log()
                         for s in lab.secondaries), "supervisor that says so")
    run.wait(lambda: len(lab.workers()) == 2 * WORKERS, "replacement")


def _released(stats, which):
    return sum(ring["released"] for ring in stats["rings"] if which(ring))


# ---- 4 and 5: Kafka ------------------------------------------------------------------------------

def kafka_down(run):
    """Kafka is killed for longer than the buffers last: what comes then is dropped and counted."""
    run.configure({"buffer-memory": "16MiB"})
    run.begin(WORKERS, WORKERS)
    while True:
        before = _dropped(run)
        run.lab.stop_one_broker(1, kill=True)
        run.proved(lambda seen=before: _dropped(run) > seen, "Kafka is away: rings are full", 60)
        run.pause(0.5, 3)
        run.lab.start_one_broker(1)
        run.flowing()
        if not run.going():
            break
    run.end_life()
    return run.evidence()


def _dropped(run):
    return sum(queue["ring_full"] for queue in run.lab.stats()["queues"])


def leaders_killed(run):
    """Three brokers: leaders killed one after the other, a rolling restart; flows stay in order."""
    run.configure({"order": "strict"}, 16, "--replication", 3, "--config", "min.insync.replicas=2")
    run.ordered = True
    run.begin(WORKERS, WORKERS)
    for number in (1, 2, 3):
        if number == 1 or run.going():
            faults.kill_leader(run)
    for number in (1, 2, 3):
        if number == 1 or run.going():
            faults.broker_down(run, number, kill=False)
            faults.broker_up(run, number)
    run.flowing()
    run.end_life()
    return run.evidence()


def partitions_leaderless(run):
    """One of three brokers away for long: only the rings that feed its partitions are held."""
    rings = 8  # two queues with four each: ring n feeds partition n
    run.configure({}, rings, "--replication", 1)
    run.begin(WORKERS, WORKERS)
    while True:
        number = run.random.choice(sorted(set(faults.leaders(run).values())))
        led = {p for p, leader in faults.leaders(run).items() if leader == number}
        run.lab.stop_one_broker(number, kill=True)
        run.wait(lambda n=number: n not in faults.leaders(run).values(), "leaderless partitions",
                 40)
        _prove_held(run, led)
        run.lab.start_one_broker(number)
        run.wait(lambda: faults.is_in_sync(run), "leaders", 60)
        run.flowing()
        if not run.going():
            break
    run.end_life()
    return run.evidence()


def _prove_held(run, led):
    """The rings in `led` stand still, every other one moves."""
    def moving():
        before = [ring["released"] for ring in run.lab.stats()["rings"]]
        time.sleep(1)
        after = [ring["released"] for ring in run.lab.stats()["rings"]]
        return {n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}
    everything = set(range(len(run.lab.stats()["rings"])))
    run.proved(lambda: moving() == everything - led, f"rings {sorted(led)} alone are held", 40)


# ---- 6: a cluster that answers badly -------------------------------------------------------------

REFUSALS = (
    "NOT_LEADER_FOR_PARTITION", "REQUEST_TIMED_OUT", "NOT_ENOUGH_REPLICAS",  # retriable
    "UNKNOWN", "POLICY_VIOLATION",  # permanent as far as Kafka's client knows
    "TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED",
    "MSG_SIZE_TOO_LARGE", "INVALID_RECORD", "INVALID_MSG",  # of a batch of good packets
)
MOCK_RATE = 2000  # as fast as kafka-python reads, with a margin
LARGEST, TOO_LARGE = 8000, 8500  # bytes of a message


def requests_refused(run):
    """A mock cluster answers late, out of order or with errors; some frames are too large."""
    run.rate = min(run.rate, MOCK_RATE)
    with Mock(run.lab, run.topic, partitions=48) as mock:
        run.write_config({
            "order": run.random.choice(("strict", "relaxed")),
            "kafka": {"global": {"bootstrap.servers": run.lab.bootstrap,
                                 "message.max.bytes": LARGEST}}})
        run.begin(WORKERS, WORKERS)
        oversized = 0
        while True:
            _be_late(run, mock)
            for code in run.random.sample(REFUSALS, len(REFUSALS)):
                _refuse(run, mock, code)
            run.send_few(1, TOO_LARGE)
            oversized += 1
            run.proved(lambda n=oversized: _too_large(run) >= n, "a frame that is too large")
            if not run.going():
                break
        mock.tell("rtt", "all", 0)
        run.flowing()
        run.end_life()
        if run.life.given_up != oversized:
            run.problems.append(f"{oversized} frames were too large, {run.life.given_up} given up")
        return run.evidence(mock.records())


def _be_late(run, mock):
    """Each broker has a round trip of its own, so reports come late and in another order."""
    slow = 1 + run.random.randrange(mock.brokers)
    for broker in range(1, mock.brokers + 1):
        mock.tell("rtt", broker, 150 if broker == slow else run.random.randint(0, 20))
    run.proved(lambda: sum(w["outbox"] + w["in_flight"]
                           for w in run.lab.stats()["workers"]) > run.rate // 20,
               f"broker {slow} is slow: packets wait for reports")


def _refuse(run, mock, code):
    before = sum(worker["returned"] for worker in run.lab.stats()["workers"])
    mock.refuse(code, 1, broker=1 + run.random.randrange(mock.brokers))
    run.proved(lambda: mock.pending() == 0, f"a request was refused: {code}")
    run.log(f"packets returned: "
            f"{sum(w['returned'] for w in run.lab.stats()['workers']) - before}")
    run.wait(lambda: all(w["rings_blocked"] == 0 for w in run.lab.stats()["workers"]),
             "rings that flow again", 40)


def _too_large(run):
    return sum(worker["failed_too_large"] for worker in run.lab.stats()["workers"])


# ---- 7: the primary ------------------------------------------------------------------------------

def primary_killed(run):
    """SIGKILL of the primary; with Kafka up all is delivered, with Kafka down it is counted."""
    run.configure({"orphan-timeout-s": ORPHAN_S})
    while True:
        run.begin(WORKERS, WORKERS)
        run.pause(0.5, 2)
        secondaries = faults.kill_primary(run, ORPHAN_S + 10)
        _say_what_is_left(secondaries, "everything is in Kafka, 0 packets left")
        if run.life.given_up:
            raise LabError(f"{run.life.given_up} packets given up although Kafka was there")

        run.begin(WORKERS, WORKERS)
        run.lab.stop_one_broker(1, kill=True)
        run.pause(0.2, 1)
        killed = time.monotonic()
        secondaries = faults.kill_primary(run, ORPHAN_S + 10)
        took = time.monotonic() - killed
        if took > ORPHAN_S + 5:
            raise LabError(f"the workers of a dead primary stayed for {took:.1f} s")
        _say_what_is_left(secondaries, r"time is over, [1-9]\d* packets left")
        if not run.life.given_up:
            raise LabError("what was left by the primary is not counted")
        run.lab.start_one_broker(1)
        if not run.going():
            break
    run.begin(WORKERS, WORKERS)
    run.end_life()
    return run.evidence()


def _say_what_is_left(secondaries, pattern):
    for secondary in secondaries:
        if secondary.process.returncode != EXIT_NO_PRIMARY:
            raise LabError(f"{secondary.name} ended with {secondary.process.returncode}")
        if not re.search(pattern, secondary.log()):
            raise LabError(f"{secondary.name} did not say '{pattern}'")


# ---- 8 and 9: topic and workers change -----------------------------------------------------------

def topic_remade(run):
    """The topic deleted and made again, partitions added, while traffic goes on."""
    partitions = 8
    run.configure({"buffer-memory": "256MiB"}, partitions)
    run.begin(WORKERS)
    while True:
        _add_partitions(run, partitions, 2 * partitions)
        _replace_topic(run, partitions)
        if not run.going():
            break
    run.flowing()
    run.end_life()
    return run.evidence()


def _add_partitions(run, before, after):
    run.lab.kafka_topic("add-partitions", run.topic, after)
    run.proved(lambda: all(faults.newest(run, p) > 0 for p in range(before, after)),
               f"partitions {before} to {after - 1} are new and used", 60)


def _replace_topic(run, partitions):
    """Secondaries stopped, reader caught up; the rings take what comes meanwhile."""
    lab, count = run.lab, len(run.lab.secondaries)
    for secondary in list(lab.secondaries):
        if (code := lab.stop_secondary(secondary, 60)) != 0:
            raise LabError(f"{secondary.name} ended with {code}")
    run.save_topic()
    lab.kafka_topic("delete", run.topic)
    run.make_topic(partitions)
    run.proved(lambda: faults.newest(run, 0) == 0, "the topic is a new one")
    for _ in range(count):
        faults.start_secondary(run, WORKERS)
    run.flowing()


def workers_come_and_go(run):
    """From 1 to 8 workers and back: rings are handed over under load."""
    run.configure()
    run.begin(1)
    while True:
        while len(run.lab.secondaries) < 8:
            _with_new_owners(run, lambda: faults.start_secondary(run, 1), "one worker more")
        while len(run.lab.secondaries) > 1:
            _with_new_owners(run, lambda: faults.dismiss_secondaries(run, 1), "one worker less")
        if not run.going():
            break
    run.flowing()
    run.end_life()
    return run.evidence()


def _owners(run):
    return [ring["worker"] for ring in run.lab.stats()["rings"]]


def _with_new_owners(run, change, what):
    before = _owners(run)
    change()
    run.proved(lambda: None not in _owners(run) and _owners(run) != before,
               f"{what}: rings changed hands")
    run.pause(0, 1)


# ---- 10: everything ------------------------------------------------------------------------------

def everything(run):
    """All of it together: workers, secondaries, brokers, topic and primary."""
    run.configure({"stuck-timeout-s": STUCK_S}, 16, "--replication", 3,
                  "--config", "min.insync.replicas=2")
    run.begin(WORKERS, WORKERS, WORKERS)
    while True:
        with concurrent.futures.ThreadPoolExecutor(1) as other:
            broker = other.submit(faults.kill_leader, run)
            while not broker.done():
                _hit_something(run)
            broker.result()
        if not run.going():
            break
        if run.random.random() < 0.5:
            _replace_topic(run, 16)
        else:
            faults.kill_primary(run, 60)
            run.begin(WORKERS, WORKERS, WORKERS)
    run.flowing()
    run.end_life()
    return run.evidence()


def _hit_something(run):
    dice = run.random.random()
    if dice < 0.6:
        faults.kill_worker(run)
    elif dice < 0.7:
        faults.pause_worker(run, run.random.uniform(0.1, STUCK_S / 2))
    elif dice < 0.8:
        faults.pause_supervisor(run, run.random.uniform(0.1, STUCK_S))
    elif dice < 0.9:
        faults.kill_secondaries(run, run.random.randint(1, 2))
    else:
        faults.dismiss_secondaries(run, run.random.randint(1, 2))
    run.pause(0, 0.5)
    while len(run.lab.secondaries) < 3:
        faults.start_secondary(run, WORKERS)
