#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The interface of a device goes away under the primary: it is deleted and made again, goes down,
is renamed. Prints TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import sys
import time

from verdicts import EXIT, lines
from tap import Tap

from lab import Lab, call, wait_for

NEAR, FAR = "gone0", "gone1"
ETHERTYPE = 0x88B5
CONFIG = {"filter": f"ether proto {ETHERTYPE:#x}", "receive-queues": 1, "buffer-memory": "8MiB",
          "mtu": 1500, "drain-timeout-s": 0, "main-lcore": 0, "receive-lcores": "1"}
SEND = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for i in range(int(sys.argv[2])):
    s.send(bytes(12) + bytes.fromhex("88b5") + i.to_bytes(4, "big") + bytes(60))
"""


def make_veth(lab):
    lab.in_namespace("ip", "link", "add", NEAR, "up", "type", "veth", "peer", "name", FAR)
    lab.in_namespace("ip", "link", "set", FAR, "up")


def delete_veth(lab):
    lab.in_namespace("ip", "link", "del", NEAR, expect=(0, 1))


def send(lab, count, interface=NEAR):
    lab.in_namespace(sys.executable, "-c", SEND, interface, count)


def begin(lab, device):
    lab.write_config({**CONFIG, "devices": [device]})
    primary = lab.start_primary()
    primary.wait_log("port 0: link up", 10)
    return primary


def captured(lab, count):
    """Waits until `count` packets wait in the rings; returns the port's counters."""
    wait_for(lambda: sum(r["enqueued"] for r in lab.stats()["rings"]) == count,
             f"{count} packets captured", 10)
    wait_for(lambda: lab.stats()["balance"]["rx"]["in"] <= lab.stats()["balance"]["nic"]["in"],
             "the device's count", 5)
    return lab.stats()["ports"][0]


def replaced(tap, lab, device, driver):
    make_veth(lab)
    primary = begin(lab, device)
    send(lab, 100)
    captured(lab, 100)
    delete_veth(lab)
    primary.wait_log(f"link down: interface {FAR} was deleted or moved away", 5)
    time.sleep(1)  # of vain polls
    port = lab.stats()["ports"][0]
    tap.equal((port["link_up"], port["errors"], port["missed"]), (0, 0, 0),
              f"{driver}: the link is down with its interface, and nothing counts as dropped")
    tap.equal(lab.check()[0], 0, f"{driver}: every law holds without the interface")
    tap.ok(primary.is_running(), f"{driver}: the primary waits for the interface")
    make_veth(lab)
    tap.equal(primary.wait(10), EXIT["DEVICE"], f"{driver}: another interface of its name ends it")
    warned = [line for line in lines(primary.log(), "warning") if "was replaced" in line]
    tap.equal(len(warned), 1, f"{driver}: one line says why")
    begin(lab, device)
    send(lab, 100)
    captured(lab, 100)
    tap.ok(True, f"{driver}: a new start captures from the new interface")
    lab.end_programs()
    delete_veth(lab)


def down_and_renamed(tap, lab):
    make_veth(lab)
    primary = begin(lab, f"net_af_packet0,iface={FAR}")
    lab.in_namespace("ip", "link", "set", NEAR, "down")
    primary.wait_log("warning port: port 0: link down, waiting", 5)
    lab.in_namespace("ip", "link", "set", NEAR, "up")
    primary.wait_log("port 0: link up", 5, count=2)
    tap.equal(lab.stats()["ports"][0]["link_changes"], 2,
              "an interface that goes down is a link that does")
    lab.in_namespace("ip", "link", "set", FAR, "down")
    primary.wait_log("warning port: port 0: link down, waiting", 5, count=2)
    lab.in_namespace("ip", "link", "set", FAR, "name", "other")
    lab.in_namespace("ip", "link", "set", "other", "up")
    primary.wait_log("port 0: link up", 5, count=3)
    send(lab, 50)
    captured(lab, 50)
    tap.ok(primary.is_running(), "an interface that has another name is the same one")
    tap.equal(primary.stop(), EXIT["LEFT_BEHIND"], "the primary ends")
    delete_veth(lab)


def moved_away_and_back(tap, lab):
    """It keeps its index, and the socket of the driver is dead all the same."""
    make_veth(lab)
    device = f"net_af_packet0,iface={FAR}"
    primary = begin(lab, device)
    lab.in_namespace("ip", "link", "set", FAR, "netns", "1")
    primary.wait_log("was deleted or moved away", 5)
    call("ip", "link", "set", FAR, "netns", lab.name)
    lab.in_namespace("ip", "link", "set", FAR, "up")
    tap.equal(primary.wait(10), EXIT["DEVICE"],
              "an interface that was in another namespace ends it")
    begin(lab, device)
    send(lab, 50)
    captured(lab, 50)
    tap.ok(True, "and a new start captures from it")
    lab.end_programs()
    delete_veth(lab)


def tap_deleted(tap, lab):
    primary = begin(lab, "net_tap0,iface=rtap0")
    lab.in_namespace("ip", "link", "del", "rtap0")
    tap.equal(primary.wait(10), EXIT["DEVICE"], "net_tap: without its interface the primary ends")
    begin(lab, "net_tap0,iface=rtap0")
    tap.ok(True, "net_tap: a new start makes it again")
    lab.end_programs()


def main():
    tap = Tap()
    with Lab("rtgone") as lab:
        for device in f"net_af_packet0,iface={FAR}", f"net_pcap0,iface={FAR}":
            tap.run(replaced, lab, device, device.split("0,")[0])
        for part in down_and_renamed, moved_away_and_back, tap_deleted:
            tap.run(part, lab)
            lab.end_programs()
            delete_veth(lab)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
