# SPDX-License-Identifier: BSD-3-Clause
"""What tools/torture does once the machine is set up and everything is built."""

import argparse
import collections
import pathlib
import random
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import scenarios  # noqa: E402
from lab import Lab, LabBusy, LabError  # noqa: E402
from run import Run  # noqa: E402

NAME = "ringtap-torture"  # of the instance and of the network namespace
OVERHEAD_S = 12  # of a scenario: start, drain, stop, reading back
CLUSTER_S = 20  # to start three brokers
LEAST_S = 3

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


def number(low, high, kind=float):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from {low:g} to {high:g}")
        return value
    return parse


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"torture: {message}; see --help", file=sys.stderr)
        sys.exit(2)


def options():
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--minutes", type=number(0.5, 1440), default=8.0)
    parser.add_argument("--rate", type=number(100, 1_000_000, int), default=5_000)
    parser.add_argument("--seed", type=number(0, 1 << 32, int))
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS))
    return parser.parse_args()


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
