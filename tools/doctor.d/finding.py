# SPDX-License-Identifier: BSD-3-Clause
"""Hold what a check found, and join the parts of it into one line."""

import collections
import shlex
import sys

# status: ok, warn or fail. remedy: the command, or the line of configuration, that fixes it.
Finding = collections.namedtuple("Finding", "status detail remedy", defaults=("",))

# warn: it costs something. fail: it prevents a start or what the configuration asks for, or makes
# the captured data wrong.
WORSE = ("ok", "warn", "fail")


def ok(detail):
    return Finding("ok", detail)


def warn(detail, remedy):
    return Finding("warn", detail, remedy)


def fail(detail, remedy):
    return Finding("fail", detail, remedy)


def only(name):
    """The command that runs one check alone."""
    return shlex.join((sys.argv[0], "--only", name))


def summary(findings):
    """One Finding: the worst status; what is not ok, if anything is not, and all remedies."""
    status = max((f.status for f in findings), key=WORSE.index)
    said = [f for f in findings if status == "ok" or f.status != "ok"]
    said.sort(key=lambda f: -WORSE.index(f.status))
    # dict: each once, in order
    return Finding(status, "; ".join(dict.fromkeys(f.detail for f in said)),
                   "; ".join(dict.fromkeys(f.remedy for f in said if f.remedy)))
