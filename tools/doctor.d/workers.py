# SPDX-License-Identifier: BSD-3-Clause
"""Ask the counters of a running instance what its transmit workers wait for."""

import json

from finding import fail, ok, warn


def check_workers(context):
    """what the transmit workers of the running instance wait for"""
    instance = context.configuration.get("instance")
    done = context.host.run("stats-tool", "-i", instance, "--json")
    if done is None:
        return [warn("there is no stats-tool to ask", "install ringtap again")]
    code, out, errors = done
    if code:
        return [ok(errors.strip().removeprefix("stats-tool: ") or f"stats-tool ended with {code}")]
    workers = [w for w in json.loads(out)["workers"] if w["state"] not in ("gone", "left")]
    waiting = [w for w in workers if w["waiting_for"] != "nothing"]
    if not waiting:
        return [ok(f"{len(workers)} transmit workers of instance {instance} wait for nothing")]
    reasons = ", ".join(sorted({w["waiting_for"] for w in waiting}))
    return [fail(f"{len(waiting)} of {len(workers)} transmit workers wait: {reasons}",
                 f"stats-tool -i {instance}; the log of kafka-secondary names partitions, cause "
                 "and remedy")]
