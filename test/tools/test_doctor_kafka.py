#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/doctor against real Kafka: three brokers, and one with TLS, SASL and ACLs. TAP.

Build directory: $RINGTAP_BUILD (default: build/). Everything listens on the loopback only.
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys

from doctor_run import SOURCE, doctor, says
from tap import Tap

from lab import call, wait_for

BUILD = pathlib.Path(os.environ.get("RINGTAP_BUILD") or SOURCE / "build")
WORK = BUILD / "test-doctor"
BROKER, TOPIC = SOURCE / "tools" / "kafka-broker", SOURCE / "tools" / "kafka-topic"
PASSWORD = "not-a-secret-7"


@contextlib.contextmanager
def cluster(name, brokers):
    """Within, a cluster runs: yields its directory and its addresses."""
    directory, log = WORK / name, WORK / f"{name}.log"
    with open(log, "wb") as out:
        # A broker that kept a pipe open would be waited for.
        def run(*words):
            subprocess.run([BROKER, *words, "--directory", directory], stdin=subprocess.DEVNULL,
                           stdout=out, stderr=out, timeout=180, check=True)
        run("stop")
        try:
            run("start", "--brokers", str(brokers))
            servers = re.findall(r"^bootstrap\.servers=(.*)$", log.read_text(), re.M)[-1]
            yield directory, servers, run
        finally:
            run("stop")


def create(servers, name, partitions, replicas, *settings):
    call(TOPIC, "--bootstrap", servers, "create", name, "--partitions", partitions,
         "--replication", replicas, *[word for s in settings for word in ("--config", s)])


def configuration(topic, properties, **keys):
    """Writes a configuration with a virtual device; returns its path."""
    path = WORK / "ringtap.yaml"
    lines = ["devices: [net_null0]", f"topic: {topic}"]
    lines += [f"{key.replace('_', '-')}: {value}" for key, value in keys.items()]
    lines += ["kafka:", "  global:", *(f"    {n}: {v}" if isinstance(v, dict) else f'    {n}: "{v}"'
                                       for n, v in properties.items())]
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


def look(topic, properties, *names, **keys):
    only = [word for name in names for word in ("--only", name)]
    return doctor("-c", configuration(topic, properties, **keys), *only)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---- three brokers -------------------------------------------------------------------------------

def topics_of_three_brokers(tap, servers):
    good = {"bootstrap.servers": servers}
    create(servers, "good", 8, 3, "min.insync.replicas=2")
    create(servers, "few", 2, 3, "min.insync.replicas=2")
    create(servers, "alone", 8, 1)
    create(servers, "one-word", 8, 3, "min.insync.replicas=1")
    create(servers, "all-words", 8, 3, "min.insync.replicas=3")
    create(servers, "never", 8, 2, "min.insync.replicas=3")
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
            ("never", "fail", "nothing can be written", "min.insync.replicas=1"),
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
    says(tap, checks["brokers"], "fail", "nowhere.invalid:9092: nobody knows this name")
    code, checks = look("good", {"metadata.broker.list": dead}, "brokers", "topic", "acl")
    says(tap, checks["brokers"], "fail", f"{dead}: connection refused")
    says(tap, checks["topic"], "warn", "not looked at", "--only brokers")
    says(tap, checks["acl"], "warn", "not looked at", "--only brokers")
    tap.equal(code, 1, "no broker: exit 1")
    checks = look("good", {"bootstrap.servers": servers, "security.protocol": "ssl"}, "brokers")[1]
    says(tap, checks["brokers"], "fail", "no TLS")
    checks = look("good", {"bootstrap.servers": servers, "security.protocol": "sasl_plaintext",
                           "sasl.mechanisms": "OAUTHBEARER"}, "brokers")[1]
    says(tap, checks["brokers"], "warn", "logging in by OAUTHBEARER is not tried")


def a_broker_that_dies(tap, servers, run):
    """The metadata name it for some seconds after its death; then its partitions are leaderless."""
    first = servers.split(",")[0]
    run("stop", "--broker", "3", "--kill")
    checks = look("good", {"bootstrap.servers": first}, "brokers")[1]
    says(tap, checks["brokers"], "fail", "the cluster names a broker that cannot be reached")

    def leaderless():
        found = look("alone", {"bootstrap.servers": first}, "topic")[1]["topic"]
        return found if found["status"] == "fail" else None
    says(tap, wait_for(leaderless, "partition without a leader", 30), "fail",
         "of 8 partitions have no leader", "start the missing brokers")
    checks = look("all-words", {"bootstrap.servers": first}, "topic")[1]
    says(tap, checks["topic"], "fail", "2 replicas in sync, min.insync.replicas=3",
         "start the missing brokers")


# ---- TLS, SASL and ACLs --------------------------------------------------------------------------

def make_certificates(directory):
    """A CA, a broker's key and certificate in one PEM file, and a CA of somebody else."""
    def openssl(*words):
        call("openssl", *words)
    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                f"/CN={name}", "-keyout", directory / f"{name}.key", "-out",
                directory / f"{name}.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker", "-keyout",
            directory / "broker.key", "-out", directory / "broker.csr")
    (directory / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-days", "2", "-in", directory / "broker.csr", "-CA",
            directory / "ca.pem", "-CAkey", directory / "ca.key", "-CAcreateserial", "-extfile",
            directory / "san", "-out", directory / "broker.crt")
    (directory / "broker.pem").write_text((directory / "broker.key").read_text()
                                          + (directory / "broker.crt").read_text())


def secure(directory, port):
    """Gives the stopped broker a listener with TLS and SASL, and an authorizer."""
    path = directory / "cluster" / "broker-1" / "server.properties"
    properties = path.read_text()
    for name, value in (("listeners", f"SECURE://127.0.0.1:{port}"),
                        ("advertised.listeners", f"SECURE://127.0.0.1:{port}"),
                        ("listener.security.protocol.map", "SECURE:SASL_SSL")):
        properties = re.sub(rf"^{re.escape(name)}=", f"{name}={value},", properties, flags=re.M)
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    path.write_text(properties + f"""
listener.name.secure.sasl.enabled.mechanisms=PLAIN
listener.name.secure.plain.sasl.jaas.config={module} required user_probe="{PASSWORD}";
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={WORK / "broker.pem"}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
""")


def allow(servers, *operations):
    """Grants the probe operations on the topic, as the cluster's administrator."""
    from kafka import KafkaAdminClient
    from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_acls([ACL("User:probe", "*", ACLOperation[name], ACLPermissionType.ALLOW,
                           ResourcePattern(ResourceType.TOPIC, "packets")) for name in operations])
    admin.close()


def secured_broker(tap, directory, servers, run):
    port = free_port()
    make_certificates(WORK)
    create(servers, "packets", 4, 1)
    run("stop", "--broker", "1")
    secure(directory, port)
    run("start", "--broker", "1")
    good = {"bootstrap.servers": f"127.0.0.1:{port}", "security.protocol": "sasl_ssl",
            "ssl.ca.location": WORK / "ca.pem", "sasl.mechanisms": "PLAIN",
            "sasl.username": "probe", "sasl.password": PASSWORD}

    code, checks = look("packets", good, "brokers", "topic", "acl")
    tap.equal(code, 1, "no rights: exit 1")
    says(tap, checks["brokers"], "ok", "SASL_SSL, PLAIN: 1 brokers, all reached")
    says(tap, checks["topic"], "warn", "packets may not be looked at")
    says(tap, checks["acl"], "fail", "User:probe has no rights on topic packets",
         "--allow-principal User:probe --operation Write")
    allow(servers, "DESCRIBE")
    checks = look("packets", good, "topic", "acl")[1]
    says(tap, checks["acl"], "fail", "User:probe may not write to topic packets")
    says(tap, checks["topic"], "warn", "its configuration may not be read", "DescribeConfigs")
    allow(servers, "WRITE", "DESCRIBE_CONFIGS")
    checks = look("packets", good, "topic", "acl")[1]
    says(tap, checks["acl"], "ok", "User:probe may write to topic packets")
    tap.ok("may not be read" not in checks["topic"]["detail"], "the topic's settings can be read")

    for change, *words in (
            ({"sasl.password": "wrong-7"}, "reached, no login",
             "user name or password is wrong"),
            ({"sasl.mechanisms": "SCRAM-SHA-256"}, "reached, no login", "SCRAM-SHA-256"),
            ({"ssl.ca.location": WORK / "other.pem"}, "its certificate"),
            ({"ssl.ca.location": "/nonexistent/ca.pem"}, "TLS files", "No such file")):
        checks = look("packets", {**good, **change}, "brokers")[1]
        says(tap, checks["brokers"], "fail", *words)
    secret = WORK / "password"
    secret.write_text(PASSWORD + "\n")
    checks = look("packets", {**good, "sasl.password": {"file": str(secret)}}, "brokers")[1]
    says(tap, checks["brokers"], "ok", "all reached")
    checks = look("packets", {**good, "security.protocol": "sasl_plaintext"}, "brokers")[1]
    says(tap, checks["brokers"], "fail", "reached, no login")
    text = subprocess.run(["tools/doctor", "-c", configuration("packets", good)], cwd=SOURCE,
                          capture_output=True, text=True, timeout=120, check=False)
    tap.ok(PASSWORD not in text.stdout + text.stderr, "the password is not in what it says")


def main():
    tap = Tap()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    with cluster("three", 3) as (_, servers, run):
        tap.run(topics_of_three_brokers, servers)
        tap.run(addresses_of_brokers, servers)
        tap.run(a_broker_that_dies, servers, run)
    with cluster("secured", 1) as (directory, servers, run):
        tap.run(secured_broker, directory, servers, run)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
