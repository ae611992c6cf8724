# SPDX-License-Identifier: BSD-3-Clause
"""What the end-to-end scripts share: their verdicts as TAP on stdout, and claims about them."""

import collections
import pathlib
import re
import sys
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "dev"))

from lab import trailer


class Tap:
    """Counts and prints verdicts."""

    def __init__(self):
        self.number = self.failed = 0

    def ok(self, good, name, diagnostic=""):
        """One property. `diagnostic` is printed when it does not hold."""
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}")
        if not good:
            self.note(diagnostic)
            # meson shows no line of a TAP test but those on stderr.
            print(f"not ok {self.number} - {name}\n{diagnostic}", file=sys.stderr, flush=True)
        sys.stdout.flush()

    def equal(self, got, wanted, name):
        self.ok(got == wanted, name, f"got {got!r}, wanted {wanted!r}")

    def none(self, bad, name):
        """No counterexample: `bad` is a list of them."""
        self.ok(not bad, name, f"{len(bad)}, the first ones: {bad[:5]!r}")

    def note(self, text):
        for line in str(text).splitlines():
            print(f"# {line}", flush=True)

    def run(self, part, *args):
        """Calls a part of a suite: an exception ends the part and counts as a failure."""
        try:
            part(self, *args)
        except Exception as error:  # the next part may still say something
            self.ok(False, part.__name__.replace("_", " ") + " runs to its end",
                    traceback.format_exc())
            if args and hasattr(args[0], "print_logs"):
                args[0].print_logs(error, sys.stdout)

    def finish(self):
        """Prints the plan; returns the exit code."""
        print(f"1..{self.number}")
        return 1 if self.failed or not self.number else 0


def same_frames(tap, difference, note=""):
    """Two properties of a Difference: all is there, and nothing else."""
    sizes = [len(frame) for frame in difference.missing]
    tap.ok(not sizes, f"no frame is lost{note}", f"{len(sizes)} missing, of {sizes[:5]} bytes")
    first = difference.extra[0].hex() if difference.extra else ""
    tap.ok(not first, f"no frame is altered or made up{note}",
           f"{len(difference.extra)}, the first one: {first[:200]}")


def ends_in_good_order(tap, primary, exits, note=""):
    """`exits`: exit codes by the name of the program."""
    for name, code in exits.items():
        tap.equal(code, 0, f"{name} ends with 0{note}")
    whole = re.search(r"mempool whole: (\d+) of (\d+) buffers back", primary.log())
    tap.ok(whole and whole[1] == whole[2], f"the mempool is whole at the end{note}",
           primary.log()[-2000:])


def flow_of(record):
    """The flow of a frame that traffic-gen made."""
    return trailer(record.value).flow


def scattered_flows(records):
    """[(flow, partitions)] of flows, both directions together, in more than one partition."""
    places = collections.defaultdict(set)
    for record in records:
        places[flow_of(record)].add(record.partition)
    return [(flow, where) for flow, where in places.items() if len(where) > 1]


def disordered_packets(records):
    """[(flow, sequence, one before)] of packets after a later one of their flow in a partition.

    Both directions together; `records` are in the order of partition and offset."""
    last, disorder = {}, []
    for record in records:
        t = trailer(record.value)
        before = last.get((t.flow, record.partition), -1)
        if t.sequence <= before:
            disorder.append((t.flow, t.sequence, before))
        last[t.flow, record.partition] = t.sequence
    return disorder
