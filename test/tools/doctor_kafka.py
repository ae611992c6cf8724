# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of tools/doctor against real Kafka share: clusters, topics, configurations."""

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

from doctor_run import SOURCE, doctor

from lab import call

sys.path.insert(0, str(SOURCE / "tools" / "dev" / "kafka-broker"))

from ports import free_port as first_free_port

FIRST_PORT = 9300

BUILD = pathlib.Path(os.environ.get("RINGTAP_BUILD") or SOURCE / "build")
WORK = BUILD / pathlib.Path(sys.argv[0]).stem
BROKER, TOPIC = SOURCE / "tools" / "kafka-broker", SOURCE / "tools" / "kafka-topic"


def fresh_directory():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)


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
    """With the times of the brokers, as the manual recommends, unless the settings say others."""
    settings = ("message.timestamp.type=LogAppendTime", *settings)
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


def ports_below_ephemeral(names):
    """{name: port} that no connection of the machine takes until a broker listens there."""
    ports, port = {}, FIRST_PORT
    for name in names:
        port = ports[name] = first_free_port(port)
        port += 1
    return ports


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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


@contextlib.contextmanager
def forwarded(port):
    """Within, what listens on 127.0.0.1 is reached at the same port of ::1, too."""
    with Server(("::1", port), Forward) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()
