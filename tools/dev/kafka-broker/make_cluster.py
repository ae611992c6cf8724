# SPDX-License-Identifier: BSD-3-Clause
"""Make a new cluster: choose its ports, write its properties, format its storage, start it."""

import base64
import os
import subprocess

from lab import LabError

from cluster import BrokerFailed
from jars import JAVA_BIN
from ports import free_port
from secured import Secured

FIRST_PORT = 9092
PROPERTIES = """\
process.roles=broker,controller
node.id={number}
listeners=CLIENT://{address},CONTROLLER://{controller}{inside}
advertised.listeners=CLIENT://{address}{outside}
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
controller.quorum.voters={voters}
log.dirs={path}/data

auto.create.topics.enable=false
default.replication.factor={replicas}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=4

# Quick to start, to notice a death and to give disk space back.
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=6000
log.segment.delete.delay.ms=1000
log.cleaner.dedupe.buffer.size=8388608
{secured}"""


def make_cluster(cluster, brokers, first_port, secured, jars):
    """Makes and starts an empty cluster; first_port: None for the first ports that are free."""
    controllers = _choose_ports(cluster, brokers, first_port)
    cluster.path.mkdir(parents=True)
    cluster.logs.mkdir(exist_ok=True)
    for log in cluster.logs.glob("*.log"):
        log.unlink()
    (cluster.path / "bootstrap").write_text(f"{cluster.bootstrap}\n")
    (cluster.path / "version").write_text(f"{jars.version or ''}\n")
    listeners = Secured(cluster) if secured else None
    if listeners:
        listeners.make(cluster.port(1) + 1)
    _write_properties(cluster, controllers, listeners)
    _format_storage(cluster, listeners, jars)
    for broker in cluster.brokers:
        cluster.launch(broker, jars)


def _choose_ports(cluster, brokers, first_port):
    """Chooses addresses for clients; returns those of the controllers."""
    port, controllers = first_port or FIRST_PORT, []
    controller_port = port + 10000
    cluster.addresses = []
    for _ in range(brokers):
        wanted, port = port, free_port(port)
        if first_port and port != wanted:
            raise LabError(f"port {wanted} is in use")
        controller_port = free_port(controller_port)
        cluster.addresses.append(f"127.0.0.1:{port}")
        controllers.append(f"127.0.0.1:{controller_port}")
        port, controller_port = port + 1, controller_port + 1
    return controllers


def _write_properties(cluster, controllers, listeners):
    brokers = len(controllers)
    for number, controller in enumerate(controllers, 1):
        path = cluster.broker_path(number)
        path.mkdir()
        (path / "server.properties").write_text(PROPERTIES.format(
            number=number, address=cluster.addresses[number - 1], controller=controller, path=path,
            voters=",".join(f"{i}@{address}" for i, address in enumerate(controllers, 1)),
            replicas=min(brokers, 3), in_sync=min(brokers, 2),
            inside=listeners.addresses("127.0.0.1") if listeners else "",
            outside=listeners.addresses("localhost") if listeners else "",
            protocols=listeners.protocols if listeners else "",
            secured=listeners.properties() if listeners else ""))


def _format_storage(cluster, listeners, jars):
    # 16 bytes in base64, without the two characters that an identifier cannot have.
    identifier = base64.b64encode(os.urandom(16), b"AB").decode().rstrip("=")
    jobs = []
    for broker in cluster.brokers:
        with open(cluster.log(broker), "ab") as log:
            jobs.append(subprocess.Popen(
                [JAVA_BIN / "java", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1",
                 "-cp", jars.classpath, "kafka.tools.StorageTool", "format",
                 "--cluster-id", identifier,
                 "--config", cluster.broker_path(broker) / "server.properties",
                 *(listeners.format_options() if listeners else [])],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[cluster.lock]))  # it may outlive this program
    for broker, job in zip(cluster.brokers, jobs, strict=True):
        if job.wait() != 0:
            raise cluster.explained(BrokerFailed(
                f"cannot format the storage of broker {broker}", broker))
