# SPDX-License-Identifier: BSD-3-Clause
"""The configuration: what the programs say of it, and what other checks need of it."""

import os
import re

from finding import fail, ok, warn
from host import cpus_of

SECRET = re.compile(r"password|secret|key\.pem|oauthbearer\.config")
WITHOUT = warn("not looked at: it needs a valid configuration",
               "tools/doctor --only configuration")


class Configuration:
    """A file as capture-primary understands it, and the Kafka properties as they stand in it.

    problem: a Finding that says why there is none; then all values are those of no configuration.
    """

    def __init__(self, host, path):
        self.host, self.path = host, path
        self.values, self.properties, self.memory_mib = {}, {}, {}
        self.secret_inside = False  # a password stands in the file itself
        self.problem = self._load()

    def _load(self):
        try:
            import yaml
        except ImportError:
            return warn("not looked at: python3-yaml is not installed",
                        "apt-get install python3-yaml")
        checked = self.host.run("capture-primary", "-c", str(self.path), "--check")
        if checked is None:
            return warn("not looked at: there is no capture-primary",
                        "meson setup build && ninja -C build")
        code, output, errors = checked
        if code != 0:
            return fail(last_line(errors), f"edit {self.path}; capture-primary --keys")
        self.values = yaml.safe_load(output)
        self.memory_mib = memory_of(output)
        # Secrets are not in the output. All values are text for librdkafka.
        with open(self.path, encoding="utf-8") as file:
            kafka = (yaml.load(file, yaml.BaseLoader) or {}).get("kafka") or {}
        for section in ("global", "topic"):
            self.properties.update(self.values["kafka"][section] or {})
            self.properties.update(kafka.get(section) or {})
        self.secret_inside = any(SECRET.search(name) and isinstance(value, str)
                                 for name, value in self.properties.items())
        self.properties = {name: fetched(value) for name, value in self.properties.items()}
        return None

    def get(self, key, otherwise=None):
        value = self.values.get(key)
        return otherwise if value is None else value

    def receive_lcores(self):
        """CPUs of the receive workers, as the primary chooses them."""
        chosen = cpus_of(str(self.get("receive-lcores", "")))
        return chosen or self.host.online_cpus() - {self.get("main-lcore", 0)} or {0}

    def nb_rings(self, nb_ports):
        return (nb_ports * self.get("receive-queues", 1)
                * self.get("transmit-rings-per-queue", 4))

    def kafka(self, *names):
        """The value of a property, which has several names."""
        return next((self.properties[name] for name in names if name in self.properties), None)


def fetched(value):
    """A property's value, which may stand elsewhere; "" when it is not there, as another check says."""
    if not isinstance(value, dict):
        return value
    if "env" in value:
        return os.environ.get(value["env"], "")
    try:
        if os.path.isfile(value["file"]):  # a pipe would be waited for
            with open(value["file"], encoding="utf-8", errors="surrogateescape") as file:
                return file.read().removesuffix("\n").removesuffix("\r")
    except OSError:
        pass
    return ""


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"


def memory_of(output):
    """MiB of hugepages by node, from the output of --check."""
    memory, node = {}, None
    for line in output.splitlines():
        if match := re.match(r"# +node (\d+):", line):
            node = int(match[1])
        elif match := re.match(r"# +hugepages (\d+) MiB", line):
            memory[node] = int(match[1])
    return memory


def check_configuration(context):
    """the configuration, as both programs and librdkafka see it"""
    configuration, path = context.configuration, context.configuration.path
    if configuration.problem:
        return [configuration.problem]
    findings = [ok(f"{path} is valid, "
                   f"{sum(configuration.memory_mib.values())} MiB of hugepages needed")]
    checked = context.host.run("kafka-secondary", "-c", str(path), "--check")
    if checked is None:
        findings.append(warn("there is no kafka-secondary to look at librdkafka's properties",
                             "meson setup build && ninja -C build"))
    elif checked[0] != 0:
        findings.append(fail(last_line(checked[2]), f"edit {path}"))
    if configuration.secret_inside and os.stat(path).st_mode & 0o004:
        findings.append(warn(f"{path} holds a secret and everybody may read it",
                             f"chmod o= {path}"))
    return findings
