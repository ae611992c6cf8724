#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Searches the model of the ack-cursor protocol exhaustively, and its broken variants. Prints TAP.

To see how a promise is broken, step by step, in a directory of its own:

    spin -a -DBROKEN=RELEASE_BY_COUNT PATH/ack_cursor.pml
    cc -DSAFETY -DNOREDUCE -o pan pan.c && ./pan
    spin -k ack_cursor.pml.trail -p -DBROKEN=RELEASE_BY_COUNT PATH/ack_cursor.pml
"""

import collections
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MODEL = pathlib.Path(__file__).resolve().parent / "ack_cursor.pml"
sys.path.insert(0, str(MODEL.parents[1] / "e2e"))

from tap import Tap

STOPS = "invalid end state"  # a run ends before all packets are freed
CYCLE = "non-progress cycle"  # a run never ends
DEPTH = 10_000
MEMORY_MIB = 1_500

# What is searched in the protocol as it is: sizes and budgets of the model.
ALL_AT_ONCE = {"NB_KILLS": 1, "NB_MOVES": 1, "NB_FAULTS": 1}
SEARCHES = {
    "a death, a ring given back and a fault": ALL_AT_ONCE,
    "three deaths": {"NB_KILLS": 3, "NB_MOVES": 0, "NB_FAULTS": 0},
    "a death and two faults": {"NB_KILLS": 1, "NB_MOVES": 0, "NB_FAULTS": 2},
    "a death, a longer window": {"NB_SLOTS": 4, "NB_PACKETS": 5, "NB_KILLS": 1, "NB_MOVES": 0,
                                 "NB_FAULTS": 0},
}
FOR_CYCLES = {"NB_PACKETS": 3, "NB_KILLS": 1, "NB_MOVES": 1, "NB_FAULTS": 0}

# Which promise each variant breaks.
BROKEN = {
    "RELEASE_BEFORE_REPORT": "no_packet_freed_before_its_outcome",
    "RELEASE_BY_COUNT": "no_packet_freed_before_its_outcome",
    "SWALLOW_A_FAILED_REPORT": "no_packet_freed_before_its_outcome",
    "FREE_UP_TO_THE_HEAD": "no_packet_freed_before_its_outcome",
    "TAKE_OVER_AND_READ_UNCHECKED": "no_packet_freed_before_its_outcome",
    "TAKE_OVER_WITHOUT_CLEARING": "the_ring_makes_sense_to_its_owner",
    "PUT_BY_THE_RINGS_COUNT": "no_packet_freed_twice",
    "GIVE_BACK_WITH_A_WINDOW": "no_client_reads_a_freed_packet",
    "UNLOCK_BEFORE_THE_CLIENT_ENDS": "no_client_reads_a_freed_packet",
    "BELIEVE_A_BATCH": "no_good_packet_given_up",
    "CLAIM_WITHOUT_COMPARING": "no_ring_with_two_owners",
    "CLEAR_WITHOUT_COMPARING": "no_ring_with_two_owners",
    "CLEAR_A_LIVING_OWNER": "no_ring_with_two_owners",
    "USE_AN_INCARNATION_AGAIN": "no_ring_with_two_owners",
    "KEEP_A_DEAD_OWNER": STOPS,
}

Search = collections.namedtuple("Search", "states error complete unreached log")


def search(defines, cycles=False):
    """Searches all histories of the model, or until one breaks a promise."""
    with tempfile.TemporaryDirectory() as directory:
        def run(*command):
            done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stdout}")
            return done.stdout

        # -o3: merged statements would be reached or not together.
        run("spin", "-o3", "-a", *(f"-D{name}={value}" for name, value in defines.items()),
            str(MODEL))
        # A rendezvous in `unless` forbids the partial order reduction. Without optimization:
        # most searches take less time than their compilation.
        run("clang", "-w", "-O0", "-DNP" if cycles else "-DSAFETY", "-DNOREDUCE",
            f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c")
        log = run("./pan", f"-m{DEPTH}", "-w22", *(["-l"] if cycles else []))
    return read_log(log)


def read_log(log):
    error = re.search(r"^pan:\d+: (.*)", log, re.MULTILINE)
    states = re.search(r"^ *(\d+) states, stored", log, re.MULTILINE)
    complete = (re.search(r"errors: 0$", log, re.MULTILINE) and "Search not completed" not in log
                and "max search depth too small" not in log)
    unreached = [line.strip() for line in log.splitlines()
                 if re.search(r", state \d+, ", line) and '"-end-"' not in line]
    return Search(int(states[1]), error[1] if error else "", bool(complete), unreached, log)


def protocol_holds(tap):
    for name, defines in SEARCHES.items():
        found = search(defines)
        tap.ok(found.complete and not found.error,
               f"{name}: no promise broken, no end before all packets are freed", found.log)
        tap.note(f"{found.states} states")
        if defines is ALL_AT_ONCE:
            tap.none(found.unreached, f"{name}: every step of the model is reached")


def every_run_ends(tap):
    found = search(FOR_CYCLES, cycles=True)
    tap.ok(found.complete and not found.error, "every run ends: no cycle", found.log)
    tap.note(f"{found.states} states")
    found = search({**FOR_CYCLES, "BROKEN": "GIVE_BACK_FOR_EVER"}, cycles=True)
    tap.ok(CYCLE in found.error, f"GIVE_BACK_FOR_EVER is caught: {CYCLE}", found.log)


def broken_variants_are_caught(tap):
    for variant, promise in BROKEN.items():
        found = search({**ALL_AT_ONCE, "BROKEN": variant})
        tap.ok(promise in found.error, f"{variant} is caught: {promise}", found.log)
        tap.note(f"after {found.states} states")
    tap.equal(set(re.findall(r"^#define (\w+) [1-9]\d*\b", variants(), re.MULTILINE)),
              {*BROKEN, "GIVE_BACK_FOR_EVER"}, "every broken variant of the model is searched")


def variants():
    """The part of the model that lists them."""
    return MODEL.read_text().partition("// ---- broken variants")[2].partition("// ----")[0]


def main():
    if not shutil.which("spin"):
        print("1..0 # SKIP no spin: tools/setup installs it")
        return 0
    tap = Tap()
    tap.run(protocol_holds)
    tap.run(every_run_ends)
    tap.run(broken_variants_are_caught)
    return tap.finish()


sys.exit(main())
