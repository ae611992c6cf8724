# SPDX-License-Identifier: BSD-3-Clause
"""Write the commands of Kafka's own tools that fix what a check found."""

import shlex


def tool(script, kafka, words):
    secured = " --command-config FILE" if kafka.security.protocol != "PLAINTEXT" else ""
    return f"{script} --bootstrap-server {kafka.bootstrap}{secured} {words}"


def alter(kafka, setting):
    return tool("kafka-configs.sh", kafka,
                f"--alter --entity-type topics --entity-name {kafka.name} --add-config {setting}")


def allow(kafka, operations, resource):
    who = shlex.quote(f"User:{kafka.security.principal()}")
    words = " ".join(f"--operation {name}" for name in operations)
    return tool("kafka-acls.sh", kafka, f"--add --allow-principal {who} {words} {resource}")


def grant(kafka, *more):
    return allow(kafka, ("Write", "Describe", *more), f"--topic {kafka.name}")
