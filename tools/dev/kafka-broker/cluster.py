# SPDX-License-Identifier: BSD-3-Clause
"""A Kafka cluster in a directory: start its brokers, ask whether they answer, end them."""

import shutil
import signal
import subprocess
import sys
import time

from lab import LabError

import ports
from jars import JAVA_BIN
from recorded import recorded_pid, spawn, terminate

# When the whole cluster ends, the last brokers wait for a controller that has gone, and their data
# are removed anyway. One broker alone leaves a running cluster within about a second.
CLUSTER_STOP_TIMEOUT_S = 5
BROKER_STOP_TIMEOUT_S = 30
LOG_LINES = 15  # shown of a broker that failed


class BrokerFailed(LabError):
    """A broker ended, or is not ready in time."""

    def __init__(self, why, broker):
        super().__init__(why)
        self.broker = broker


class Cluster:
    """The cluster of a directory: DIRECTORY/cluster has its files, DIRECTORY/logs its logs.

    Brokers are numbered from 1. In cluster/: bootstrap, the line that start prints; version, empty
    or the one asked for; broker-N/ for each broker; client/ with what clients of a secured cluster
    need.
    """

    def __init__(self, directory):
        self.directory = directory
        self.path = directory / "cluster"
        self.logs = directory / "logs"
        self.client = self.path / "client"
        self.addresses = []
        self.lock = None  # descriptor, while this program changes the cluster

    def load(self):
        """Reads the addresses; returns whether there is a cluster."""
        try:
            line = (self.path / "bootstrap").read_text().strip()
        except FileNotFoundError:
            return False
        self.addresses = line.partition("=")[2].split(",")
        return line != ""

    @property
    def brokers(self):
        return range(1, len(self.addresses) + 1)

    @property
    def bootstrap(self):
        return f"bootstrap.servers={','.join(self.addresses)}"

    def port(self, broker):
        return int(self.addresses[broker - 1].rpartition(":")[2])

    def broker_path(self, broker):
        return self.path / f"broker-{broker}"

    def log(self, broker):
        return self.logs / f"broker-{broker}.log"

    def pid(self, broker):
        """None if it does not run."""
        return recorded_pid(self.broker_path(broker))

    def launch(self, broker, jars):
        path = self.broker_path(broker)
        (path / "tmp").mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        kerberos = self.client / "krb5.conf"
        spawn(path, self.log(broker), [
            JAVA_BIN / "java", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData",
            f"-Djava.io.tmpdir={path}/tmp", "-Djava.net.preferIPv4Stack=true",
            *([f"-Djava.security.krb5.conf={kerberos}"] if kerberos.exists() else []),
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
            "-cp", jars.classpath, "kafka.Kafka", path / "server.properties"])

    def stop(self, broker, signo):
        terminate([self.broker_path(broker)], signo, BROKER_STOP_TIMEOUT_S)

    def remove(self):
        """Ends all that was started and removes the files but the logs."""
        recorded = [path.parent for path in self.path.glob("*/pid")]
        terminate(recorded, signal.SIGTERM, CLUSTER_STOP_TIMEOUT_S)
        shutil.rmtree(self.path, ignore_errors=True)

    def _answers(self, broker, others):
        """Whether a broker holds its port, which may be another cluster's, and lists the others."""
        pid = self.pid(broker)
        if not pid or not ports.is_listening(self.port(broker), pid):
            return False
        asked = subprocess.run(
            ["kcat", "-L", "-m", "2", "-b", self.addresses[broker - 1]], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, check=False)
        metadata = asked.stdout.decode(errors="replace")
        return asked.returncode == 0 and all(
            f"broker {other} at {self.addresses[other - 1]}" in metadata for other in others)

    def wait_ready(self, timeout, brokers=None):
        """Waits until these brokers, or all, answer and know each other; BrokerFailed if not."""
        brokers, deadline = brokers or self.brokers, time.monotonic() + timeout
        while not all(self._answers(broker, brokers) for broker in brokers):
            for broker in brokers:
                if not self.pid(broker):
                    raise BrokerFailed(f"broker {broker} ended", broker)
                if time.monotonic() > deadline:
                    raise BrokerFailed(f"broker {broker} is not ready after {timeout} s", broker)
            time.sleep(0.1)

    def explained(self, failure):
        """Prints the end of a failed broker's log; returns the error to raise."""
        log = self.log(failure.broker)
        if log.exists():
            for line in log.read_text(errors="replace").splitlines()[-LOG_LINES:]:
                print(line, file=sys.stderr)
        return LabError(f"{failure}; its log is {log}")
