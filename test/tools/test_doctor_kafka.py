#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/doctor against real Kafka: three brokers, and a secured one (TLS, SASL, ACLs). TAP.

Build directory: $RINGTAP_BUILD (default: build/). Everything listens on the loopback only.
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import unittest.mock

from doctor_run import SOURCE, doctor, says
from tap import Tap

from lab import SECRETS, call, wait_for

BUILD = pathlib.Path(os.environ.get("RINGTAP_BUILD") or SOURCE / "build")
WORK = BUILD / "test-doctor"
BROKER, TOPIC = SOURCE / "tools" / "kafka-broker", SOURCE / "tools" / "kafka-topic"
PASSWORD = "not-a-secret-7"


@contextlib.contextmanager
def cluster(name, *options):
    """Within, a cluster runs: yields its directory and its addresses."""
    directory, log = WORK / name, WORK / f"{name}.log"
    with open(log, "wb") as out:
        # A broker that kept a pipe open would be waited for.
        def run(*words):
            subprocess.run([BROKER, *words, "--directory", directory], stdin=subprocess.DEVNULL,
                           stdout=out, stderr=out, timeout=180, check=True)
        run("stop")
        try:
            run("start", *options)
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
                                       for n, v in properties.items() if v is not None)]
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

def properties_of(directory, listener):
    """A client's properties at a listener of the secured broker."""
    client = directory / "cluster" / "client"
    text = (client / f"{listener}.properties").read_text()
    name, file = SECRETS[listener]
    return {**dict(line.split("=", 1) for line in text.splitlines()),
            name: {"file": str(client / file)}}


def add_listeners(directory, plain, six):
    """Gives the stopped broker one with PLAIN over TLS and one that it names by an IPv6 address."""
    path = directory / "cluster" / "broker-1" / "server.properties"
    properties = path.read_text()
    for name, value in (("listeners", f"PASS://127.0.0.1:{plain},SIX://127.0.0.1:{six}"),
                        ("advertised.listeners", f"PASS://127.0.0.1:{plain},SIX://[::1]:{six}"),
                        ("listener.security.protocol.map", "PASS:SASL_SSL,SIX:PLAINTEXT")):
        properties = re.sub(rf"^{re.escape(name)}=", f"{name}={value},", properties, flags=re.M)
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    path.write_text(properties + f"""
listener.name.pass.sasl.enabled.mechanisms=PLAIN
listener.name.pass.plain.sasl.jaas.config={module} required user_probe="{PASSWORD}";
""")


def make_stranger():
    """A certificate of another CA: its own."""
    call("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=stranger", "-keyout", WORK / "stranger.key", "-out", WORK / "stranger.pem")


def grant(servers, principal, operation):
    call(TOPIC, "--bootstrap", servers, "grant", "packets", "--principal", principal,
         "--operation", operation)


def by_password(tap, servers, good):
    code, checks = look("packets", good, "brokers", "topic", "acl")
    tap.equal(code, 1, "no rights: exit 1")
    says(tap, checks["brokers"], "ok", "SASL_SSL, PLAIN: 1 brokers, all reached")
    says(tap, checks["topic"], "warn", "no right to describe topic packets")
    says(tap, checks["acl"], "fail", "User:probe has no rights on topic packets",
         "--allow-principal User:probe --operation Write")
    grant(servers, "User:probe", "DESCRIBE")
    checks = look("packets", good, "topic", "acl")[1]
    says(tap, checks["acl"], "fail", "User:probe may not write to topic packets")
    says(tap, checks["topic"], "warn", "no right to read its configuration", "DescribeConfigs")
    for operation in ("WRITE", "DESCRIBE_CONFIGS"):
        grant(servers, "User:probe", operation)
    checks = look("packets", good, "topic", "acl")[1]
    says(tap, checks["acl"], "ok", "User:probe may write to topic packets")
    tap.ok("no right" not in checks["topic"]["detail"], "the topic's settings can be read")

    for change, *words in (
            ({"sasl.password": "wrong-7"}, "reached, no login",
             "user name or password is wrong"),
            ({"sasl.mechanisms": "SCRAM-SHA-256"}, "reached, no login", "SCRAM-SHA-256"),
            ({"ssl.ca.location": WORK / "stranger.pem"}, "its certificate"),
            ({"ssl.ca.location": "/nonexistent/ca.pem"},
             "ssl.ca.location /nonexistent/ca.pem: No such file")):
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


def by_certificate(tap, servers, good):
    who = "User:CN=ringtap,O=ringtap-lab"
    checks = look("packets", good, "brokers", "acl")[1]
    says(tap, checks["brokers"], "ok", "SSL: 1 brokers, all reached")
    says(tap, checks["acl"], "fail", f"{who} has no rights", f"--allow-principal {who} ")
    grant(servers, who, "WRITE")
    says(tap, look("packets", good, "acl")[1]["acl"], "ok", f"{who} may write to topic packets")

    names = ("ssl.certificate.location", "ssl.key.location", "ssl.key.password")
    stranger = dict(zip(names, (WORK / "stranger.pem", WORK / "stranger.key", ""), strict=True))
    for change, *words in (
            (stranger, "reached, no login by SSL: the broker refuses our certificate",
             "fix security.protocol and ssl.certificate.location"),
            (dict.fromkeys(names), "reached, no login by SSL: the broker refuses our"),
            ({"ssl.key.location": "/nonexistent/key.pem"},
             "ssl.key.location /nonexistent/key.pem: No such file"),
            ({"ssl.key.password": "wrong-7"}, f"ssl.key.location {good['ssl.key.location']}: ",
             "fix ssl.*")):
        checks = look("packets", {**good, **change}, "brokers")[1]
        says(tap, checks["brokers"], "fail", *words)


def by_scram(tap, servers, good):
    """Two builds: of a librdkafka that cannot, and of one that can."""
    grant(servers, "User:ringtap", "WRITE")
    for version, status, words in (("2.6.0", "fail", "librdkafka 2.6.0 cannot log in to Kafka 4"),
                                   ("2.6.1", "ok", "SASL_SSL, SCRAM-SHA-512: 1 brokers, all")):
        build = WORK / version
        (build / "kafka-secondary").mkdir(parents=True)
        (build / "capture-primary").symlink_to(BUILD / "capture-primary")
        secondary = build / "kafka-secondary" / "kafka-secondary"
        secondary.write_text(f"#!/bin/sh\necho librdkafka {version}\n")
        secondary.chmod(0o755)
        with unittest.mock.patch.dict(os.environ, {"RINGTAP_BUILD": str(build)}):
            checks = look("packets", good, "brokers", "acl")[1]
            says(tap, checks["brokers"], status, words)
            says(tap, checks["acl"], "ok", "User:ringtap may write to topic packets")
            checks = look("packets", {**good, "sasl.password": "wrong-7"}, "brokers")[1]
            says(tap, checks["brokers"], "fail", "SCRAM-SHA-512: user name or password is wrong",
                 "fix security.protocol and sasl.*")


class Forward(socketserver.BaseRequestHandler):
    """The same port of 127.0.0.1: the brokers do not listen on ::1."""

    def handle(self):
        with socket.create_connection(("127.0.0.1", self.server.server_address[1])) as broker:
            answers = threading.Thread(target=self.pump, args=(broker, self.request))
            answers.start()
            self.pump(self.request, broker)
            answers.join()

    @staticmethod
    def pump(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


def by_ipv6(tap, port):
    with Server(("::1", port), Forward) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        checks = look("packets", {"bootstrap.servers": f"[::1]:{port}"}, "brokers", "topic")[1]
        server.shutdown()
    says(tap, checks["brokers"], "ok", "PLAINTEXT: 1 brokers, all reached")
    says(tap, checks["topic"], "warn", "one replica")
    checks = look("packets", {"bootstrap.servers": f"[::1]:{port}"}, "brokers")[1]
    says(tap, checks["brokers"], "fail", f"[::1]:{port}: connection refused")


def secured_broker(tap, directory, servers, run):
    plain, six = free_port(), free_port()
    make_stranger()
    create(servers, "packets", 4, 1)
    run("stop", "--broker", "1")
    add_listeners(directory, plain, six)
    run("start", "--broker", "1")
    tap.run(by_password, servers, {
        "bootstrap.servers": f"127.0.0.1:{plain}", "security.protocol": "sasl_ssl",
        "ssl.ca.location": directory / "cluster" / "client" / "ca.pem",
        "sasl.mechanisms": "PLAIN", "sasl.username": "probe", "sasl.password": PASSWORD})
    tap.run(by_certificate, servers, properties_of(directory, "mtls"))
    tap.run(by_scram, servers, properties_of(directory, "scram"))
    tap.run(by_ipv6, six)


def main():
    tap = Tap()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    with cluster("three", "--brokers", "3") as (_, servers, run):
        tap.run(topics_of_three_brokers, servers)
        tap.run(addresses_of_brokers, servers)
        tap.run(a_broker_that_dies, servers, run)
    with cluster("secured", "--secured") as (directory, servers, run):
        tap.run(secured_broker, directory, servers, run)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
