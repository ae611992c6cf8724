# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of tools/doctor share: a call of it, and claims about what it said."""

import json
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / name) for name in ("test/e2e", "tools/dev", "tools/doctor.d")]

DOCTOR = SOURCE / "tools" / "doctor"


def doctor(*options):
    """(exit code, {name: check}) of a call with --json."""
    done = subprocess.run([DOCTOR, "--json", *map(str, options)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120, check=False)
    if done.stderr:
        raise AssertionError(done.stderr)
    return done.returncode, {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def says(tap, check, status, *words):
    """One property: the status, and words that stand in detail and remedy."""
    text = f"{check['detail']} -> {check['remedy']}"
    missing = [word for word in words if word not in text]
    tap.ok(check["status"] == status and not missing and (status == "ok") == (not check["remedy"]),
           f"{check['name']}: {status}: {words[0]}", f"{check['status']}: {text}")


def nowhere_to_write(tap, *words):
    """A full disk and a closed output are a line; a reader that has gone is not even that."""
    command = " ".join(str(word) for word in words)
    name = pathlib.Path(words[0]).name
    for where, line in ((">/dev/full", f"{name}: cannot write: No space left on device\n"),
                        (">&-", f"{name}: cannot write: Bad file descriptor\n"),
                        ("> >(:)", "")):
        script = f"exec {where}; wait $!; exec \"$@\"" if "(" in where else f"exec \"$@\" {where}"
        done = subprocess.run(["bash", "-c", script, "bash", *map(str, words)], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                              check=False)
        tap.equal((done.returncode, done.stderr), (1, line), f"{command} {where}")
