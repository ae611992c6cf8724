# SPDX-License-Identifier: BSD-3-Clause
"""Run the Kafka of a laboratory: brokers, topics, and what clients of a secured broker need."""

import contextlib
import os
import re
import shutil
import signal
import subprocess

from .frames import read_records
from .places import CLIENTS, KAFKA_BROKER, KAFKA_TOPIC
from .process import LabError, call

# Where the secret of a listener is: its property, and the file beside the listener's properties.
SECRETS = {"mtls": ("ssl.key.password", "key.password"),
           "scram": ("sasl.password", "scram.password")}


class LabKafka:
    """The part of Lab that knows Kafka."""

    def _broker(self, *words):
        # Output to a file: a broker that kept a pipe open would be waited for.
        log = self.logs / "kafka-broker.log"
        with open(log, "ab") as out:
            begin = out.tell()
            done = subprocess.run(
                [KAFKA_BROKER, *words, "--directory", self.broker_directory],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=180, check=False)
        text = log.read_bytes()[begin:].decode(errors="replace")
        if done.returncode != 0:
            raise LabError(f"kafka-broker {' '.join(words)}: {text.strip()}")
        return text

    def start_broker(self, brokers=1, port=None, secured=False, kafka=None):
        """Starts an empty cluster, on `port` and the next ones if given; returns its addresses.

        secured: one broker with ACLs and the listeners of kafka_properties() beside the plain one,
        which this laboratory itself uses as User:ANONYMOUS, a super user. kafka: a version other
        than the tools' own.
        """
        text = self._broker("start", *(["--secured"] if secured else ["--brokers", str(brokers)]),
                            *(["--port", str(port)] if port else []),
                            *(["--kafka", kafka] if kafka else []))
        self.bootstrap = re.search(r"^bootstrap\.servers=(.*)$", text, re.M)[1]
        return self.bootstrap

    def kafka_properties(self, security, user="root"):
        """Properties under kafka.global for a listener of a secured broker.

        security: tls, mtls (with a client certificate), scram or gssapi. The files that they name
        are copies that only `user` can read; secrets are in such files, too.
        """
        files = CLIENTS / self.name / user
        source = self.broker_directory / "cluster" / "client"
        if not files.exists():
            files.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            CLIENTS.chmod(0o711)
            shutil.copytree(source, files)
            for path in (files, *files.iterdir()):
                shutil.chown(path, user)
            files.chmod(0o700)
        text = (files / f"{security}.properties").read_text().replace(str(source), str(files))
        properties = dict(line.split("=", 1) for line in text.splitlines())
        if security in SECRETS:
            name, file = SECRETS[security]
            properties[name] = {"file": str(files / file)}
        if security == "gssapi":
            self.secondary_env = {"KRB5_CONFIG": str(files / "krb5.conf"),
                                  "KRB5CCNAME": f"FILE:{files / 'tickets'}"}
        return properties

    def grant(self, principal, operation="WRITE", topic=None):
        self.kafka_topic("grant", topic or self.topic, "--principal", principal,
                         "--operation", operation)

    def revoke(self, principal, operation="WRITE", topic=None):
        self.kafka_topic("revoke", topic or self.topic, "--principal", principal,
                         "--operation", operation)

    def stop_broker(self):
        """Ends the cluster and removes its data."""
        self._broker("stop")
        shutil.rmtree(CLIENTS / self.name, ignore_errors=True)

    def stop_one_broker(self, number=1, kill=False):
        self._broker("stop", "--broker", str(number), *(["--kill"] if kill else []))

    def start_one_broker(self, number=1):
        self._broker("start", "--broker", str(number))

    @contextlib.contextmanager
    def broker_paused(self, number=1):
        """Stops a broker for the time of the block: a few seconds, or its session expires."""
        text = call(KAFKA_BROKER, "status", "--directory", self.broker_directory)
        pid = int(re.search(rf"^broker {number}: pid (\d+)", text, re.M)[1])
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def kafka_topic(self, *words, timeout=120):
        return call(KAFKA_TOPIC, "--bootstrap", self.bootstrap, *words, timeout=timeout)

    def create_topic(self, partitions=16, topic=None, settings=()):
        self.kafka_topic("create", topic or self.topic, "--partitions", partitions,
                         *[word for setting in settings for word in ("--config", setting)])

    def read_topic(self, topic=None, timeout=120):
        """Yields the Records of a topic up to its present end, by Kafka's own client."""
        topic = topic or self.topic
        path = self.directory / f"{topic}.records"
        self.kafka_topic("read", topic, "--output", path, "--timeout-s", timeout,
                         timeout=timeout + 30)
        return read_records(path)
