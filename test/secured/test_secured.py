#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Capture into a secured Kafka: TLS, client certificates, SCRAM, Kerberos, ACLs, secrets, no root.

    test_secured.py [PART...]    denied encrypted renewed refused secrets files; default all

Prints TAP. One broker and one primary for all parts, each part with secondaries of its own.
"""

import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from tap import Tap, ends_in_good_order, same_frames
from lab import Lab, call, compare, read_pcap, start_time, wait_for

USER = "nobody"  # what the workers become
GROUP = "daemon"  # who may read the counters
PRINCIPALS = {"mtls": "User:CN=ringtap,O=ringtap-lab", "scram": "User:ringtap",
              "gssapi": "User:ringtap"}
TICKET_S = 20  # as tools/dev/kafka-broker/realm.py has it
QUIET_S = 8  # longer than a worker that crashes in a loop needs to be seen: it starts every 5 s
COUNT = 1000
RATE = 2000


class Secured:
    """The laboratory, and what all parts do with it."""

    def __init__(self, lab):
        self.lab = lab
        self.sent = 0  # frames in all
        self.logs = []

    def configure(self, security, topic=None, **overrides):
        kafka = {**self.lab.kafka_properties(security, USER), **overrides.pop("properties", {})}
        self.lab.write_config({
            "topic": topic or f"pcap-{security}", "run-as": USER, "group": GROUP,
            "drain-timeout-s": 3, "kafka": {"global": kafka}, **overrides})

    def traffic(self, count=COUNT):
        sender = self.lab.traffic(count, RATE, seed=self.sent + 1)
        self.sent += sender.count
        return sender

    def wait_delivered(self, timeout=60):
        return self.lab.wait_delivered(self.sent, timeout)

    def workers(self, secondary):
        return sorted(self.lab.workers(secondary))

    def values(self, topic=None):
        return [record.value for record in self.lab.read_topic(topic)]


def lines(program, pattern):
    return re.findall(pattern, program.log(), re.M)


def no_write(principal, topic):
    """What a worker says who may not write; the remedy is in it."""
    return (rf"{re.escape(principal)} has no WRITE on topic {topic}.*--add --allow-principal "
            rf"'{re.escape(principal)}' --operation Write --topic {topic}$")


ENDED = r"worker \d+ \(pid \d+\) (?:was )?ended"


# ---- ACLs ----------------------------------------------------------------------------------------

def denied(tap, s):
    """Before anything is granted to User:ringtap: WRITE on any topic would allow InitProducerId."""
    for order in ("strict", "relaxed"):
        denied_in_order(tap, s, order)


def denied_in_order(tap, s, order):
    topic, user = f"pcap-denied-{order}", PRINCIPALS["gssapi"]
    s.lab.create_topic(4, topic)
    s.configure("gssapi", topic, order=order)
    secondary = s.lab.start_secondary(workers=1)
    said = secondary.wait_log(no_write(user, topic))
    tap.ok(said, f"{order}: the line names principal, topic, operation and remedy")
    first = s.traffic()
    # The broker shows the topic now, but still takes nothing.
    s.lab.grant(user, "DESCRIBE")
    secondary.wait_log(no_write(user, topic), count=2)
    time.sleep(QUIET_S)
    tap.equal(len(lines(secondary, no_write(user, topic))), 2,
              f"{order}: it is said once for each state, not with every attempt")
    tap.equal(lines(secondary, ENDED), [], f"{order}: the worker waits, it does not end")
    (pid,) = [w["pid"] for w in s.lab.stats()["workers"] if w["state"] in ("serving", "starting")]
    second = s.traffic()
    rx = s.lab.stats()["balance"]["rx"]
    tap.equal((rx["out"], rx["drops"]), (s.sent, 0), f"{order}: the capture goes on")
    s.lab.grant(user)
    s.wait_delivered()
    tap.equal(s.workers(secondary), [pid], f"{order}: once it is granted, the same worker delivers")
    difference = compare([*first.frames(), *second.frames()], s.values())
    same_frames(tap, difference, f", {order}: all that waited")
    tap.none(difference.duplicates, f"{order}: nothing is sent twice")

    s.lab.revoke(user)
    third = s.traffic()
    secondary.wait_log(no_write(user, topic), count=3)
    tap.ok(True, f"{order}: a revoked ACL is said, too")
    s.lab.grant(user)
    s.wait_delivered()
    frames = [*first.frames(), *second.frames(), *third.frames()]
    same_frames(tap, compare(frames, s.values()), f", {order}: an ACL revoked and granted again")
    tap.ok(len(lines(secondary, ENDED)) <= 1, f"{order}: at most one worker for it",
           lines(secondary, ENDED))
    tap.equal(s.lab.stop_secondary(secondary), 0, f"{order}: it ends in good order")
    for operation in ("WRITE", "DESCRIBE"):
        s.lab.revoke(user, operation)


# ---- encryption and identity ---------------------------------------------------------------------

def status_of(pid):
    """{field: value} of each thread of a process."""
    return [dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines()
                 if ":\t" in line) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]


def talks_to(port):
    """Pids of processes with a connection to a port of the loopback."""
    text = call("ss", "-tnpH", "dport", "=", f":{port}")
    return {int(pid) for pid in re.findall(r"pid=(\d+)", text)}


def scram(tap, s):
    """SCRAM over TLS. librdkafka before 2.6.1 sends its nonce twice, which Kafka 4.0 and later
    refuse: those are asked for the line that says so, Kafka 3.9 for the packets."""
    version = call(s.lab.program("kafka-secondary", "kafka-secondary"), "--version")
    numbers = re.search(r"^librdkafka (\d+)\.(\d+)\.(\d+)", version, re.M).groups()
    if tuple(map(int, numbers)) >= (2, 6, 1):
        encrypted_by(tap, s, "scram")
        return
    s.configure("scram")
    secondary = s.lab.start_secondary(workers=1)
    tap.ok(secondary.wait_log(r"no broker reachable.*librdkafka 2\.6\.1"),
           "scram: an old librdkafka at a new Kafka is told of")
    tap.equal(s.lab.stop_secondary(secondary), 0, "scram: the one that cannot ends in good order")
    s.lab.stop_broker()
    s.lab.start_broker(secured=True, kafka="3.9.1")
    encrypted_by(tap, s, "scram")


def encrypted(tap, s):
    """Each listener takes all packets from workers that are not root."""
    for security in ("tls", "mtls", "gssapi"):
        encrypted_by(tap, s, security)


def encrypted_by(tap, s, security):
    topic, principal = f"pcap-{security}", PRINCIPALS.get(security)
    s.lab.create_topic(4, topic)
    s.configure(security)
    secondary = s.lab.start_secondary(workers=2)
    if security == "mtls":
        tap.ok(secondary.wait_log(no_write(principal, topic)),
               "mtls: the subject of the certificate is the principal")
    if principal:
        s.lab.grant(principal)
    sent = s.traffic()
    s.wait_delivered()
    workers = s.workers(secondary)
    port = s.lab.kafka_properties(security, USER)["bootstrap.servers"].split(":")[1]
    tap.equal(sorted(talks_to(port) & {*workers, secondary.pid}), workers,
              f"{security}: the workers alone speak with Kafka")
    tap.none([t for pid in workers for t in status_of(pid)
              if set(t["Uid"].split()) != {"65534"} or int(t["CapEff"], 16)
              or "0" in t["Groups"].split() or "0" in t["Gid"].split()],
             f"{security}: no thread of theirs is root")
    tap.equal(s.lab.stop_secondary(secondary), 0, f"{security}: it ends in good order")
    same_frames(tap, compare(sent.frames(), s.values()), f", {security}")
    tap.none(lines(secondary, r"set `run-as`"), f"{security}: nothing to warn of")
    if principal:
        s.lab.grant(principal, "READ")
    path = s.lab.directory / f"{security}.pcap"
    subprocess.run([s.lab.program("tools", "kafka-to-pcap", "kafka-to-pcap"), "-c",
                    s.lab.config_path, "-w", path], env={**os.environ, **s.lab.secondary_env},
                   stderr=subprocess.DEVNULL, timeout=60, check=True)
    same_frames(tap, compare(sent.frames(), (frame for _, frame in read_pcap(path))),
                f", {security}: read back by kafka-to-pcap with the same file")


# ---- Kerberos ------------------------------------------------------------------------------------

def tickets(s):
    """When the KDC gave the client a ticket, in seconds since the epoch."""
    log = (s.lab.broker_directory / "logs" / "kdc.log").read_text()
    return [int(t) for t in re.findall(
        r"AS_REQ .* ISSUE: authtime (\d+), .* ringtap@RINGTAP.LAB for krbtgt", log)]


def renewed(tap, s):
    """A run longer than a ticket: new connections need a new one."""
    topic = "pcap-renewed"
    s.lab.create_topic(4, topic)
    s.configure("gssapi", topic)
    s.lab.grant(PRINCIPALS["gssapi"])
    before = len(tickets(s))
    secondary = s.lab.start_secondary(workers=1)
    first = s.traffic()
    s.wait_delivered()
    workers = s.workers(secondary)
    last_of_start = tickets(s)[-1]
    wait_for(lambda: time.time() > last_of_start + TICKET_S + 3, "end of the first ticket", 60)
    # Connections stay open whatever becomes of the ticket: break them.
    s.lab.stop_one_broker()
    s.lab.start_one_broker()
    second = s.traffic()
    s.wait_delivered()
    tap.equal(s.workers(secondary), workers, "the worker goes on with a later ticket")
    tap.ok(len(tickets(s)) - before >= 3, "the KDC was asked again and again", tickets(s))
    tap.equal(s.lab.stop_secondary(secondary), 0, "gssapi, renewed: it ends in good order")
    same_frames(tap, compare([*first.frames(), *second.frames()], s.values()),
                ", a run longer than a ticket")


# ---- what is refused -----------------------------------------------------------------------------

def refused(tap, s):
    """A client that does not get in says why, and not with what."""
    cases = {
        "a wrong password": ("scram", {"sasl.password": "wrong-canary"}, r"no broker reachable.*"
                             r"[Aa]uthentication failed"),
        "another CA": ("tls", {"ssl.ca.location": None}, r"no broker reachable.*certificate"),
        "no certificate": ("mtls", {"ssl.certificate.location": None, "ssl.key.location": None,
                                    "ssl.key.password": None}, r"no broker reachable.*"),
    }
    for name, (security, properties, said) in cases.items():
        s.configure(security, "pcap-tls", properties=properties)
        secondary = s.lab.start_secondary(workers=1)
        line = secondary.wait_log(said, 20)
        tap.note(line[0])
        tap.ok(line, f"{name}: it is said why no broker is reachable")
        tap.equal(lines(secondary, r"wrong-canary"), [], f"{name}: without the password")
        tap.equal(lines(secondary, ENDED), [], f"{name}: the worker waits")
        tap.equal(s.lab.stop_secondary(secondary), 0, f"{name}: it ends in good order")


# ---- secrets -------------------------------------------------------------------------------------

def places_with(secret, pids):
    """Where a secret is to be seen: command lines of all, environment of `pids`."""
    found = []
    for path in [*pathlib.Path("/proc").glob("[0-9]*/cmdline"),
                 *(pathlib.Path(f"/proc/{pid}/environ") for pid in pids)]:
        try:
            if secret.encode() in path.read_bytes():
                found.append(str(path))
        except OSError:
            pass  # it has ended
    return found


def dump_core(pid, directory):
    """Has a process end by SIGQUIT, which dumps core where one may; returns the core files."""
    os.kill(pid, signal.SIGABRT)
    wait_for(lambda: start_time(pid) is None, "end of the process", 10)
    return [str(path) for path in directory.glob("core*")]


def secrets(tap, s):
    """A password from the environment, with everything logged that can be, is nowhere."""
    client = s.lab.broker_directory / "cluster" / "client"
    canary = (client / "key.password").read_text().strip()
    s.configure("mtls", **{
        "log-level": "debug",
        "properties": {"ssl.key.password": {"env": "CANARY"}, "debug": "broker,security,conf"}})
    s.lab.secondary_env["CANARY"] = canary
    cwd, limits = os.getcwd(), resource.getrlimit(resource.RLIMIT_CORE)
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        os.chdir(directory)
        resource.setrlimit(resource.RLIMIT_CORE, (limits[1], limits[1]))
        try:
            look_for(tap, s, canary, pathlib.Path(directory))
        finally:
            os.chdir(cwd)
            resource.setrlimit(resource.RLIMIT_CORE, limits)
    s.lab.secondary_env.clear()


def look_for(tap, s, canary, directory):
    check = subprocess.run(
        [s.lab.program("kafka-secondary", "kafka-secondary"), "-c", s.lab.config_path, "--check"],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "CANARY": canary})
    tap.equal(check.returncode, 0, "--check takes the configuration")
    tap.ok(canary not in check.stdout + check.stderr, "--check does not show the secret",
           check.stdout)
    tap.ok('env: "CANARY"' in check.stdout, "--check shows where it stands", check.stdout)
    secondary = s.lab.start_secondary(workers=2)
    sent = s.traffic()
    s.wait_delivered()
    tap.ok(sent.count == COUNT, "the secret opens the door")
    pids = [secondary.pid, *s.workers(secondary)]
    tap.equal(places_with(canary, pids), [], "the secret is in no command line and environment")
    tap.ok(canary not in call("ps", "axeww"), "ps does not show it")
    tap.none([path for pid in pids for path in ("environ", "maps", "mem")
              if subprocess.run(["setpriv", f"--reuid={USER}", "--clear-groups", "head", "-c1",
                                 f"/proc/{pid}/{path}"], capture_output=True,
                                check=False).returncode == 0],
             "its user cannot look into a worker")
    with subprocess.Popen(["sleep", "100"]) as control:
        tap.note(f"core files of a process without secrets: {dump_core(control.pid, directory)}")
    for path in directory.glob("core*"):
        path.unlink()
    tap.equal([dump_core(pid, directory) for pid in (pids[1], pids[0])], [[], []],
              "neither worker nor supervisor leaves a core")
    secondary.wait(10)
    s.lab.secondaries.remove(secondary)
    wait_for(lambda: not s.workers(secondary), "end of the workers", 20)
    logs = [path for where in (s.lab.logs, s.lab.broker_directory / "logs")
            for path in where.iterdir()]
    tap.none([str(path) for path in logs if canary.encode() in path.read_bytes()],
             "the secret is in no log")


# ---- files ---------------------------------------------------------------------------------------

def files(tap, s):
    """Files of the instance are closed to others; its group reads the counters."""
    root = s.lab.instance_directory
    modes = {str(path.relative_to(root)): oct(path.lstat().st_mode & 0o7777)
             for path in root.rglob("*") if path.is_file()}
    tap.none([f"{name} {mode}" for name, mode in modes.items() if int(mode, 8) & 0o137],
             "every file is 0640 at most")
    tap.equal(oct(root.stat().st_mode & 0o7777), "0o750", "the directory is 0750")
    tool = s.lab.program("stats-tool", "stats-tool")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        copy = pathlib.Path(directory) / "stats-tool"
        copy.write_bytes(tool.read_bytes())
        copy.chmod(0o755)
        how = ["setpriv", f"--reuid={USER}", "--clear-groups"]
        for group, wanted in ((GROUP, True), ("nogroup", False)):
            done = subprocess.run([*how, f"--regid={group}", copy, "-i", s.lab.name, "--json"],
                                  capture_output=True, check=False)
            tap.equal(done.returncode == 0, wanted, f"group {group} reads the counters: {wanted}")


def versions(tap, s):
    text = call(s.lab.program("kafka-secondary", "kafka-secondary"), "--version")
    tap.ok(re.fullmatch(r"kafka-secondary \S+\nDPDK \S+\nlibrdkafka \S+\nbuiltin\.features "
                        r"\S*ssl\S*sasl_gssapi\S*sasl_scram\S*\n", text),
           "--version names DPDK, librdkafka and its features", text)


PARTS = {part.__name__: part for part in
         (denied, encrypted, renewed, refused, secrets, files, versions, scram)}


def main():
    tap = Tap()
    chosen = sys.argv[1:] or PARTS
    with Lab("rtsecured") as lab:
        lab.start_broker(secured=True)
        s = Secured(lab)
        s.configure("tls")
        primary = lab.start_primary()
        for name in chosen:
            began = time.monotonic()
            tap.run(PARTS[name], s)
            for secondary in list(lab.secondaries):  # of a part that broke off
                lab.stop_secondary(secondary)
            tap.note(f"{name}: {time.monotonic() - began:.1f} s")
        ends_in_good_order(tap, primary, {"capture-primary": lab.stop_primary()})
        tap.equal(lab.check()[0], 0, "the counters agree")
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
