# SPDX-License-Identifier: BSD-3-Clause
"""Read the counters of a laboratory's instance, and wait for what they say."""

import json
import subprocess

from .process import LabError, call, wait_for


class LabCounters:
    """The part of Lab that knows the counters."""

    def stats(self):
        """What stats-tool --json says."""
        return json.loads(call(self.program("stats-tool", "stats-tool"), "-i", self.name, "--json"))

    def check(self):
        """Exit code and output of stats-tool --check."""
        done = subprocess.run(
            [self.program("stats-tool", "stats-tool"), "-i", self.name, "--check"],
            capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, (done.stdout + done.stderr).strip()

    def workers(self, secondary=None, state="serving"):
        """Pids of the transmit workers in a state, those of one secondary or all."""
        return [w["pid"] for w in self.stats()["workers"] if w["state"] == state
                and (secondary is None or secondary.pid == w["supervisor_pid"])]

    def wait_delivered(self, count, timeout=60):
        """Waits until Kafka has acknowledged at least `count` packets; returns the last stats."""
        return self._wait_stats(lambda stats: stats["balance"]["kaf"]["out"] >= count,
                                f"{count} packets delivered", timeout)

    def wait_drained(self, count=0, timeout=60):
        """Waits until `count` packets came and none is outstanding; returns the last stats.

        They include the device's own counters, which the primary reads every 100 ms.
        """
        def drained(stats):
            rows = stats["balance"]
            return (count <= rows["rx"]["in"] <= rows["nic"]["in"]
                    and all(queue["outstanding"] == 0 for queue in stats["queues"]))
        return self._wait_stats(drained, "empty rings", timeout)

    def _wait_stats(self, condition, what, timeout):
        stats = {}

        def holds():
            stats.update(self.stats())
            return condition(stats)
        try:
            wait_for(holds, what, timeout)
        except LabError as e:
            raise LabError(f"{e}; balance: {stats.get('balance')}") from None
        return stats
