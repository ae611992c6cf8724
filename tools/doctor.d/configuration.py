# SPDX-License-Identifier: BSD-3-Clause
"""Check the configuration, and read from it what other checks need."""

import json
import os
import pathlib
import pwd
import re
import shlex
import subprocess
import sys

from finding import fail, ok, only, warn
from host import HOW_TO_GET, cpus_of

WITHOUT = warn("skipped: it needs a valid configuration", only("configuration"))
# Files that librdkafka reads with the rights of the workers; others must not read the last ones.
FILES = ("ssl.ca.location", "ssl.crl.location", "ssl.certificate.location", "ssl.key.location",
         "ssl.keystore.location", "sasl.kerberos.keytab")
CLOSED = FILES[3:]


class Configuration:
    """A file as capture-primary understands it, and the Kafka properties as they stand in it.

    problem: a Finding that says why there is none; then all values are those of no configuration.
    """

    def __init__(self, host, path):
        self.host, self.path = host, path
        self.values, self.properties, self.memory_mib = {}, {}, {}
        self.secret_files = []  # files that hold values of properties
        self.secret_inside = False  # a password is in the file itself
        self.problem = self._load()

    def _load(self):
        try:
            import yaml
        except ImportError:
            return warn("skipped: python3-yaml is not installed",
                        "apt-get install python3-yaml")
        checked = self.host.run("capture-primary", "-c", str(self.path), "--check")
        if checked is None:
            return fail("skipped: there is no capture-primary", HOW_TO_GET)
        code, output, errors = checked
        if code != 0:
            return refusal(errors, f"edit {shlex.quote(str(self.path))}; capture-primary --keys")
        self.values = yaml.safe_load(output)
        self.memory_mib = memory_of(output)
        # Secrets are not in the output. All values are text for librdkafka.
        with open(self.path, encoding="utf-8") as file:
            kafka = (yaml.load(file, yaml.BaseLoader) or {}).get("kafka") or {}
        for section in ("global", "topic"):
            self.properties.update(self.values["kafka"][section] or {})
            self.properties.update(kafka.get(section) or {})
        self.secret_inside = bool(secrets(self.host, [
            name for name, value in self.properties.items() if isinstance(value, str)]))
        self.secret_files = [value["file"] for value in self.properties.values()
                             if isinstance(value, dict) and "file" in value]
        self.properties = {name: fetched(value) for name, value in self.properties.items()}
        return None

    def get(self, key, otherwise=None):
        value = self.values.get(key)
        return otherwise if value is None else value

    def receive_lcores(self):
        """CPUs of the receive workers, as the primary chooses them."""
        chosen = cpus_of(str(self.get("receive-lcores", "")))
        return chosen or self.host.online_cpus() - {self.get("main-lcore", 0)} or {0}

    def worker_cpus(self):
        return cpus_of(str(self.get("worker-cpus", "")))

    def nb_rings(self, nb_ports):
        return (nb_ports * self.get("receive-queues", 1)
                * self.get("transmit-rings-per-queue", 4))

    def kafka(self, *names):
        """The value of a property, which has several names."""
        return next((self.properties[name] for name in names if name in self.properties), None)


def secrets(host, names):
    """Those of some properties that may be secrets, as kafka-secondary judges them.

    All of them when it cannot be asked: better a warning too many.
    """
    listed = names and host.run("kafka-secondary", "--properties", "--json", *names)
    try:
        return [row["name"] for row in json.loads(listed[1]) if row["secret"]]
    except (IndexError, TypeError, ValueError):
        return list(names)


def fetched(value):
    """A property's value, or that of the variable or file that it names; "" if that is missing."""
    if not isinstance(value, dict):
        return value
    if "env" in value:
        return os.environ.get(value["env"], "")
    try:
        if os.path.isfile(value["file"]):  # a pipe would block
            with open(value["file"], encoding="utf-8", errors="surrogateescape") as file:
                return file.read().removesuffix("\n").removesuffix("\r")
    except OSError:
        pass
    return ""


def refusal(errors, remedy):
    """The last line of a program's errors, and its remedy."""
    line = (errors.strip().splitlines() or ["no reason given"])[-1]
    line = re.sub(r"^\S+Z \S+\[\d+\] \w+ \w+: ", "", line)  # time, program and part of the log line
    if "Permission denied" in line and os.geteuid() != 0:
        remedy = shlex.join(("sudo", sys.argv[0]))
    return fail(line, remedy)


def memory_of(output):
    """MiB of hugepages by node, from the output of --check."""
    memory, node = {}, None
    for line in output.splitlines():
        if match := re.match(r"# +node (\d+):", line):
            node = int(match[1])
        elif match := re.match(r"# +hugepages (\d+) MiB", line):
            memory[node] = int(match[1])
    return memory


# ---- files ---------------------------------------------------------------------------------------

def is_world_readable(path):
    return os.path.isfile(path) and bool(os.stat(path).st_mode & 0o004)


def is_missing(path):
    """Whether nothing is at an absolute path, as far as we can see."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return path.startswith("/")
    except OSError:
        pass
    return False


def user_of(name):
    try:
        return pwd.getpwnam(name)
    except KeyError:  # kafka-secondary says so
        return None


def may(user, option, path):
    """What test(1) says when it runs as `user`."""
    return subprocess.run(["test", option, path], user=user.pw_uid, group=user.pw_gid, check=False,
                          extra_groups=os.getgrouplist(user.pw_name, user.pw_gid)).returncode == 0


def look_at_workers_files(configuration):
    """Workers read these files as the user `run-as`, who may have no access to root's files."""
    name = configuration.get("run-as", "")
    user = user_of(name)
    for prop in FILES:
        path = configuration.kafka(prop) or ""
        if is_missing(path):
            yield fail(f"{prop}: there is no {path}",
                       f"put it there, or edit {shlex.quote(str(configuration.path))}")
        if not os.path.isfile(path):
            continue
        quoted = shlex.quote(path)
        close = f"chown {name or 'root'} {quoted} && chmod 400 {quoted}"
        if user and os.geteuid() == 0 and not may(user, "-r", path):
            way = [d for d in pathlib.Path(path).absolute().parents if not may(user, "-x", d)]
            yield fail(f"user {name} cannot read {path} ({prop})",
                       f"move it to a directory that user {name} can enter, not "
                       f"below {way[-1]}" if way
                       else close if prop in CLOSED else f"chmod o+r {quoted}")
        elif prop in CLOSED and is_world_readable(path):
            yield warn(f"{path} is world-readable", close)


def check_configuration(context):
    """the configuration, as both programs and librdkafka see it"""
    configuration, path = context.configuration, context.configuration.path
    quoted = shlex.quote(str(path))
    if configuration.problem:
        return [configuration.problem]
    findings = [ok(f"{path} is valid, "
                   f"{sum(configuration.memory_mib.values())} MiB of hugepages needed"),
                *look_at_workers_files(configuration)]
    # Root reads these, before the workers become `run-as`: they need not belong to that user.
    findings += [warn(f"{file} is world-readable", f"chmod o-r {shlex.quote(file)}")
                 for file in configuration.secret_files if is_world_readable(file)]
    checked = context.host.run("kafka-secondary", "-c", str(path), "--check")
    if checked is None:
        findings.append(fail("there is no kafka-secondary to check librdkafka's properties",
                             HOW_TO_GET))
    elif checked[0] != 0 and all(found.status != "fail" for found in findings):
        findings.append(refusal(checked[2], f"edit {quoted}"))
    statistics = os.path.dirname(configuration.get("kafka", {}).get("statistics-file", ""))
    if is_missing(statistics):
        findings.append(fail(f"kafka.statistics-file: there is no {statistics}",
                             f"mkdir -p {shlex.quote(statistics)}"))
    if configuration.secret_inside and is_world_readable(path):
        findings.append(warn(f"{path} holds a secret and is world-readable",
                             f"chmod o= {quoted}"))
    return findings
