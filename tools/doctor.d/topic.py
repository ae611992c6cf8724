# SPDX-License-Identifier: BSD-3-Clause
"""Check the topic: partitions, replicas, sizes, timestamps, and the right to write to it."""

import re

from cluster import TOPIC_UNAUTHORIZED, UNKNOWN_TOPIC
from devices import nb_ports
from finding import fail, ok, only, warn
from host import cpu_text
from timestamps import LOG_APPEND_TIME, look_at_timestamps
from tool import alter, grant, tool

WRITE = 1 << 4
# Of a record and the batch around it, that is not the frame (with an 8-byte key), rounded up.
RECORD_OVERHEAD, ETHERNET_OVERHEAD = 128, 22
BATCH_SIZE, MAX_MESSAGE_BYTES = 1_000_000, 1_048_588  # librdkafka's and Kafka's defaults


def brokers(numbers):
    return f"broker{'s' if len(numbers) > 1 else ''} {cpu_text(numbers)}"


def some(these, partitions):
    return (f"{len(these)} of {len(partitions)} partitions "
            f"({cpu_text({p.number for p in these})})")


def look_at_partitions(kafka, nb_rings):
    partitions = kafka.topic.partitions
    dead = [p for p in partitions if p.leader < 0]
    if dead:
        last = brokers(set().union(*(p.in_sync or p.replicas for p in dead)))
        yield fail(f"{some(dead, partitions)} have no leader: {last}, the last in sync, cannot "
                   "lead", f"start {last}")
    if len(partitions) < nb_rings:
        yield warn(f"{len(partitions)} partitions for {nb_rings} transmit rings: rings share them",
                   tool("kafka-topics.sh", kafka,
                        f"--alter --topic {kafka.name} --partitions {nb_rings}"))
    else:
        yield ok(f"{len(partitions)} partitions for {nb_rings} transmit rings")


def least_in_sync(partition, least):
    """What Kafka makes of min.insync.replicas: never more than there are replicas."""
    return min(least, len(partition.replicas))


def look_at_refusals(kafka, least):
    """Partitions that refuse packets with acks=all: too few of their replicas are in sync."""
    groups = {}
    for p in kafka.topic.partitions:
        if p.leader >= 0 and len(p.in_sync) < least_in_sync(p, least):
            groups.setdefault((len(p.in_sync), len(p.replicas)), []).append(p)
    for (in_sync, replicas), below in groups.items():
        missing = set().union(*(set(p.replicas) - set(p.in_sync) for p in below))
        down = missing & set().union(*(p.offline for p in below))
        lagging = missing - down
        why = [f"{brokers(numbers)} {what}" for numbers, what in
               ((down, "down"), (lagging, "lagging")) if numbers]
        yield fail(f"{some(below, kafka.topic.partitions)} refuse packets: {in_sync} of {replicas} "
                   f"replicas in sync, min.insync.replicas={least} ({', '.join(why)})",
                   f"start {brokers(down)}" if down else f"look at the log of {brokers(lagging)}")


def look_at_replicas(kafka):
    least = int(kafka.settings.get("min.insync.replicas", 1))
    if kafka.security.kafka("acks", "request.required.acks") in (None, "-1", "all"):
        refusals = list(look_at_refusals(kafka, least))
        if refusals:
            yield from refusals
            return
    fewest = min(kafka.topic.partitions, key=lambda p: len(p.replicas))
    replicas = len(fewest.replicas)
    if replicas == 1:
        yield warn("one replica: a broker that loses its disk loses packets",
                   "kafka-reassign-partitions.sh, or make the topic with --replication-factor 3")
    elif least == 1:
        yield warn(f"{replicas} replicas, min.insync.replicas=1: one broker is enough for "
                   "an acknowledgement",
                   alter(kafka, f"min.insync.replicas={replicas - 1}"))
    elif least_in_sync(fewest, least) == replicas:
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
    """the topic: partitions against rings, replicas, sizes, timestamps"""
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
                          f"{max(rings, 128)} --replication-factor {min(len(kafka.brokers), 3)} "
                          f"--config {LOG_APPEND_TIME}"))]
    findings = [*look_at_partitions(kafka, rings), *look_at_replicas(kafka),
                *look_at_sizes(kafka, context.configuration),
                *look_at_timestamps(kafka, context)]
    if "compact" in kafka.settings.get("cleanup.policy", ""):
        findings.append(fail("cleanup.policy=compact deletes all but one packet of a microsecond",
                             alter(kafka, "cleanup.policy=delete")))
    if kafka.why_no_settings:
        why = "no right to read its configuration" \
            if kafka.why_no_settings.error == TOPIC_UNAUTHORIZED \
            else f"its configuration cannot be read ({kafka.why_no_settings})"
        findings.append(warn(f"{why}: Kafka's defaults are assumed for sizes, timestamps and "
                             "min.insync.replicas", grant(kafka, "DescribeConfigs")))
    return findings


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
