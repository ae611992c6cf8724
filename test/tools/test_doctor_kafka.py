#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/doctor against three brokers of real Kafka: topics, clocks, quotas, a dead broker. TAP.

Build directory: $RINGTAP_BUILD (default: build/). Everything listens on the loopback only.
"""

import contextlib
import re
import subprocess
import sys
import time

from doctor_kafka import cluster, create, free_port, fresh_directory, look
from doctor_run import doctor, says
from host import cpus_of
from kafka import KafkaProducer
from kafka.errors import InvalidTimestampError
from machine import Machine
from tap import Tap
from wire import Connection, array, number, text

from lab import call, wait_for

ALTER_CLIENT_QUOTAS = 49


def topics_of_three_brokers(tap, servers):
    good = {"bootstrap.servers": servers}
    create(servers, "good", 8, 3, "min.insync.replicas=2")
    create(servers, "few", 2, 3, "min.insync.replicas=2")
    create(servers, "alone", 8, 1)
    create(servers, "one-word", 8, 3, "min.insync.replicas=1")
    create(servers, "all-words", 8, 3, "min.insync.replicas=3")
    create(servers, "more-than-all", 8, 2, "min.insync.replicas=3")
    create(servers, "small", 8, 3, "min.insync.replicas=2", "max.message.bytes=5000")
    create(servers, "batches", 8, 3, "min.insync.replicas=2", "max.message.bytes=20000")
    create(servers, "compact", 8, 3, "min.insync.replicas=2", "cleanup.policy=compact")

    code, checks = look("good", good, "brokers", "topic", "acl")
    tap.equal(code, 0, "all is well: exit 0")
    says(tap, checks["brokers"], "ok", "3 brokers, all reached")
    says(tap, checks["topic"], "ok", "8 partitions for 4 transmit rings", "3 replicas",
         "max.message.bytes=1048588")
    says(tap, checks["acl"], "ok", "User:ANONYMOUS may write to topic good")

    for topic, status, *words in (
            ("few", "warn", "2 partitions for 4 transmit rings", "--partitions 4"),
            ("alone", "warn", "one replica"),
            ("one-word", "warn", "3 replicas, min.insync.replicas=1", "min.insync.replicas=2"),
            ("all-words", "warn", "one broker down stops everything"),
            ("more-than-all", "warn", "2 replicas, min.insync.replicas=3: one broker down stops",
             "min.insync.replicas=1"),
            ("small", "fail", "max.message.bytes=5000 refuses frames of mtu 9000"),
            ("batches", "warn", "batches of 1000000 bytes, max.message.bytes=20000",
             "batch.size: 19872"),
            ("compact", "fail", "cleanup.policy=compact"),
            ("absent", "fail", "there is no topic absent", "--create --topic absent")):
        code, checks = look(topic, good, "topic")
        says(tap, checks["topic"], status, *words)
        tap.equal(code, int(status == "fail"), f"{topic}: the exit code says {status}")
    checks = look("batches", {**good, "batch.size": "19872"}, "topic")[1]
    says(tap, checks["topic"], "ok", "max.message.bytes=20000")
    checks = look("good", {**good, "message.max.bytes": "8000"}, "topic")[1]
    says(tap, checks["topic"], "fail", "message.max.bytes=8000 refuses frames")
    checks = look("good", good, "topic", receive_queues=3)[1]
    says(tap, checks["topic"], "warn", "8 partitions for 12 transmit rings")
    checks = look("absent", good, "acl")[1]
    says(tap, checks["acl"], "warn", "does not say what User:ANONYMOUS may do with absent")
    tap.ok("absent" not in call("kcat", "-L", "-b", servers), "no topic was made by looking")


def addresses_of_brokers(tap, servers):
    dead = f"127.0.0.1:{free_port()}"
    checks = look("good", {"bootstrap.servers": f"{dead},{servers}"}, "brokers", "topic")[1]
    says(tap, checks["brokers"], "warn", f"{dead}: connection refused")
    says(tap, checks["topic"], "ok", "8 partitions")
    checks = look("good", {"bootstrap.servers": "nowhere.invalid"}, "brokers")[1]
    says(tap, checks["brokers"], "fail", "nowhere.invalid:9092: unknown host name")
    code, checks = look("good", {"metadata.broker.list": dead}, "brokers", "topic", "acl")
    says(tap, checks["brokers"], "fail", f"{dead}: connection refused")
    says(tap, checks["topic"], "warn", "skipped: ", "--only brokers")
    says(tap, checks["acl"], "warn", "skipped: ", "--only brokers")
    tap.equal(code, 1, "no broker: exit 1")
    checks = look("good", {"bootstrap.servers": servers, "security.protocol": "ssl"}, "brokers")[1]
    says(tap, checks["brokers"], "fail", "no TLS")
    checks = look("good", {"bootstrap.servers": servers, "security.protocol": "sasl_plaintext",
                           "sasl.mechanisms": "OAUTHBEARER"}, "brokers")[1]
    says(tap, checks["brokers"], "warn", "logging in by OAUTHBEARER cannot be tried")


# (topic, how far this host's clock is ahead, what the kernel says of it, the status, the line)
CLOCKS = (
    ("stamped", 0, "0 1500", "ok", "this host's clock is kept (", " ms from that of Kafka's"),
    ("stamped", 0, "64 16000000", "warn", "message.timestamp.type=CreateTime, this host's clock is "
     "not kept", "add-config message.timestamp.type=LogAppendTime"),
    ("stamped", -3 * 3600, "0 1500", "warn", "3 hours behind that of Kafka's controller: retention "
     "keeps packets so much shorter", "chronyc makestep"),
    ("stamped", 1200, "0 1500", "warn", "20 minutes ahead of that of Kafka's controller: retention "
     "keeps packets so much longer"),
    ("stamped", -864_000, "0 1500", "fail", "10 days behind that of Kafka's controller, "
     "retention.ms=604800000: Kafka deletes every packet", "message.timestamp.type=LogAppendTime"),
    ("stamped", 3 * 3600, "0 1500", "fail", "3 hours ahead of that of Kafka's controller, "
     "message.timestamp.after.max.ms=3600000: Kafka refuses every packet"),
    ("short", -1200, "0 1500", "fail", "20 minutes behind", "retention.ms=600000"),
    ("endless", -864_000, "0 1500", "warn", "10 days behind"),
    ("narrow", -300, "0 1500", "fail", "5 minutes behind that of Kafka's controller, "
     "message.timestamp.before.max.ms=60000: Kafka refuses every packet"),
    ("good", -864_000, "64 16000000", "ok", "message.timestamp.type=LogAppendTime"),
    ("good", 3 * 3600, "64 16000000", "ok", "message.timestamp.type=LogAppendTime"),
)


def clocks(tap, servers):
    """The doctor's word, and Kafka's to a packet that such a clock stamps."""
    own = ("min.insync.replicas=2", "message.timestamp.type=CreateTime")
    for name, *more in (("stamped",), ("short", "retention.ms=600000"), ("endless",
                        "retention.ms=-1"), ("narrow", "message.timestamp.before.max.ms=60000")):
        create(servers, name, 4, 3, *own, *more)
    producer = KafkaProducer(bootstrap_servers=servers, api_version=(2, 1), retries=0)
    for topic, ahead_s, adjtimex, status, *words in CLOCKS:
        with Machine() as machine:
            machine.checked(device="net_null0", servers=servers, topic=topic)
            machine.write("adjtimex", adjtimex)
            machine.write("clock-ahead-s", ahead_s)
            checks = doctor("--root", machine.root, "-c", machine.config, "--only", "topic")[1]
        says(tap, checks["topic"], status, *words)
        sent = producer.send(topic, b"packet", timestamp_ms=int((time.time() + ahead_s) * 1000))
        with contextlib.suppress(InvalidTimestampError):
            sent.get(20)
        tap.equal(isinstance(sent.exception, InvalidTimestampError), "refuses" in " ".join(words),
                  f"{topic}, {ahead_s} s: so does Kafka")
    producer.close()


def set_quota(servers, value, **entity):
    """AlterClientQuotas of Kafka: None for the default; a value of None removes it."""
    parts = array([text(kind.replace("_", "-")) + text(name) for kind, name in entity.items()])
    change = text("producer_byte_rate") + number("d", value or 0) + number("?", value is None)
    host, port = servers.split(",")[0].split(":")
    with Connection(host, int(port)) as connection:
        answer = connection.ask(ALTER_CLIENT_QUOTAS, 0, array([parts + array([change])]) + b"\0")
    answer.numbers("ii")
    if answer.number("h"):
        raise AssertionError(answer.text())


def quotas(tap, servers):
    """Kafka's order of precedence: each one set hides those before it."""
    good = {"bootstrap.servers": servers}
    says(tap, look("good", good, "quota")[1]["quota"], "ok", "none for user ANONYMOUS")
    for rate, name, words, entity in (
            (1e9, "the default client-id", "--entity-type clients --entity-default",
             {"client_id": None}),
            (2_000_000, "client-id ringtap", "--entity-type clients --entity-name ringtap",
             {"client_id": "ringtap"}),
            (3e6, "the default user", "--entity-type users --entity-default", {"user": None}),
            (4e6, "user ANONYMOUS", "--entity-type users --entity-name ANONYMOUS",
             {"user": "ANONYMOUS"}),
            (5e6, "user ANONYMOUS, client-id ringtap", "users --entity-name ANONYMOUS "
             "--entity-type clients --entity-name ringtap",
             {"user": "ANONYMOUS", "client_id": "ringtap"})):
        set_quota(servers, rate, **entity)
        time.sleep(1)  # the brokers hear of it
        says(tap, look("good", good, "quota")[1]["quota"], "warn",
             f"producer_byte_rate={rate:.0f} for {name}:", words,
             "--delete-config producer_byte_rate")
    says(tap, look("good", {**good, "client.id": "other"}, "quota")[1]["quota"], "warn",
         "producer_byte_rate=4000000 for user ANONYMOUS:")


def a_broker_that_dies(tap, servers, run):
    """The metadata name it for some seconds after its death; then its partitions are leaderless."""
    first = servers.split(",")[0]
    run("stop", "--broker", "3", "--kill")
    checks = look("good", {"bootstrap.servers": first}, "brokers")[1]
    says(tap, checks["brokers"], "fail", f"broker 3 at its advertised address {servers[-14:]}: "
         "connection refused; it leads ", " partitions -> fix advertised.listeners of broker 3")

    def leaderless():
        found = look("alone", {"bootstrap.servers": first}, "topic")[1]["topic"]
        return found if found["status"] == "fail" else None
    says(tap, wait_for(leaderless, "partition without a leader", 30), "fail",
         "of 8 partitions (", "have no leader: broker 3, the last in sync", "-> start broker 3;")
    refused_by_kafka(tap, first)


def refused_by_kafka(tap, first):
    """Which partitions take nothing, by the doctor and by Kafka itself."""
    for topic, replicas, least in (("all-words", 3, 3), ("more-than-all", 2, 3), ("good", 3, 2)):
        found = look(topic, {"bootstrap.servers": first}, "topic")[1]["topic"]
        named = re.search(r"of 8 partitions \(([\d,-]+)\) refuse packets: (.*?)(?:;|$)",
                          found["detail"])
        refused = partitions_that_refuse(first, topic)
        tap.equal(cpus_of(named[1]) if named else set(), refused, f"{topic}: what is refused")
        tap.equal(named[2] if named else found["status"],
                  f"{replicas - 1} of {replicas} replicas in sync, min.insync.replicas={least} "
                  "(broker 3 down)" if refused else "ok", f"{topic}: and why")


def partitions_that_refuse(server, topic):
    senders = [subprocess.Popen(
        ["kcat", "-P", "-b", server, "-t", topic, "-p", str(partition), "-X", "acks=all",
         "-X", "message.timeout.ms=5000", __file__], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL) for partition in range(8)]
    return {partition for partition, sender in enumerate(senders) if sender.wait(60) != 0}


def main():
    tap = Tap()
    fresh_directory()
    with cluster("three", "--brokers", "3") as (_, servers, run):
        tap.run(topics_of_three_brokers, servers)
        tap.run(addresses_of_brokers, servers)
        tap.run(clocks, servers)
        tap.run(quotas, servers)
        tap.run(a_broker_that_dies, servers, run)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
