# SPDX-License-Identifier: BSD-3-Clause
"""Run a real Apache Kafka on the loopback: start, stop, status."""

import argparse
import contextlib
import pathlib
import re
import shutil
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lab import TOOLS, Arguments, LabError, positive

from cluster import BrokerFailed, Cluster
from directory_lock import locked
from jars import JAVA_BIN, KAFKA_HOME, Jars
from make_cluster import make_cluster

COMMANDS = ("start", "stop", "status")
START_TIMEOUT_S = 90
ANSWER_TIMEOUT_S = 10  # of a cluster that runs already; then it counts as hung
LOCK_TIMEOUT_S = 300
TRIES = 3
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PROGRAMS = (JAVA_BIN / "java", "mvn", "kcat", "ss")
SECURED_PROGRAMS = ("openssl", "krb5kdc", "kadmin.local")
USAGE = """\
Usage: tools/kafka-broker start [--brokers N | --secured] [--kafka V] [--port P]
                          [--directory DIR]
       tools/kafka-broker stop [--directory DIR]
       tools/kafka-broker status [--directory DIR]
       tools/kafka-broker stop --broker I [--kill] [--directory DIR]
       tools/kafka-broker start --broker I [--directory DIR]

Runs a real Apache Kafka (KRaft) that listens on 127.0.0.1 only. Its jars are fetched once
with Maven into build/kafka/jars.

start   starts an empty cluster, waits until it is ready and prints one line,
        bootstrap.servers=127.0.0.1:PORT[,...], on standard output; if one is running
        already, prints the same line. First removes what an interrupted run left.
stop    ends what start started and removes its data; the logs stay in DIR/logs.
status  prints pids and ports; exit 0 when all brokers run, 1 otherwise.

  --brokers N      number of brokers (default 1)
  --secured        one broker with ACLs that also listens with TLS, TLS with client
                   certificates, SASL/SCRAM and SASL/GSSAPI, the last with a Kerberos realm
                   of its own. DIR/cluster/client has what clients need: properties of
                   librdkafka for each, certificates, passwords, keytab, krb5.conf.
                   Unauthenticated clients, User:ANONYMOUS, have all rights.
  --kafka V        a version of Kafka other than the tools' own, such as 3.9.1
  --port P         ports P, P+1, ... (default: the first free ones from 9092 on)
  --directory DIR  where data and logs go (default build/kafka)
  --broker I       one broker, 1 to N, of the running cluster; it keeps its data.
                   A majority must run for the cluster to answer.
  --kill           end it with SIGKILL instead of SIGTERM
"""


def say(text):
    print(f"kafka-broker: {text}", file=sys.stderr, flush=True)


# ---- options -------------------------------------------------------------------------------------

def version(text):
    if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", text):
        raise argparse.ArgumentTypeError("takes a version")
    return text


def directory(text):
    if not text:  # would be the current directory
        raise argparse.ArgumentTypeError("takes a directory")
    return pathlib.Path(text).resolve()


def parse_options():
    """Returns the command and its options."""
    parser = Arguments("kafka-broker", USAGE)
    for name in ("--brokers", "--port", "--broker"):
        parser.add_argument(name, type=positive(5))
    parser.add_argument("--kafka", type=version)
    parser.add_argument("--directory", type=directory, default=KAFKA_HOME)
    for name in ("--kill", "--secured"):
        parser.add_argument(name, action="store_true")
    options, words = parser.parse(COMMANDS)
    if len(words) != 1:
        parser.error("one command at a time" if words else "which command?")
    for wrong, message in refusals(words[0], options):
        if wrong:
            parser.error(message)
    return words[0], options


def refusals(command, options):
    """What does not go together: (whether it is the case, message)."""
    one, cluster_options = options.broker, options.brokers or options.port
    start_all = command == "start" and not one
    return (
        (cluster_options and command != "start", "--brokers and --port belong to start"),
        (options.kafka and not start_all, "--kafka belongs to start"),
        (options.secured and not (start_all and options.brokers in (None, 1)),
         "--secured belongs to start, with one broker"),
        (one and command == "status", "--broker belongs to start and stop"),
        (one and cluster_options, "--broker goes without --brokers and --port"),
        (options.kill and not (command == "stop" and one), "--kill belongs to stop --broker"),
        ("," in str(options.directory), "Kafka takes no directory with a comma in its name"),
    )


# ---- commands ------------------------------------------------------------------------------------

def prepare_machine(options, jars):
    if subprocess.run([TOOLS / "setup", "--check"], stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL, check=False).returncode != 0:
        # What else may be missing, such as hugepages, Kafka does not need.
        subprocess.run([TOOLS / "setup"], stdout=sys.stderr, check=False)
    for program in (*PROGRAMS, *(SECURED_PROGRAMS if options.secured else ())):
        if not shutil.which(program):
            raise LabError(f"{program} is missing; run tools/setup")
    jars.fetch()


def is_running(cluster):
    try:
        cluster.wait_ready(ANSWER_TIMEOUT_S)
    except BrokerFailed:
        return False
    return True


def refuse_other_cluster(cluster, options):
    """LabError unless the cluster that runs is the one that the options ask for."""
    for wrong, what in (
            (options.brokers not in (None, len(cluster.brokers)),
             f"of {len(cluster.brokers)} runs"),
            (options.port not in (None, cluster.port(1)), f"at {cluster.addresses[0]} runs"),
            (options.secured and not cluster.client.exists(), "that is not secured runs")):
        if wrong:
            raise LabError(f"a cluster {what} in {cluster.directory}; stop it first")


@contextlib.contextmanager
def removed_on_failure(cluster):
    for signo in END_SIGNALS:
        signal.signal(signo, lambda *_: sys.exit(130))
    try:
        yield
    except BaseException:
        for signo in END_SIGNALS:
            signal.signal(signo, signal.SIG_IGN)
        cluster.remove()
        raise


def start_new(cluster, options, jars):
    def make():
        make_cluster(cluster, options.brokers or 1, options.port, options.secured, jars)

    for tries_left in reversed(range(TRIES)):
        make()
        try:
            cluster.wait_ready(START_TIMEOUT_S)
            return
        except BrokerFailed as failure:
            # A free port may be taken by another program until the broker listens, seconds later.
            log = cluster.log(failure.broker).read_text(errors="replace")
            if not tries_left or options.port or "Address already in use" not in log:
                raise cluster.explained(failure) from None
        say("another program took a port meanwhile; trying other ports")
        cluster.remove()


def start_cluster(cluster, options, jars):
    if cluster.load() and is_running(cluster):
        refuse_other_cluster(cluster, options)
    else:
        if cluster.path.exists():
            say(f"removing what an earlier run left in {cluster.path}")
            cluster.remove()
        # One cluster at a time chooses its ports.
        with removed_on_failure(cluster), locked(HERE):
            start_new(cluster, options, jars)
    print(cluster.bootstrap)


def find_broker(cluster, broker):
    if not cluster.load():
        raise LabError(f"no cluster runs in {cluster.directory}")
    if broker not in cluster.brokers:
        raise LabError(f"there is no broker {broker}: the cluster has {len(cluster.brokers)}")


def start_one(cluster, broker):
    find_broker(cluster, broker)
    jars = Jars((cluster.path / "version").read_text().strip() or None)
    if not cluster.pid(broker):
        cluster.launch(broker, jars)
    try:
        cluster.wait_ready(START_TIMEOUT_S, [broker])
    except BrokerFailed as failure:
        raise cluster.explained(failure) from None
    print(cluster.bootstrap)


def status(cluster):
    if not cluster.load():
        raise LabError(f"no cluster runs in {cluster.directory}")
    pids = {broker: cluster.pid(broker) for broker in cluster.brokers}
    for broker, pid in pids.items():
        print(f"broker {broker}: {f'pid {pid}' if pid else 'not running'}, "
              f"port {cluster.port(broker)}")
    print(cluster.bootstrap)
    return 0 if all(pids.values()) else 1


def change(command, options, cluster):
    """start and stop, one program at a time in the directory."""
    jars = Jars(options.kafka)
    if command == "start" and not options.broker:
        prepare_machine(options, jars)
    cluster.directory.mkdir(parents=True, exist_ok=True)
    try:
        with locked(cluster.directory, LOCK_TIMEOUT_S) as cluster.lock:
            if command == "start":
                if options.broker:
                    start_one(cluster, options.broker)
                else:
                    start_cluster(cluster, options, jars)
            elif options.broker:
                find_broker(cluster, options.broker)
                cluster.stop(options.broker, signal.SIGKILL if options.kill else signal.SIGTERM)
            else:
                cluster.remove()
    except TimeoutError:
        raise LabError(f"another kafka-broker has been at work in {cluster.directory} for "
                       f"{LOCK_TIMEOUT_S // 60} minutes") from None


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    command, options = parse_options()
    cluster = Cluster(options.directory)
    try:
        if command == "status":
            return status(cluster)
        if command == "start" or options.broker or cluster.path.exists():
            change(command, options, cluster)
    except (LabError, OSError, subprocess.SubprocessError) as error:
        say(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
