#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the primary says of its devices before EAL starts, and what it puts right. Prints TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import re
import socket
import struct
import subprocess
import sys
import time

from verdicts import EXIT, lines, refused, run
from tap import Tap, same_frames

from lab import INTERFACE, Lab, LabError, call, compare, read_pcap, wait_for

FAR = "rtap1"  # the end of a veth pair that is captured
JUMBO = {"receive-queues": 1, "buffer-memory": "16MiB", "mbuf-data-room": 9312}
SMALL = {"receive-queues": 1, "buffer-memory": "16MiB"}
ETHERNET, COOKED, RAW = 1, 113, 101  # link types of capture files
# What net_af_packet does not change: not qinq, whose outer tag it puts back with another type, and
# not frag4, which it has the kernel put together.
UNCHANGED = "arp,tcp4,udp4,sctp4,icmp4,tcp6,udp6,sctp6,icmp6,vlan,mpls,frag6,runt,badsum"


def primary(lab, *arguments):
    """Runs the primary of a laboratory to its end; one that captures ends with another code."""
    return run("timeout", "-k", 5, 5, "ip", "netns", "exec", lab.name,
               lab.program("capture-primary", "capture-primary"), "-c", lab.config_path, *arguments)


def place(lab):
    for number, line in enumerate(lab.config_path.read_text().splitlines(), 1):
        if line.startswith("devices: "):
            return f"{lab.config_path}:{number}:10: devices: "
    raise ValueError("no devices")


def capture_file(path, link_type, frames=()):
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type) + b"".join(
        struct.pack("<4I", 1, 0, len(frame), len(frame)) + frame for frame in frames))
    return path


def make_pair(lab, mtu=1500):
    """A veth pair: traffic goes into INTERFACE and comes out of FAR."""
    lab.in_namespace("ip", "link", "add", INTERFACE, "mtu", mtu, "type", "veth",
                     "peer", "name", FAR, "mtu", mtu)
    for interface in INTERFACE, FAR:
        lab.in_namespace("ip", "link", "set", interface, "up")


def remove_pair(lab):
    lab.in_namespace("ip", "link", "del", INTERFACE)


def refusals(tap, lab):
    """Each is said by --check and by a start, in one line; nothing is left."""
    lab.in_namespace("ip", "tuntap", "add", "mode", "tun", "rtun0")
    lab.in_namespace("ip", "link", "add", "rtwo0", "numrxqueues", 2, "numtxqueues", 2, "up", "type",
                     "veth", "peer", "name", "rtwo1", "numrxqueues", 2, "numtxqueues", 2)
    lab.in_namespace("ethtool", "-L", "rtwo0", "rx", 2, expect=(0, 1, 80))
    make_pair(lab, 9000)
    lab.in_namespace("ip", "link", "add", "rdown0", "type", "veth", "peer", "name", "rdown1")
    files = {kind: capture_file(lab.directory / f"{kind}.pcap", number)
             for kind, number in (("eth", ETHERNET), ("sll", COOKED), ("raw", RAW))}
    text = lab.directory / "text.pcap"
    text.write_text("not a capture file\n")
    absent = lab.directory / "absent.pcap"
    for device, code, wanted, more in (
            (f"net_pcap0,rx_pcap={absent}", "NO_PORTS", [str(absent), "No such file"], {}),
            (f"net_pcap0,rx_pcap={text}", "NO_PORTS", [str(text), "unknown file format"], {}),
            (f"net_pcap0,rx_pcap={files['sll']}", "CONFIG",
             ["LINUX_SLL", "allowed: EN10MB"], {}),
            (f"net_pcap0,rx_pcap={files['eth']},rx_pcap={files['raw']}", "CONFIG",
             [f"rx_pcap={files['raw']}", "Raw IP", "allowed: EN10MB"], {"receive-queues": 2}),
            ("net_pcap0,iface=any", "CONFIG", ["iface=any", "Linux cooked", "allowed: "], {}),
            ("net_pcap0,rx_iface=rtun0", "CONFIG", ["rx_iface=rtun0", "raw IP", "allowed: "], {}),
            ("net_pcap0,rx_iface_in=rdown0", "NO_PORTS", ["is down", "ip link set rdown0 up"], {}),
            ("net_pcap0,iface=rabsent0", "NO_PORTS", ["iface=rabsent0", "no such interface"], {}),
            ("net_pcap0", "CONFIG", ["rx_pcap=FILE"], {}),
            ("net_af_packet0,iface=rabsent0", "NO_PORTS", ["no such interface", "ip link"], {}),
            ("net_af_packet0,iface=rtun0", "CONFIG", ["raw IP", "allowed: "], {}),
            ("net_af_packet0,qpairs=1", "CONFIG", ["iface= is missing"], {}),
            ("net_af_xdp0,iface=rabsent0", "NO_PORTS", ["no such interface"], {}),
            # The kernel would drop frames, and keep those of other queues.
            (f"net_af_xdp0,iface={FAR}", "CONFIG",
             ["above 1807", "mbuf-data-room: 9391", f"`ip link set {FAR} mtu 1785`"], {}),
            ("net_af_xdp0,iface=rtwo0", "CONFIG",
             ["rtwo0 has 2 receive queues and the device opens 1", "queue_count=2", "ethtool -L"],
             {}),
            ("net_af_xdp0,iface=rtwo0,queue_count=2", "CONFIG", ["set receive-queues to 2"], {}),
            # No worker would read these either.
            (f"net_af_packet0,iface={FAR},qpairs=2", "CONFIG", ["set receive-queues to 2"], JUMBO),
            ("net_tun0", "CONFIG", ["raw IP", "allowed: net_tap"], {}),
            # The driver would cut frames.
            (f"net_af_packet0,iface={FAR}", "CONFIG",
             ["frames of up to 9022 bytes", "mbuf-data-room: 9312 or more",
              f"`ip link set {FAR} mtu 1960`"], {}),
            (f"net_af_packet0,iface={FAR},framesz=2048", "CONFIG",
             ["holds 1982 bytes", "framesz=9216,blocksz=36864", f"`ip link set {FAR} mtu 1960`"],
             JUMBO),
            # It would look for slots where the kernel has none.
            (f"net_af_packet0,iface={FAR},framesz=9216,blocksz=40960", "CONFIG",
             ["do not fit together", "blocksz of 36864"], JUMBO),
            (f"net_af_packet0,iface={FAR},framesz=9216,framecnt=511", "CONFIG",
             ["do not fit together", "framecnt"], JUMBO),
            (f"net_af_packet0,iface={FAR},framesz=9k", "CONFIG", ["framesz=", "not a number"],
             JUMBO),
            ("net_memif0,bsize=2048", "CONFIG", ["bsize=2048", "mtu: 9000", "bsize=9216"], {})):
        if device.startswith("net_memif") and not memif_mixes(lab):
            tap.note(f"not tried with this DPDK, whose net_memif mixes nothing up: {device}")
            continue
        lab.write_config({**SMALL, **more, "devices": device})
        short = device.replace(f"{lab.directory}/", "")
        for arguments in ["--check"], []:
            refused(tap, primary(lab, *arguments), code, [place(lab), device, *wanted],
                    f"{short} is refused {' '.join(arguments)}", None if arguments else lab)
    remove_pair(lab)
    lab.in_namespace("ip", "link", "del", "rtwo0")


def memif_mixes(lab):
    """Whether the device check takes this DPDK's net_memif for one that mixes frames up."""
    lab.write_config({**SMALL, "devices": "net_memif0,role=server"})
    return "arrive mixed up" in primary(lab, "--check").err


def check_touches_nothing(tap, lab):
    """--check removes no socket, and says what would be added."""
    path = lab.directory / "stale.sock"
    leave_socket(path, socket.SOCK_SEQPACKET)
    lab.write_config({**SMALL, "devices": [
        f"net_memif0,role=server,socket-abstract=no,socket={path}", "net_memif1"]})
    outcome = primary(lab, "--check")
    tap.equal(outcome.code, 0, "--check takes a socket that a killed process left")
    tap.ok(path.is_socket(), "and leaves it where it is")
    tap.ok('"net_memif1,bsize=9216"' in outcome.out, "the printed configuration has what was added",
           outcome.out)


def leave_socket(path, kind):
    """The socket of a process that was killed."""
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, kind) as s:
        s.bind(str(path))
        s.listen(1)


def sockets(tap, lab):
    """The socket of a killed primary goes, another program's stays, no other file is touched."""
    for driver, kind, device in (
            ("memif", socket.SOCK_SEQPACKET,
             "net_memif0,role=server,id=0,socket-abstract=no,socket={}"),
            ("vhost", socket.SOCK_STREAM, "net_vhost0,iface={}")):
        path = lab.directory / f"{driver}.sock"
        lab.write_config({**SMALL, "devices": device.format(path)})
        lab.start_primary()
        tap.ok(path.is_socket(), f"{driver}: the primary makes its socket")
        tap.equal(primary(lab).code, EXIT["ALREADY_RUNNING"],
                  f"{driver}: a second primary is told that there is one")
        lab.end_programs()
        tap.ok(path.is_socket(), f"{driver}: a killed primary leaves it")
        try:
            again = lab.start_primary()
            tap.ok(f"removed {path}" in again.log(),
                   f"{driver}: the next one removes it and says so", again.log())
            lab.stop()
        except LabError as error:
            tap.ok(False, f"{driver}: the next one starts", error)
        lab.end_programs()
        path.unlink(missing_ok=True)

        with socket.socket(socket.AF_UNIX, kind) as s:
            s.bind(str(path))
            s.listen(1)
            refused(tap, primary(lab), "NO_PORTS",
                    [place(lab), str(path), "another program listens", "ss -xlp"],
                    f"{driver}: a socket in use is refused", lab)
        tap.ok(path.is_socket(), f"{driver}: and stays")
        path.unlink()
        path.write_text("precious")
        refused(tap, primary(lab), "NO_PORTS", [place(lab), str(path), "is not a socket"],
                f"{driver}: a file that is no socket is refused", lab)
        tap.ok(path.is_file() and path.read_text() == "precious", f"{driver}: and stays as it is")
        path.unlink()

    path = lab.directory / "shared.sock"
    leave_socket(path, socket.SOCK_SEQPACKET)
    lab.write_config({**SMALL, "devices": [
        f"net_memif{n},role=server,id={n},socket-abstract=no,socket={path}" for n in range(2)]})
    started = lab.start_primary()
    tap.equal(started.log().count("removed "), 1, "memif: two devices share a socket")
    lab.stop()


def deliver(lab, topic, count, *options, **traffic):
    """Frames that were sent into INTERFACE against those in Kafka."""
    lab.create_topic(4, topic)
    lab.start_secondary(1)
    sent = lab.traffic(count, 2_000, *options, **traffic)
    lab.wait_delivered(count)
    return compare(sent.frames(), (r.value for r in lab.read_topic(topic)))


def interface_down(tap, lab):
    """net_af_packet waits for an interface; its driver would say that it is up."""
    make_pair(lab)
    lab.in_namespace("ip", "link", "set", FAR, "down")
    lab.write_config({**SMALL, "devices": f"net_af_packet0,iface={FAR}", "topic": "down"})
    said = lines(lab.start_primary().log(), "warning")
    tap.ok(any(f"{FAR} is down" in line and f"ip link set {FAR} up" in line for line in said),
           "an interface that is down is said", said)
    lab.in_namespace("ip", "link", "set", FAR, "up")
    same_frames(tap, deliver(lab, "down", 300, "--kinds", UNCHANGED), ", once the interface is up")
    lab.stop()
    remove_pair(lab)


def af_packet_sizes(tap, lab):
    """Frames of the interface's MTU come whole without an argument of the user's."""
    make_pair(lab, 9000)
    lab.write_config({**JUMBO, "devices": f"net_af_packet0,iface={FAR}", "topic": "jumbo"})
    log = lab.start_primary().log()
    tap.ok("added framesz=9216,blocksz=36864" in log, "what was added is said", log)
    same_frames(tap, deliver(lab, "jumbo", 1_000, "--kinds", UNCHANGED, max_frame=9014),
                ", net_af_packet, jumbo")
    lab.stop()
    remove_pair(lab)
    make_pair(lab)
    lab.write_config({**SMALL, "devices": f"net_af_packet0,iface={FAR}"})
    log = lab.start_primary().log()
    tap.ok(" added" not in log, "with an MTU of 1500 nothing is added", log)
    lab.stop()
    remove_pair(lab)


def start_peer(lab, source, peer):
    """dpdk-testpmd, which gives the frames of a capture file to a device once it is told to."""
    out = lab.logs / "testpmd.out"
    with open(out, "wb") as log:
        # By lines: what it says is waited for.
        process = subprocess.Popen(
            ["ip", "netns", "exec", lab.name, "stdbuf", "-oL", "dpdk-testpmd", "--no-shconf",
             "--no-huge", "-m", "512", "--no-pci", "--no-telemetry", "-l", "0-1",
             f"--vdev=net_pcap0,rx_pcap={source}", f"--vdev={peer}", "--", "-i",
             "--forward-mode=io", "--no-flush-rx", "--total-num-mbufs=16384"],
            stdin=subprocess.PIPE, stdout=log, stderr=log)
    # A client that comes before its ports are started is turned away for good.
    wait_for(lambda: "Checking link statuses" in out.read_text(), "ports of dpdk-testpmd", 20)
    return process


def memif_sizes(tap, lab):
    """Jumbo frames come whole through shared memory, more of them than its ring has slots."""
    count = 4_000
    source, path = lab.directory / "source.pcap", lab.directory / "peer.sock"
    call(lab.tool("traffic-gen"), "--pcap", source, "--count", count,
         "--max-frame", 9014)
    lab.write_config({**SMALL, "buffer-memory": "64MiB", "topic": "memif",
                      "devices": f"net_memif0,socket-abstract=no,socket={path}"})
    lab.create_topic(4, "memif")
    peer = start_peer(lab, source, f"net_memif0,role=server,socket-abstract=no,socket={path}")
    try:
        started = lab.start_primary()
        tap.ok("added bsize=9216" in started.log(), "memif: what was added is said", started.log())
        lab.start_secondary(1)
        started.wait_log("link up", 20)
        peer.stdin.write(b"set fwd io retry\nset burst tx delay 10 retry 100000\nstart\n")
        peer.stdin.flush()
        time.sleep(2)  # it reads the file, and goes on to poll
        peer.communicate(b"stop\nquit\n", timeout=30)
    finally:
        peer.kill()
        peer.wait()
    totals = re.findall(r"^  TX-packets: (\d+) +TX-dropped",
                        (lab.logs / "testpmd.out").read_text(), re.M)
    sent = int(totals[-1])  # what found no free slot is not among them
    lab.wait_delivered(sent)
    difference = compare((frame for _, frame in read_pcap(source)),
                         (r.value for r in lab.read_topic("memif")))
    tap.ok(sent > 1024, "memif: the ring went round", sent)
    tap.equal(count - len(difference.missing), sent, "memif: every frame that was sent came")
    tap.none([len(frame) for frame in difference.extra + difference.duplicates],
             "memif: no frame is altered or made up")
    lab.stop()


def words(tap, lab):
    """What is said of ports and MTUs is true of them."""
    lab.write_config({**SMALL, "devices": f"net_tap0,iface={INTERFACE}"})
    log = lab.start_primary().log()
    tap.none([line for line in lines(log, "warning") if "mtu" in line],
             "net_tap hands over jumbo frames: no warning of the MTU")
    lab.stop()
    lab.write_config({**SMALL, "devices": f"net_tap0,iface={INTERFACE},mac=nonsense"})
    outcome = primary(lab)
    said = lines(outcome.err, "error")
    tap.ok(outcome.code == EXIT["NO_PORTS"] and len(said) == 1 and "devbind" not in said[0]
           and "net_tap0" in said[0], "a vdev that gave no port: no advice to bind a NIC", outcome)
    lab.write_config({**SMALL, "devices": "net_nonsense0"})
    refused(tap, primary(lab), "NO_PORTS", [place(lab), "knows no such device", "net_tap0"],
            "a vdev without a driver", lab)


def main():
    tap = Tap()
    with Lab("rtdevices") as lab:
        lab.start_broker()
        for part in (refusals, check_touches_nothing, sockets, interface_down, af_packet_sizes,
                     memif_sizes, words):
            tap.run(part, lab)
            lab.end_programs()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
