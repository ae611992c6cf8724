# SPDX-License-Identifier: BSD-3-Clause
"""Check Kafka: its brokers, the topic, and the right to write to it."""

import re
import shlex

from cluster import (MECHANISMS, Cluster, Security, Unreachable, address_text, addresses, reach,
                     unreachable_member)
from configuration import WITHOUT
from devices import nb_ports
from finding import fail, ok, only, warn

TOPIC_UNAUTHORIZED, UNKNOWN_TOPIC = 29, 3
WRITE = 1 << 4
# Of a record and the batch around it, that is not the frame (with an 8-byte key), rounded up.
RECORD_OVERHEAD, ETHERNET_OVERHEAD = 128, 22
BATCH_SIZE, MAX_MESSAGE_BYTES = 1_000_000, 1_048_588  # librdkafka's and Kafka's defaults


class Kafka:
    """What the checks below share, asked for once.

    problem: a Finding that says why the cluster could not be asked.
    """

    def __init__(self, context):
        self.findings, self.problem = [], None
        self.topic, self.settings, self.brokers = None, {}, []
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
            context = self.security.context()
        except OSError as error:
            self._give_up(fail(str(error), "fix ssl.* under kafka: global:"))
            return
        good = self._reach_all(servers, context)
        if not good:
            self._give_up(*self.findings)
        elif self.security.sasl and self.security.mechanism not in MECHANISMS:
            self._give_up(warn(f"{self.bootstrap} reached; logging in by "
                               f"{self.security.mechanism} cannot be tried from here",
                               f"kcat -L -F PROPERTIES -b {self.bootstrap}"))
        else:
            self._ask(good, context)

    def _reach_all(self, servers, context):
        good = []
        for host, port in servers:
            try:
                reach(host, port, context)
                good.append((host, port))
            except Unreachable as error:
                self.findings.append(fail(str(error), "fix bootstrap.servers, security.protocol "
                                          "and ssl.*, or start the broker"))
        if good:  # any of them names the others
            self.findings = [warn(f.detail, f.remedy) for f in self.findings]
        return good

    def _ask(self, servers, context):
        try:
            cluster = Cluster(servers, self.security)
            self.brokers, self.topic = cluster.look_at(self.name)
            self.settings = cluster.settings(self.name)
        except ImportError:
            self._give_up(warn(f"{self.bootstrap} reached; asked nothing more: python3-kafka is "
                               "not installed", "apt-get install python3-kafka"))
            return
        except Unreachable as error:
            self._give_up(fail(f"{self.bootstrap} reached, {error}",
                               error.remedy or self.security.remedy()))
            return
        for host, port in self.brokers:
            try:
                reach(host, port, context)
            except Unreachable as error:
                error = unreachable_member(error)
                self.findings.append(fail(str(error), error.remedy))
        if self.security.mechanism.startswith("SCRAM") and cluster.is_kafka_4():
            self._look_at_librdkafka()
        self.findings.append(ok(f"{self.security}: {len(self.brokers)} brokers, all reached"))

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
    """the brokers: reachable with the configuration's TLS and SASL settings"""
    kafka = context.kafka
    return kafka.findings or [kafka.problem]


# ---- the topic -----------------------------------------------------------------------------------

def tool(script, kafka, words):
    secured = " --command-config FILE" if kafka.security.protocol != "PLAINTEXT" else ""
    return f"{script} --bootstrap-server {kafka.bootstrap}{secured} {words}"


def alter(kafka, setting):
    return tool("kafka-configs.sh", kafka,
                f"--alter --entity-type topics --entity-name {kafka.name} --add-config {setting}")


def look_at_partitions(kafka, nb_rings):
    nb = len(kafka.topic.partitions)
    dead = [i for i, (leader, _, _) in enumerate(kafka.topic.partitions) if leader < 0]
    if dead:
        yield fail(f"{len(dead)} of {nb} partitions have no leader", "start the missing brokers")
    if nb < nb_rings:
        yield warn(f"{nb} partitions for {nb_rings} transmit rings: rings share them",
                   tool("kafka-topics.sh", kafka,
                        f"--alter --topic {kafka.name} --partitions {nb_rings}"))
    else:
        yield ok(f"{nb} partitions for {nb_rings} transmit rings")


def look_at_replicas(kafka):
    replicas = min(len(r) for _, r, _ in kafka.topic.partitions)
    in_sync = min(len(isr) for _, _, isr in kafka.topic.partitions)
    least = int(kafka.settings.get("min.insync.replicas", 1))
    all_acks = kafka.security.kafka("acks", "request.required.acks") in (None, "-1", "all")
    if all_acks and in_sync < least:
        yield fail(f"{in_sync} replicas in sync, min.insync.replicas={least}: nothing can be "
                   "written", "start the missing brokers" if replicas >= least
                   else alter(kafka, f"min.insync.replicas={max(replicas - 1, 1)}"))
    elif replicas == 1:
        yield warn("one replica: a broker that loses its disk loses packets",
                   "kafka-reassign-partitions.sh, or make the topic with --replication-factor 3")
    elif least == 1:
        yield warn(f"{replicas} replicas, min.insync.replicas=1: one broker is enough for "
                   "an acknowledgement",
                   alter(kafka, f"min.insync.replicas={replicas - 1}"))
    elif least == replicas:
        yield warn(f"{replicas} replicas, min.insync.replicas={least}: one broker down stops "
                   "everything", alter(kafka, f"min.insync.replicas={replicas - 1}"))
    else:
        yield ok(f"{replicas} replicas, min.insync.replicas={least}")


def size_of(text):
    """A size as librdkafka reads it: decimal or 0x, up to the first character that is no digit."""
    match = re.match(r"0[xX][0-9a-fA-F]+|\d+", text or "")
    return int(match[0], 0) if match else BATCH_SIZE


def look_at_sizes(kafka, configuration):
    limit = int(kafka.settings.get("max.message.bytes", MAX_MESSAGE_BYTES))
    frame = configuration.get("mtu") + ETHERNET_OVERHEAD + RECORD_OVERHEAD
    batch = size_of(configuration.kafka("batch.size"))
    client = size_of(configuration.kafka("message.max.bytes"))
    if limit < frame:
        yield fail(f"max.message.bytes={limit} refuses frames of mtu {configuration.get('mtu')}",
                   alter(kafka, f"max.message.bytes={MAX_MESSAGE_BYTES}"))
    elif client < frame:
        yield fail(f"message.max.bytes={client} refuses frames of mtu {configuration.get('mtu')}",
                   f"message.max.bytes: {BATCH_SIZE} under kafka: global:")
    elif min(batch, client) > limit:
        yield warn(f"batches of {min(batch, client)} bytes, max.message.bytes={limit}: full "
                   "batches are refused and sent again in parts",
                   f"batch.size: {limit - RECORD_OVERHEAD} under kafka: global:")
    else:
        yield ok(f"max.message.bytes={limit}")


def check_topic(context):
    """the topic: partitions against rings, replicas, sizes"""
    kafka = context.kafka
    if kafka.problem:
        return [kafka.problem]
    rings = context.configuration.nb_rings(nb_ports(context))
    if kafka.topic.error == TOPIC_UNAUTHORIZED:
        return [warn(f"no right to describe topic {kafka.name}", grant(kafka))]
    if kafka.topic.error or not kafka.topic.partitions:
        return [fail(f"there is no topic {kafka.name}"
                     if kafka.topic.error == UNKNOWN_TOPIC
                     else f"Kafka has error {kafka.topic.error} for topic {kafka.name}",
                     tool("kafka-topics.sh", kafka, f"--create --topic {kafka.name} --partitions "
                          f"{max(rings, 128)} --replication-factor {min(len(kafka.brokers), 3)}"))]
    findings = [*look_at_partitions(kafka, rings), *look_at_replicas(kafka),
                *look_at_sizes(kafka, context.configuration)]
    if "compact" in kafka.settings.get("cleanup.policy", ""):
        findings.append(fail("cleanup.policy=compact deletes all but one packet of a microsecond",
                             alter(kafka, "cleanup.policy=delete")))
    if not kafka.settings:
        findings.append(warn("no right to read its configuration: Kafka's defaults are assumed for "
                             "sizes and min.insync.replicas",
                             grant(kafka, "DescribeConfigs")))
    return findings


def grant(kafka, *more):
    operations = " ".join(f"--operation {name}" for name in ("Write", "Describe", *more))
    who = shlex.quote(f"User:{kafka.security.principal()}")
    return tool("kafka-acls.sh", kafka,
                f"--add --allow-principal {who} {operations} --topic {kafka.name}")


def check_acl(context):
    """whether the principal of the configuration may write to the topic"""
    kafka = context.kafka
    if kafka.problem:
        return [kafka.problem]
    who = f"User:{kafka.security.principal()}"
    if kafka.topic.error == TOPIC_UNAUTHORIZED:
        return [fail(f"{who} has no rights on topic {kafka.name}", grant(kafka))]
    if kafka.topic.error or kafka.topic.operations < 0:
        return [warn(f"the cluster does not say what {who} may do with {kafka.name}",
                     only("topic"))]
    if not kafka.topic.operations & WRITE:
        return [fail(f"{who} may not write to topic {kafka.name}", grant(kafka))]
    return [ok(f"{who} may write to topic {kafka.name}")]
