# SPDX-License-Identifier: BSD-3-Clause
"""Check whether Kafka slows the transmit workers down: quotas of their user and client id."""

import shlex

from cluster import CLUSTER_UNAUTHORIZED, Refused
from finding import ok, warn
from tool import allow, tool
from wire import Unreachable

USER, CLIENT = "user", "client-id"
NAMES = ("producer_byte_rate", "request_percentage")


def order_of_entities(user, client):
    """Kafka takes the quota of the first of these that has one; None is the default's."""
    return ({USER: user, CLIENT: client}, {USER: user, CLIENT: None}, {USER: user},
            {USER: None, CLIENT: client}, {USER: None, CLIENT: None}, {USER: None},
            {CLIENT: client}, {CLIENT: None})


def applying(quotas, name, user, client):
    """(entity, value) of the quota `name` that holds for a client; None if there is none."""
    for wanted in order_of_entities(user, client):
        for entity, values in quotas:
            if entity == wanted and name in values:
                return entity, values[name]
    return None


def who_text(entity):
    return ", ".join(f"{kind} {name}" if name is not None else f"the default {kind}"
                     for kind, name in sorted(entity.items(), reverse=True))


def without(kafka, entity, name):
    """The command that removes a quota."""
    kinds = {USER: "users", CLIENT: "clients"}
    words = [f"--entity-type {kinds[kind]} " +
             (f"--entity-name {shlex.quote(value)}" if value is not None else "--entity-default")
             for kind, value in sorted(entity.items(), reverse=True)]
    return tool("kafka-configs.sh", kafka, f"--alter {' '.join(words)} --delete-config {name}")


def check_quota(context):
    """quotas by which Kafka slows the transmit workers down"""
    kafka = context.kafka
    if kafka.problem:
        return [kafka.problem]
    user, client = kafka.security.principal(), kafka.security.kafka("client.id") or "ringtap"
    try:
        quotas = kafka.cluster.quotas()
    except (Refused, Unreachable) as error:
        if getattr(error, "error", None) == CLUSTER_UNAUTHORIZED:
            return [warn(f"User:{user} may not read quotas",
                         allow(kafka, ["DescribeConfigs"], "--cluster"))]
        return [warn(f"quotas cannot be read: {error}",
                     tool("kafka-configs.sh", kafka, "--describe --entity-type clients"))]
    findings = []
    for name in NAMES:
        found = applying(quotas, name, user, client)
        if found:
            entity, value = found
            findings.append(warn(f"{name}={value:.10g} for {who_text(entity)}: a broker makes the "
                                 "workers wait that exceed it", without(kafka, entity, name)))
    return findings or [ok(f"none for user {user}, client-id {client}")]
