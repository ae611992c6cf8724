# SPDX-License-Identifier: BSD-3-Clause
"""Inject faults between the device and Kafka, and count what arrives."""

import collections
import pathlib
import random
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import scenarios
from lab import Arguments, Lab, LabBusy, LabError, number, prepare
from run import Run

NAME = "ringtap-torture"  # of the instance and of the network namespace
OVERHEAD_S = 12  # of a scenario: start, drain, stop, reading back
CLUSTER_S = 20  # to start three brokers
LEAST_S = 3
USAGE = """\
Usage: tools/torture [--minutes M] [--scenario NAME]... [--rate PPS] [--seed S]
       tools/torture --list

Runs capture-primary on generated traffic, secondaries and a real Kafka, injects faults from
a seeded schedule while packets flow, reads the topic back with Kafka's own Java client and
compares it, packet by packet, with what was sent. Needs root, 4 GB of memory, disk for what
it sends (about 1 GB for 8 minutes), and builds what it runs.

  --minutes M      of the whole run, 0.5 to 1440 (default 8: about the least for all scenarios)
  --scenario NAME  only this one; may be repeated; --list names them
  --rate PPS       packets per second, 100 to 1000000 (default 5000)
  --seed S         of traffic and schedule (default: a new one, printed)
  --list           print the names of the scenarios and what they do
  --help           this text

Prints one line for each scenario:

  scenario NAME: offered N, accepted N, in Kafka N, given up N, lost N, duplicates N,
  wrong bytes N, ring-full drops N, buffers leaked N, faults N

  offered      packets sent to the device      accepted    put on a transmit ring
  in Kafka     different packets read back     given up    counted by the programs as refused
  lost         accepted - in Kafka - given up              for good, or left by a dead primary
  duplicates   read more than once             wrong bytes read and never sent, or altered
  faults       whose effect was seen in /proc, in a log or at Kafka

Exit: 0 nothing lost, wrong or leaked, and all counter laws hold; 1 otherwise, a line says
why; 2 usage.
"""

# brokers: of the cluster that it wants. share: of the time.
Scenario = collections.namedtuple("Scenario", "brokers share play")
SCENARIOS = {
    "workers-killed": Scenario(1, 2, scenarios.workers_killed),
    "secondaries-killed": Scenario(1, 1, scenarios.secondaries_killed),
    "workers-stopped": Scenario(1, 1, scenarios.workers_stopped),
    "kafka-down": Scenario(1, 1, scenarios.kafka_down),
    "requests-refused": Scenario(1, 1, scenarios.requests_refused),
    "primary-killed": Scenario(1, 1, scenarios.primary_killed),
    "topic-remade": Scenario(1, 1, scenarios.topic_remade),
    "workers-come-and-go": Scenario(1, 1, scenarios.workers_come_and_go),
    "leaders-killed": Scenario(3, 2, scenarios.leaders_killed),
    "partitions-leaderless": Scenario(3, 1, scenarios.partitions_leaderless),
    "everything": Scenario(3, 2, scenarios.everything),
}


def say(text):
    print(f"torture: {text}", file=sys.stderr, flush=True)


def options():
    parser = Arguments("torture", USAGE)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--minutes", type=number(0.5, 1440), default=8.0)
    parser.add_argument("--rate", type=number(100, 1_000_000, int), default=5_000)
    parser.add_argument("--seed", type=number(0, 1 << 32, int))
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS))
    return parser.parse()[0]


# ---- one after the other -------------------------------------------------------------------------

def torment(lab, name, seconds, rate, seed):
    """Plays one scenario and prints its line; returns whether all was well."""
    run = Run(lab, name, seconds, rate, seed, random.Random(f"{seed} {name}"))
    began = time.monotonic()
    try:
        print(run.line(SCENARIOS[name].play(run)), flush=True)
    except LabError as error:
        run.problems.append(str(error))
    except Exception:  # a defect of ours; the next scenario may still say something
        run.problems.append(traceback.format_exc())
    if run.problems:
        print(f"scenario {name} failed: {'; '.join(run.problems)}", flush=True)
        lab.print_logs(f"scenario {name}")
    run.close()
    say(f"{name}: {time.monotonic() - began:.0f} s")
    return not run.problems


def torment_all(lab, names, minutes, rate, seed):
    shares = sum(SCENARIOS[name].share for name in names)
    three = any(SCENARIOS[name].brokers == 3 for name in names)
    free_s = 60 * minutes - OVERHEAD_S * len(names) - CLUSTER_S * (1 + three)
    running, good = 0, 0
    for name in names:
        wanted = SCENARIOS[name].brokers
        if running != wanted:
            if running:
                lab.stop_broker()
            lab.start_broker(wanted)
            running = wanted
        seconds = max(free_s * SCENARIOS[name].share / shares, LEAST_S)
        good += torment(lab, name, seconds, rate, seed)
    return good


def main():
    opts = options()
    if opts.list:
        for name, scenario in SCENARIOS.items():
            print(f"{name:<22} {scenario.play.__doc__}")
        return 0
    prepare("torture")
    seed = random.SystemRandom().randrange(1 << 31) if opts.seed is None else opts.seed
    names = [name for name in SCENARIOS if not opts.scenario or name in opts.scenario]
    began = time.monotonic()
    say(f"seed {seed}, {opts.rate} packets/s, {opts.minutes:g} minutes for {len(names)} scenarios")
    try:
        with Lab(NAME) as lab:
            good = torment_all(lab, names, opts.minutes, opts.rate, seed)
    except LabBusy as error:
        say(error)
        return 1
    minutes = (time.monotonic() - began) / 60
    print(f"torture: {good} of {len(names)} scenarios passed, {minutes:.1f} minutes, seed {seed}",
          flush=True)
    return 0 if good == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
