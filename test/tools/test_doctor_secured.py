#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/doctor against a secured Kafka: TLS, SASL, ACLs, advertised addresses. TAP.

Build directory: $RINGTAP_BUILD (default: build/). Everything listens on the loopback only.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest.mock

from doctor_kafka import (BUILD, TOPIC, WORK, cluster, configuration, create, forwarded,
                          fresh_directory, look, ports_below_ephemeral)
from doctor_run import SOURCE, doctor, says
from machine import Machine
from tap import Tap

from lab import SECRETS, call

PASSWORD = "not-a-secret-7"


def properties_of(directory, listener):
    """A client's properties at a listener of the secured broker."""
    client = directory / "cluster" / "client"
    text = (client / f"{listener}.properties").read_text()
    name, file = SECRETS[listener]
    return {**dict(line.split("=", 1) for line in text.splitlines()),
            name: {"file": str(client / file)}}


# {listener: (protocol, address that it advertises, PORT its own and SIX that of SIX)}
LISTENERS = {
    "PASS": ("SASL_SSL", "127.0.0.1:PORT"),
    "SIX": ("PLAINTEXT", "[::1]:PORT"),
    "NAMELESS": ("PLAINTEXT", "nowhere.invalid:PORT"),
    "CLOSED": ("SSL", "127.0.0.1:1"),
    "BARE": ("SSL", "127.0.0.1:SIX"),
}


def add_listeners(directory):
    """Gives the stopped broker listeners; returns their ports by name."""
    path = directory / "cluster" / "broker-1" / "server.properties"
    ports = ports_below_ephemeral(LISTENERS)
    added = {"listeners": "", "advertised.listeners": "", "listener.security.protocol.map": ""}
    for name, (protocol, address) in LISTENERS.items():
        address = address.replace("PORT", str(ports[name])).replace("SIX", str(ports["SIX"]))
        added["listeners"] += f"{name}://127.0.0.1:{ports[name]},"
        added["advertised.listeners"] += f"{name}://{address},"
        added["listener.security.protocol.map"] += f"{name}:{protocol},"
    properties = path.read_text()
    for name, value in added.items():
        properties = re.sub(rf"^{re.escape(name)}=", f"{name}={value}", properties, flags=re.M)
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    path.write_text(properties + f"""
listener.name.pass.sasl.enabled.mechanisms=PLAIN
listener.name.pass.plain.sasl.jaas.config={module} required user_probe="{PASSWORD}";
""")
    return ports


def make_stranger():
    """A certificate of another CA: its own."""
    call("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=stranger", "-keyout", WORK / "stranger.key", "-out", WORK / "stranger.pem")


def grant(servers, principal, operation, topic="packets"):
    call(TOPIC, "--bootstrap", servers, "grant", topic, "--principal", principal,
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
    says(tap, look("packets", good, "quota")[1]["quota"], "warn", "User:probe may not read quotas",
         "--allow-principal User:probe --operation DescribeConfigs --cluster")
    create(servers, "stamped", 1, 1, "message.timestamp.type=CreateTime")
    for operation in ("DESCRIBE", "DESCRIBE_CONFIGS"):
        grant(servers, "User:probe", operation, "stamped")
    with Machine() as machine:
        machine.checked(device="net_null0", topic="stamped")
        machine.write("adjtimex", "64 16000000")
        checks = doctor("--root", machine.root, "-c", configuration("stamped", good),
                        "--only", "topic")[1]
    says(tap, checks["topic"], "warn", "Kafka's cannot be read: the cluster may not be described")

    for change, *words in (
            ({"sasl.password": "wrong-7"}, "reached, no login",
             "user name or password is wrong"),
            ({"sasl.mechanisms": "SCRAM-SHA-256"}, "reached, no login", "SCRAM-SHA-256: the broker "
             "offers PLAIN"),
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
    says(tap, checks["brokers"], "fail", "the broker ended the connection, as with a wrong "
         "security.protocol", "fix ")
    checks = look("packets", {"bootstrap.servers": servers, "security.protocol": "sasl_plaintext",
                              "sasl.mechanisms": "PLAIN"}, "brokers")[1]
    says(tap, checks["brokers"], "fail", "reached, no login", "the broker offers no SASL")
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

    other_places(tap, dict(good))
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


def other_places(tap, good):
    """The same certificate, key and CA by librdkafka's other properties."""
    certificate, key = (good.pop(f"ssl.{name}.location") for name in ("certificate", "key"))
    keystore, ca = WORK / "keystore.p12", WORK / "ca"
    call("openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-out", keystore,
         "-passin", f"file:{good['ssl.key.password']['file']}", "-passout", f"pass:{PASSWORD}")
    ca.mkdir()
    shutil.copy(good["ssl.ca.location"], ca)
    call("openssl", "rehash", ca)
    store = {"ssl.keystore.location": keystore, "ssl.keystore.password": PASSWORD}
    for given in ({"ssl.certificate.pem": {"file": certificate}, "ssl.key.pem": {"file": key}},
                  store, {**store, "ssl.ca.location": ca}):
        checks = look("packets", {**good, **given}, "brokers", "acl")[1]
        says(tap, checks["brokers"], "ok", "SSL: 1 brokers, all reached")
        says(tap, checks["acl"], "ok", "User:CN=ringtap,O=ringtap-lab may write")
    checks = look("packets", {**good, **store, "ssl.keystore.password": "wrong"}, "brokers")[1]
    says(tap, checks["brokers"], "fail", f"ssl.keystore.location {keystore}: Mac verify error")


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


def by_ipv6(tap, port):
    with forwarded(port):
        checks = look("packets", {"bootstrap.servers": f"[::1]:{port}"}, "brokers", "topic")[1]
    says(tap, checks["brokers"], "ok", "PLAINTEXT: 1 brokers, all reached")
    says(tap, checks["topic"], "warn", "one replica")
    checks = look("packets", {"bootstrap.servers": f"[::1]:{port}"}, "brokers")[1]
    says(tap, checks["brokers"], "fail", f"[::1]:{port}: connection refused")


def advertised_addresses(tap, ports, ca):
    """The bootstrap server answers; what it advertises is of no use, each for a reason."""
    tls = {"security.protocol": "ssl", "ssl.ca.location": ca}
    for name, properties, *words in (
            ("NAMELESS", {}, f"nowhere.invalid:{ports['NAMELESS']}: unknown host name; it leads 4 "
             "of 4 partitions", "make nowhere.invalid resolve here (DNS, /etc/hosts)"),
            ("CLOSED", tls, "127.0.0.1:1: connection refused; it leads 4 of 4 partitions",
             "start it, or open the firewall for this address"),
            ("BARE", tls, f"127.0.0.1:{ports['SIX']}: no TLS: ", "its certificate and ssl.*")):
        checks = look("packets", {"bootstrap.servers": f"127.0.0.1:{ports[name]}", **properties},
                      "brokers", "topic", "acl")[1]
        says(tap, checks["brokers"], "fail", f"broker 1 at its advertised address {words[0]}",
             "-> fix advertised.listeners of broker 1, or ", *words[1:])
        tap.ok(("TLS" in checks["brokers"]["detail"]) == (name == "BARE"),
               f"{name}: TLS is named only where it is the cause", checks["brokers"])
        says(tap, checks["acl"], "ok", "User:ANONYMOUS may write to topic packets")


OTHER_PYTHON = """\
import ssl
plain = ssl.create_default_context
def strict(*args, **how):
    context = plain(*args, **how)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context
ssl.create_default_context = strict
"""


def other_pythons(tap, good):
    """Python 3.13 is strict with a CA; a kafka-python of any version, or none, is installed."""
    site = WORK / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(OTHER_PYTHON)
    (site / "kafka.py").write_text("raise ImportError('of a version that is not known')\n")
    with unittest.mock.patch.dict(os.environ, {"PYTHONPATH": str(site)}):
        checks = look("packets", good, "brokers", "topic", "acl")[1]
    says(tap, checks["brokers"], "ok", "SASL_SSL, PLAIN: 1 brokers, all reached")
    says(tap, checks["topic"], "warn", "one replica")
    says(tap, checks["acl"], "ok", "User:probe may write to topic packets")


def secured_broker(tap, directory, servers, run):
    ca = directory / "cluster" / "client" / "ca.pem"
    make_stranger()
    create(servers, "packets", 4, 1)
    run("stop", "--broker", "1")
    ports = add_listeners(directory)
    run("start", "--broker", "1")
    by_name = {
        "bootstrap.servers": f"127.0.0.1:{ports['PASS']}", "security.protocol": "sasl_ssl",
        "ssl.ca.location": ca, "sasl.mechanisms": "PLAIN", "sasl.username": "probe",
        "sasl.password": PASSWORD}
    tap.run(by_password, servers, by_name)
    tap.run(other_pythons, by_name)
    tap.run(by_certificate, servers, properties_of(directory, "mtls"))
    tap.run(by_scram, servers, properties_of(directory, "scram"))
    tap.run(by_ipv6, ports["SIX"])
    tap.run(advertised_addresses, ports, ca)


def main():
    tap = Tap()
    fresh_directory()
    with cluster("secured", "--secured") as (directory, servers, run):
        tap.run(secured_broker, directory, servers, run)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
