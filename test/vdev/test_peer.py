#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Capture from a memif and a vhost, byte for byte, into a real Kafka, while either end dies.

    test_peer.py [--short | PART...]    default: all parts

The other end is dpdk-testpmd, which forwards what is sent into a tap of its own. Prints TAP. The
programs are those of $RINGTAP_BUILD (default: build/). Needs root.
"""

import contextlib
import sys

from vdev_lab import COUNT, LINK_S, TOPIC, capturing, run_parts

from verdicts import EXIT

PEER_TAP = "peer0"
BUFFER = 9728  # of a memif; frames that take two corrupt the stream with DPDK 22.11


class Memif:
    """Both ends of a memif. An abstract socket lives in the namespace, not in a file."""

    name = "net_memif"

    def __init__(self, lab, role, queues, abstract=True, peer_first=False):
        self.lab, self.role, self.queues, self.peer_first = lab, role, queues, peer_first
        socket = f"{lab.name}-memif" if abstract else lab.directory / "memif.socket"
        self.arguments = f"socket={socket},bsize={BUFFER}"
        if not abstract:
            self.arguments += ",socket-abstract=no"

    def device(self):
        return f"net_memif0,role={self.role},{self.arguments}"

    def start_peer(self):
        role = "client" if self.role == "server" else "server"
        device = f"net_memif1,role={role},{self.arguments}"
        return self.lab.start_peer(device, self.queues, PEER_TAP)


class Vhost:
    """Vhost at the primary, virtio_user at the peer."""

    name, peer_first = "net_vhost", False

    def __init__(self, lab, role, queues):
        self.lab, self.role, self.queues = lab, role, queues
        self.path = lab.directory / "vhost.socket"

    def device(self):
        client = ",client=1" if self.role == "client" else ""
        return f"net_vhost0,iface={self.path},queues={self.queues}{client}"

    def start_peer(self):
        server = ""
        if self.role == "client":
            server = ",server=1"
            self.path.unlink(missing_ok=True)  # of an earlier peer, which did not do it
        device = f"net_virtio_user0,path={self.path},queues={self.queues}{server}"
        return self.lab.start_peer(device, self.queues, PEER_TAP)


@contextlib.contextmanager
def connected(tap, link, what):
    """A capture from a link that is up; yields it and the peer."""
    note = f", {link.name} as {link.role}, {link.queues} queue(s), {what}"
    peer = link.start_peer() if link.peer_first else None
    with capturing(tap, link.lab, note, devices=link.device(),
                   receive_queues=link.queues) as capture:
        peer = peer or link.start_peer()
        capture.wait_link(1)
        yield capture, peer


def peer_dies(tap, link):
    with connected(tap, link, "peer killed") as (capture, peer):
        capture.send(PEER_TAP, max_frame=9014)
        capture.drain()
        peer.kill()
        capture.primary.wait_log(r"port 0: link up(.|\n)*port 0: link down")
        link.start_peer()
        capture.wait_link(2)
        capture.send(PEER_TAP, max_frame=9014)


def primary_dies(tap, link, peer_again=False):
    """Before that, a worker. peer_again: it does not reconnect and is started again, too."""
    with connected(tap, link, "worker and primary killed") as (capture, peer):
        sender = link.lab.start_sending(PEER_TAP, count=3 * COUNT, rate=COUNT, max_frame=9014)
        link.lab.wait_delivered(COUNT // 2)
        capture.kill_worker()
        capture.sent += sender.finish().frames()
        capture.kill_primary()
        if peer_again:
            peer.kill()
        capture.start()
        if peer_again:
            link.start_peer()
        capture.wait_link(1)
        capture.send(PEER_TAP, max_frame=9014)


def memif_server_restarted(tap, lab):
    primary_dies(tap, Memif(lab, "server", 4), peer_again=True)


def memif_client_restarted(tap, lab):
    primary_dies(tap, Memif(lab, "client", 2, peer_first=True))


def memif_server(tap, lab):
    peer_dies(tap, Memif(lab, "server", 2))


def memif_client(tap, lab):
    """The primary is there before its server, and after it."""
    peer_dies(tap, Memif(lab, "client", 2))


def memif_peer_with_fewer_queues(tap, lab):
    """The driver then delivers frames that were never sent. The law of the device sees it."""
    note = ", net_memif with more queues than its peer"
    link = Memif(lab, "server", 4)
    lab.write_config({"topic": TOPIC, "devices": link.device(), "receive-queues": link.queues,
                      "buffer-memory": "32MiB", "drain-timeout-s": 0})
    primary = lab.start_primary()
    tap.ok("the peer must have as many queues, 4" in primary.log(), f"it is said at start{note}")
    link.queues = 1
    link.start_peer()
    primary.wait_log("port 0: link up", LINK_S)
    sent = lab.start_sending(PEER_TAP, count=COUNT).finish()
    stats = lab.wait_received(sent.count)
    tap.equal(stats["balance"]["nic"]["in"], sent.count, f"[nic] has what was sent{note}")
    code, text = lab.check()
    tap.ok(code == EXIT["LAW"] and "port 0: violated: received of the queues" in text,
           f"stats-tool --check fails{note}", text)
    primary.wait_log("handed over more than the device counted, by .* receive-queues to the "
                     "peer's number", 5)
    tap.equal(primary.stop(), EXIT["LEFT_BEHIND"], f"the primary ends{note}")


def memif_socket_file(tap, lab):
    """The file of a killed server is in the way of the next one."""
    primary_dies(tap, Memif(lab, "server", 1, abstract=False), peer_again=True)


def vhost_server_restarted(tap, lab):
    primary_dies(tap, Vhost(lab, "server", 1), peer_again=True)


def vhost_server(tap, lab):
    peer_dies(tap, Vhost(lab, "server", 2))


def vhost_client(tap, lab):
    peer_dies(tap, Vhost(lab, "client", 1))


def vhost_client_restarted(tap, lab):
    primary_dies(tap, Vhost(lab, "client", 2))


ALL = (memif_server_restarted, memif_client_restarted, vhost_server, vhost_client,
       vhost_client_restarted, memif_server, memif_client, memif_socket_file,
       memif_peer_with_fewer_queues, vhost_server_restarted)
SHORT = (memif_server_restarted, memif_server, memif_client,
         memif_client_restarted, vhost_client, vhost_server_restarted)


if __name__ == "__main__":
    sys.exit(run_parts("rtpeer", ALL, SHORT, sys.argv[1:]))
