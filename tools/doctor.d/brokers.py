# SPDX-License-Identifier: BSD-3-Clause
"""Check Kafka's brokers: the addresses in the configuration, and those that they advertise."""

import concurrent.futures
import re

from cluster import Cluster, Refused
from configuration import WITHOUT
from finding import fail, ok, only, warn
from login import MECHANISMS, connect
from security import Security, address_text, addresses
from wire import Unreachable

AT_ONCE = 16  # connections that are tried


class Kafka:
    """What the checks of Kafka share, asked for once.

    problem: a Finding that says why the cluster could not be asked; then there is no `cluster`.
    settings: of the topic, {} when they cannot be read; why_no_settings: then the error.
    """

    def __init__(self, context):
        self.findings, self.problem, self.cluster = [], None, None
        self.topic, self.settings, self.brokers, self.why_no_settings = None, {}, [], None
        configuration = context.configuration
        self.name = configuration.get("topic")
        if configuration.problem:
            self.problem = WITHOUT
            return
        self.security = Security(configuration)
        servers = addresses(configuration.kafka("bootstrap.servers", "metadata.broker.list"))
        self.bootstrap = ",".join(address_text(*server) for server in servers)
        if servers:
            self._connect(servers)
        else:
            self._give_up(fail("bootstrap.servers is empty",
                               "bootstrap.servers: HOST:9092 under kafka: global:"))

    def _connect(self, servers):
        try:
            self.security.load()
        except OSError as error:
            self._give_up(fail(str(error), "fix ssl.* under kafka: global:"))
            return
        tried = self._try(servers)
        failed = [error for error in tried if isinstance(error, Unreachable)]
        good = [connection for connection in tried if connection not in failed]
        # Any broker names the others.
        self.findings = [(warn if good else fail)(str(error), self._remedy(error))
                         for error in failed]
        if not good:
            self._give_up(*self.findings)
        elif self.security.sasl and self.security.mechanism not in MECHANISMS:
            self._give_up(warn(f"{self.bootstrap} reached; logging in by "
                               f"{self.security.mechanism} cannot be tried from here",
                               f"kcat -L -F PROPERTIES -b {self.bootstrap}"))
        else:
            self._ask(Cluster(good[0]))

    def _try(self, servers):
        """A Connection or Unreachable for each."""
        def attempt(server):
            try:
                return connect(*server, self.security)
            except Unreachable as error:
                return error
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(attempt, servers))

    def _remedy(self, error):
        if error.step == "login":
            return self.security.remedy()
        return "fix bootstrap.servers" + (
            ", or DNS" if error.step == "name" else
            ", or start the broker" if error.step == "connection" else
            ", security.protocol and ssl.* under kafka: global:")

    def _ask(self, cluster):
        try:
            self.brokers, self.topic = cluster.look_at(self.name)
            try:
                self.settings = cluster.settings(self.name)
            except Refused as error:
                self.why_no_settings = error
        except Refused as error:
            self._give_up(fail(f"{self.bootstrap} reached, no metadata: {error}",
                               "Kafka 2.3 or later"))
            return
        except Unreachable as error:
            self._give_up(fail(f"{self.bootstrap} reached, no metadata: {error}",
                               self.security.remedy()))
            return
        self.cluster = cluster
        self._look_at_advertised()
        if self.security.mechanism.startswith("SCRAM") and cluster.is_kafka_4():
            self._look_at_librdkafka()
        self.findings.append(ok(f"{self.security}: {len(self.brokers)} brokers, all reached"))

    def _look_at_advertised(self):
        """Each broker that a packet may have to go to, at the address that the cluster tells."""
        for broker, tried in zip(self.brokers, self._try([b.address for b in self.brokers]),
                                 strict=True):
            if not isinstance(tried, Unreachable):
                tried.close()
                continue
            partitions = self.topic.partitions
            leads = sum(p.leader == broker.number for p in partitions)
            self.findings.append((fail if leads or not partitions else warn)(
                f"broker {broker.number} at its advertised address {tried}"
                + (f"; it leads {leads} of {len(partitions)} partitions" if partitions else ""),
                self._remedy_of_advertised(broker, tried.step)))

    def _remedy_of_advertised(self, broker, step):
        if step == "login":
            return self.security.remedy()
        listeners = f"fix advertised.listeners of broker {broker.number}"
        host, _ = broker.address
        return f"{listeners}, or " + (
            f"make {host} resolve here (DNS, /etc/hosts)" if step == "name" else
            "start it, or open the firewall for this address" if step == "connection" else
            "its certificate and ssl.* under kafka: global:")

    def _look_at_librdkafka(self):
        """Before 2.6.1 it sends its nonce twice."""
        done = self.security.host.run("kafka-secondary", "--version")
        match = re.search(r"^librdkafka ((\d+)\.(\d+)\.(\d+))", done[1] if done else "", re.M)
        if match and tuple(map(int, match.groups()[1:])) < (2, 6, 1):
            self.findings.append(fail(
                f"librdkafka {match[1]} cannot log in to Kafka 4 by {self.security.mechanism}",
                "librdkafka 2.6.1 or later; or client certificates, Kerberos, PLAIN over TLS"))

    def _give_up(self, *findings):
        self.findings = list(findings)
        self.problem = warn("skipped: the brokers cannot be asked",
                            only("brokers"))


def check_brokers(context):
    """the brokers: each reachable with the configuration's TLS and SASL settings, as advertised"""
    kafka = context.kafka
    return kafka.findings or [kafka.problem]
