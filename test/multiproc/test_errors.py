#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every error that a user meets: exit code, one line with the remedy, nothing left. Prints TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import struct
import sys
import tempfile
import time

import control_zone
from verdicts import EXIT, Outcome, left_behind, lines, refused, run
from tap import Tap, same_frames

from lab import INTERFACE, Lab, call, compare, users_of, wait_for

NOBODY = 65534
SMALL = {"devices": "net_ring0", "receive-queues": 1, "receive-descriptors": 64,
         "buffer-memory": "4MiB"}
HUGEPAGE_KIB = 2048
SAY_AGAIN_S = 60  # of the secondary, about a broker that it cannot reach
SAID_WITHIN_S = 9  # an attempt takes at most 5 s and a pause


def primary(lab, *arguments, **how):
    """Runs the primary of a laboratory to its end."""
    return run("ip", "netns", "exec", lab.name, lab.program("capture-primary", "capture-primary"),
               *arguments, **how)


def secondary(lab, *arguments, **how):
    return run(lab.program("kafka-secondary", "kafka-secondary"), *arguments, **how)


def start_primary(lab, *arguments, environment=(), wait=r"ready: "):
    """Starts the primary with the laboratory's configuration and more arguments."""
    program = lab.start("capture-primary", [
        "ip", "netns", "exec", lab.name, "env", *environment,
        lab.program("capture-primary", "capture-primary"), "-c", lab.config_path, *arguments])
    program.wait_log(wait)
    return program


def place_of(lab, key):
    """FILE:LINE:COLUMN: KEY of a value of the configuration file."""
    for number, line in enumerate(lab.config_path.read_text().splitlines(), 1):
        if line.startswith(f"{key}: "):
            return f"{lab.config_path}:{number}:{len(key) + 3}: {key}: "
    raise ValueError(key)


# ---- command line and configuration --------------------------------------------------------------

def command_lines(tap, lab):
    lab.write_config(SMALL)
    config = lab.config_path
    for program, arguments, wanted, what in (
            (primary, ["-c", config, "net_tap0"], ["'net_tap0'", "EAL arguments go after `--`"],
             "an argument without --"),
            (primary, ["-c", config, "-l", "0-1"], ["--help"], "an EAL option without --"),
            (primary, [], ["use -c FILE"], "no configuration"),
            (primary, ["-c", config, "-x", "1000"],
             ["-x: transmit-ring-size", "512 and 1024", "511 and 1023 packets"],
             "a ring size that is no power of two"),
            (primary, ["-c", config, "-p", "0x"], ["-p: port-mask", '"0x"'], "a bad port mask"),
            (primary, ["-c", config, "--", "--in-memory"],
             ["'--in-memory'", "no secondary could attach"], "EAL without shared files"),
            (primary, ["-c", config, "--check", "--", "--file-prefix", "x"],
             ["'--file-prefix'", "`instance`"], "another file-prefix, by --check, too"),
            (primary, ["-c", config, "--", "--nonsense"], ["'--nonsense'", "no argument"],
             "an EAL argument that EAL does not have"),
            (secondary, ["-c", config, "more"], ["'more'", "--help"], "secondary: an argument"),
            (secondary, [], ["use -c FILE"], "secondary: no configuration"),
            (secondary, ["-c", config, "--json"], ["--json needs --properties"],
             "secondary: --json by itself"),
            (secondary, ["-c", config, "--properties"], ["leave -c and --check away"],
             "secondary: --properties of a configuration"),
            (secondary, ["-c", config, "--workers", "65"], ["--workers", "1 to 64"],
             "secondary: too many workers")):
        outcome = program(lab, *arguments)
        # getopt says which option, the next line what to do.
        said = [line for line in outcome.err.splitlines() if "invalid option" not in line]
        missing = [text for text in wanted if len(said) != 1 or text not in said[0]]
        tap.ok(outcome.code == EXIT["USAGE"] and not missing, f"{what} is refused",
               f"exit {outcome.code}, not in the one line: {missing}\n{outcome.err}")


def bad_configurations(tap, lab):
    """file:line:column, what, and what is allowed; by both programs."""
    path = lab.directory / "bad.yaml"
    for text, where, wanted, what in (
            (b"topic: t\nbufer-memory: 1MiB\n", ":2:1: ", ["bufer-memory", '"buffer-memory"'],
             "an unknown key"),
            (b"mtu: big\n", ":1:6: ", ['"big"', "68 to 65535"], "a wrong type"),
            (b"receive-queues: 0\n", ":1:17: ", ['"0"', "1 to 1024"], "a value out of range"),
            (b"mtu: 100\nmtu: 200\n", ":2:1: ", ["duplicate", "line 1"], "a duplicate key"),
            (b"topic: \xff\n", ":1:8: ", ["UTF-8"], "bad UTF-8"),
            (b"devices: &a [x, x]\ntopic: [*a, *a]\n", ":1:10: ", ["an anchor", "allowed"],
             "an anchor bomb"),
            (b"devices: " + b"[" * 10_000 + b"\n", ":1:", ["allowed"], "deep nesting"),
            (b"instance: ../x\n", ":1:11: ", ['"../x"', "1 to 24"], "a bad instance name"),
            (b"mtu: 'x\n", ":2:1: ", [], "broken YAML"),
            (None, ": ", ["No such file"], "a missing file")):
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_bytes(text)
        for program in primary, secondary:
            refused(tap, program(lab, "-c", path), "CONFIG", [f"{path}{where}", *wanted],
                    f"{program.__name__}: {what} is refused")
    for arguments in (["-c", path], ["-c", path, "--check"]):
        for expression, wanted in (("tcp prot 80", "syntax error"), ("tcp and udp", "rejects all"),
                                   ("inbound", "inbound/outbound not supported"),
                                   ("geneve or icmp", "by chance")):
            path.write_text(f'topic: t\nfilter: "{expression}"\n')
            refused(tap, primary(lab, *arguments), "CONFIG",
                    [f"{path}:2:9: filter: ", wanted, "allowed: "],
                    f"the filter '{expression}' is refused {arguments[2:]}")
    lab.write_config({**SMALL, "group": "rtap-nobody-has-this"})
    for arguments in [], ["--check"]:
        refused(tap, primary(lab, "-c", lab.config_path, *arguments), "CONFIG",
                [place_of(lab, "group"), "'rtap-nobody-has-this'", "groupadd --system"],
                f"an unknown group is refused {arguments}", lab)
    lab.write_config({**SMALL, "run-as": "rtap-nobody-has-this"})
    refused(tap, secondary(lab, "-c", lab.config_path), "CONFIG",
            [place_of(lab, "run-as"), "'rtap-nobody-has-this'", "useradd --system"],
            "an unknown user for the workers is refused")
    lab.write_config({**SMALL, "buffer-memory": "1MiB", "receive-queues": 16})
    refused(tap, primary(lab, "-c", lab.config_path), "CONFIG",
            [place_of(lab, "buffer-memory"), "at least 48"],
            "memory that is too small for the queues is refused", lab)


def full_disk(tap, lab):
    """What was asked for on stdout and did not get there is an error."""
    lab.write_config(SMALL)
    for name, arguments in (("capture-primary", ["--help"]), ("capture-primary", ["--keys"]),
                            ("capture-primary", ["--check", "-c", lab.config_path]),
                            ("kafka-secondary", ["--help"]), ("kafka-secondary", ["--version"]),
                            ("kafka-secondary", ["--check", "-c", lab.config_path])):
        outcome = run("sh", "-c", 'exec "$@" >/dev/full', "sh", lab.program(name, name), *arguments)
        tap.ok(outcome.code == EXIT["FAILURE"] and f"{name}: cannot write: No space" in outcome.err,
               f"{name} {arguments[0]} to a full disk", outcome)


def check_says_memory(tap, lab):
    lab.write_config({"receive-queues": 2, "buffer-memory": "64MiB"})
    outcome = primary(lab, "-c", lab.config_path, "--check")
    parts = [int(n) for n in re.findall(r"^#   .*?(\d+) MiB$", outcome.out, re.M)]
    total = re.search(r"^#   hugepages in all: (\d+) MiB$", outcome.out, re.M)
    # Each part is rounded down, their sum up to pages.
    tap.ok(outcome.code == 0 and total and len(parts) == 6 and parts[-1] == parts[-2]
           and 0 <= parts[-1] - sum(parts[:-2]) < 2 * len(parts),
           "--check says the memory needed and its parts", outcome.out)
    tap.ok(re.search(r"^# +\d+\.\d+ s at +10,000 packets/s$", outcome.out, re.M),
           "--check says how long the rings last", outcome.out)
    again = lab.directory / "again.yaml"
    again.write_text(outcome.out)
    tap.equal(primary(lab, "-c", again, "--check").out, outcome.out,
              "--check prints a configuration that means the same")


def refused_properties(tap, lab):
    """What librdkafka or the promise refuses, before anything is attached."""
    for part, name, value, wanted in (
            ("global", "compression.codec", "nonsense", ["compression.codec", "nonsense"]),
            ("global", "bootstrap.server", "x", ["bootstrap.server", "No such configuration"]),
            ("global", "ssl.ca.location", "/nonexistent/ca",
             ["kafka.global.ssl.ca.location: /nonexistent/ca: No such file", "workers' user"]),
            ("topic", "linger.ms", "5", ["linger.ms", "kafka.global"]),
            ("global", "acks", "0", ["acks=0", "not stored", "-1"]),
            ("topic", "request.required.acks", "0", ["acks=0", "not stored"]),
            ("global", "message.timeout.ms", "5000", ["message.timeout.ms=5000", "times out"]),
            ("topic", "delivery.timeout.ms", "5000", ["message.timeout.ms=5000", "times out"]),
            ("global", "delivery.report.only.error", "true", ["only.error=true", "released"]),
            ("global", "transactional.id", "x", ["transactional.id=x", "not sent in trans"]),
            ("global", "allow.auto.create.topics", "true", ["never creates", "partitions"]),
            ("global", "dr_msg_cb", "x", ["dr_msg_cb", "callbacks"]),
            ("global", "partitioner", "random", ["partitioner", "top level"])):
        extra = {"security.protocol": "ssl"} if name.startswith("ssl.") else {}
        lab.write_config({**SMALL, "kafka": {part: {**extra, name: value}}})
        for arguments in ["--check"], []:
            outcome = secondary(lab, "-c", lab.config_path, *arguments)
            refused(tap, outcome, "CONFIG", [str(lab.config_path), *wanted],
                    f"{' '.join([*arguments, name])}={value} is refused")
            tap.equal(outcome.out, "", f"{' '.join([*arguments, name])}: no other output")
    for name, value, wanted in (("acks", "1", "only the leader stored"),
                                ("enable.idempotence", "false", "order: strict")):
        lab.write_config({**SMALL, "order": "relaxed", "kafka": {"global": {name: value}}})
        outcome = secondary(lab, "-c", lab.config_path, "--check")
        tap.ok(outcome.code == 0 and sum(wanted in w for w in lines(outcome.err, "warning")) == 1,
               f"{name}={value} is warned about", outcome.err)


def killed_while_it_validates(tap, lab):
    """The process that validates properties is killed, or its parent is. A CA file that is a pipe
    holds it up meanwhile."""
    pipe = lab.directory / "ca.pem"
    os.mkfifo(pipe)
    lab.write_config({**SMALL, "kafka": {"global": {"security.protocol": "ssl",
                                                    "ssl.ca.location": str(pipe)}}})

    def start():
        program = lab.start("kafka-secondary", [
            lab.program("kafka-secondary", "kafka-secondary"), "-c", lab.config_path, "--check"])
        children = pathlib.Path(f"/proc/{program.pid}/task/{program.pid}/children")
        wait_for(children.read_text, "the child that validates", 10)
        child = int(children.read_text())
        program.wait_log(r"enable\.idempotence")
        return program, child

    program, child = start()
    os.kill(child, signal.SIGKILL)
    code = program.wait(10)
    refused(tap, Outcome(code, "", program.log()), "FAILURE", ["killed by signal 9 (Killed)"],
            "a killed validation is named")
    program, child = start()
    program.kill()
    wait_for(lambda: not pathlib.Path(f"/proc/{child}").exists(), "the end of the child", 10)
    tap.ok(True, "it ends with its parent")


def too_few_capabilities(tap, lab):
    """Root without the right to stop workers of another user."""
    lab.write_config({**SMALL, "run-as": "nobody"})
    for missing in "setuid", "setgid", "kill":
        outcome = run("setpriv", f"--bounding-set=-{missing}", lab.program(
            "kafka-secondary", "kafka-secondary"), "-c", lab.config_path)
        refused(tap, outcome, "CONFIG", [place_of(lab, "run-as"), "SETUID, SETGID and KILL"],
                f"run-as without CAP_{missing.upper()} is refused")


def not_root(tap, lab):
    """Copies in a world-readable directory: the build may be in a private one."""
    lab.write_config(SMALL)
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        shutil.copy(lab.config_path, directory)
        for name in "capture-primary", "kafka-secondary":
            shutil.copy(lab.program(name, name), directory)
            outcome = run("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                          f"{directory}/{name}", "-c", f"{directory}/{lab.config_path.name}")
            refused(tap, outcome, "NOT_ROOT", ["need root", "sudo"], f"{name} says it needs root",
                    lab)


# ---- memory and devices --------------------------------------------------------------------------

def too_few_hugepages(tap, lab):
    lab.write_config({**SMALL, "buffer-memory": "900GiB"})
    needed = primary(lab, "-c", lab.config_path, "--check").out
    pages = int(re.search(r"hugepages in all: (\d+) MiB", needed)[1]) * 1024 // HUGEPAGE_KIB
    outcome = primary(lab, "-c", lab.config_path)
    refused(tap, outcome, "HUGEPAGES", [f": {pages} of {HUGEPAGE_KIB} kB needed", "buffer-memory"],
            "too few hugepages: says how many are needed", lab)
    free, total, advice, path = re.search(
        r"(\d+) free of (\d+); run `echo (\d+) > (\S+)`", outcome.err).groups()
    tap.ok(pathlib.Path(path).exists() and int(advice) == int(total) - int(free) + pages,
           "too few hugepages: the command keeps what others use", outcome.err)

    # Without any: another view of sysfs for this process alone.
    sysfs = pathlib.Path(f"/sys/devices/system/node/node0/hugepages/hugepages-{HUGEPAGE_KIB}kB")
    fake = lab.directory / "no-hugepages"
    fake.mkdir(exist_ok=True)
    for name in "free_hugepages", "nr_hugepages":
        (fake / name).write_text("0\n")
    lab.write_config(SMALL)
    outcome = run("unshare", "--mount", "sh", "-c",
                  'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", fake, sysfs,
                  lab.program("capture-primary", "capture-primary"), "-c", lab.config_path)
    refused(tap, outcome, "HUGEPAGES", ["0 free of 0", "run `echo 17 > "],
            "no hugepages: says how many are needed", lab)


# In a cgroup with a limit of $3 bytes; 77 where its kind of hierarchy has no such limits.
CGROUP = """
mkdir -p "$1" && eval mount $2 none '"$1"' || exit 77
control=$1/cgroup.subtree_control undo=/dev/null
if grep -q hugetlb "$1/cgroup.controllers" 2>/dev/null && ! grep -q hugetlb "$control"; then
    echo +hugetlb > "$control" && undo=$control
fi
mkdir -p "$1/rtap-test/inner"
limit=$(ls "$1"/rtap-test/hugetlb.2MB.limit_in_bytes "$1"/rtap-test/hugetlb.2MB.max 2>/dev/null)
top=$1 bytes=$3 code=77
shift 3
if [ -n "$limit" ]; then
    echo $bytes > "$limit"
    sh -c 'echo $$ > "$0" && exec "$@"' "$top/rtap-test/inner/cgroup.procs" "$@"
    code=$?
fi
rmdir "$top/rtap-test/inner" "$top/rtap-test"
echo -hugetlb > "$undo"
sleep 0.3  # else the hierarchy of version 1 stays after its last mount
umount "$top"
exit $code
"""


def hugepages_of_a_cgroup(tap, lab):
    """A limit above the cgroup of the process: a container's."""
    lab.write_config(SMALL)
    seen = 0
    for kind in "-t cgroup2", "-t cgroup -o hugetlb":
        outcome = run("unshare", "--mount", "sh", "-c", CGROUP, "sh", lab.directory / "cgroup",
                      kind, 20 << 20, lab.program("capture-primary", "capture-primary"), "-c",
                      lab.config_path)
        if outcome.code == 77:
            continue
        seen += 1
        refused(tap, outcome, "HUGEPAGES",
                ["rtap-test/hugetlb.2MB.",
                 "allows 20 MiB, 0 MiB are in use, 34 MiB more are needed",
                 f"run `echo {34 << 20} > ", "hugepages-2Mi"],
                f"too few hugepages in a cgroup: mount {kind}", lab)
    tap.ok(seen > 0, "this kernel limits hugepages by cgroup", outcome)


def too_few_files(tap, lab):
    lab.write_config(SMALL)
    for what, command in (("the primary", primary), ("the secondary", secondary)):
        name = "capture-primary" if command is primary else "kafka-secondary"
        refused(tap, run("prlimit", "--nofile=24:24", lab.program(name, name), "-c",
                         lab.config_path), "FAILURE",
                ["too few open files: the hard limit is 24", "ulimit -Hn", "LimitNOFILE="],
                f"too few open files for {what}", lab)
    program = lab.start("capture-primary", [
        "prlimit", "--nofile=24:1024", lab.program("capture-primary", "capture-primary"), "-c",
        lab.config_path])
    program.wait_log("ready: ")
    tap.equal(program.stop(), 0, "a soft limit is raised to the hard one")


def no_hugetlbfs(tap, lab):
    """Without a mount: another view of the mounts for this process alone."""
    for directory, wanted in (
            ("", ["no hugetlbfs is mounted for pages of",
                  "run `mkdir -p /dev/hugepages && mount "]),
            (str(lab.directory), [f"no hugetlbfs is mounted at {lab.directory}",
                                  f"mount -t hugetlbfs nodev {lab.directory}`"])):
        lab.write_config({**SMALL, "hugepage-directory": directory})
        if directory:
            wanted.append(place_of(lab, "hugepage-directory"))
        outcome = run("unshare", "--mount", "sh", "-c", 'umount -a -t hugetlbfs && exec "$@"', "sh",
                      lab.program("capture-primary", "capture-primary"), "-c", lab.config_path)
        refused(tap, outcome, "HUGEPAGES", wanted,
                f"no hugetlbfs: says how to mount one, hugepage-directory '{directory}'", lab)


def nic_drivers():
    """(address, driver) of the PCI network devices."""
    for device in pathlib.Path("/sys/bus/pci/devices").iterdir():
        if int((device / "class").read_text(), 16) >> 16 == 2:
            driver = device / "driver"
            yield device.name, driver.resolve().name if driver.exists() else "no driver"


def no_ports(tap, lab):
    nics = [f"{address} ({driver})" for address, driver in nic_drivers()] or ["this machine: none"]
    for config, arguments, wanted, what in (
            ({"devices": []}, ["--", "--no-pci"], ["EAL found 0", *nics], "no device"),
            ({"port-mask": 8}, [], ["EAL found 1", "port-mask 0x8", *nics],
             "a port mask that takes none"),
            ({"devices": "0000:99:00.0"}, [], ["0000:99:00.0", *nics], "a PCI address of nothing"),
            ({"devices": ["net_ring0", "0000:99:00.0"]}, [], ["0000:99:00.0", *nics],
             "one device that is there and one that is not"),
            ({"devices": "net_tpa0,iface=x"}, [], ["devices", "dpdk-devbind", "net_tap0"],
             "an unknown driver")):
        lab.write_config({**SMALL, **config})
        outcome = primary(lab, "-c", lab.config_path, *arguments)
        refused(tap, outcome, "NO_PORTS", ["dpdk-devbind", *wanted], f"{what} is refused", lab)
    tap.ok("net_tpa0" in outcome.err, "EAL names the unknown device", outcome.err)


def device_limits(tap, lab):
    lab.write_config({**SMALL, "devices": f"net_tap0,iface={INTERFACE}", "receive-queues": 65,
                      "buffer-memory": "32MiB"})
    refused(tap, primary(lab, "-c", lab.config_path), "PORT",
            ["receive-queues is 65", "the device's maximum is "],
            "too many receive queues are refused", lab)
    tap.ok(INTERFACE not in lab.in_namespace("ip", "link"), "the device is gone again")

    lab.write_config({**SMALL, "receive-descriptors": 1024})
    shim = lab.program("test", "multiproc", "limited_device.so")
    program = start_primary(lab, environment=[f"LD_PRELOAD={shim}"])
    said = [text for text in lines(program.log(), "warning") if "receive-descriptors" in text]
    tap.ok(len(said) == 1 and "1024 adjusted to 512" in said[0],
           "descriptors are adjusted, a warning names both numbers", program.log())
    tap.equal(program.stop(), 0, "the primary with adjusted descriptors ends with 0")


def device_drops(tap, lab):
    """A device that drops 10 packets at each look for a second, and then forgets its statistics."""
    lab.write_config(SMALL)
    shim = lab.program("test", "multiproc", "limited_device.so")
    program = start_primary(lab, environment=[f"LD_PRELOAD={shim}", "RTAP_TEST_DROPS=10"])
    wait_for(lambda: lab.stats()["ports"][0]["missed"] == 103, "all drops", 20)
    time.sleep(0.5)
    port = lab.stats()["ports"][0]
    tap.equal((port["missed"], port["no_buffer"]), (103, 7),
              "drops of the device are counted on when its statistics jump back")
    said = [text for text in lines(program.log(), "warning") if "the device dropped" in text]
    tap.ok(len(said) == 2 and "receive-descriptors" in said[0] and "buffer-memory" in said[1],
           "each kind of drop is said once a minute, with what helps", program.log())
    tap.equal(program.stop(), 0, "the primary of a device that drops ends with 0")


def eal_arguments(tap, lab):
    lab.write_config({**SMALL, "devices": []})
    program = start_primary(lab, "--", "--no-pci", "--vdev=net_ring7")
    tap.ok("net_ring7" in program.log(), "EAL's arguments after -- reach EAL", program.log())
    tap.equal(program.stop(), 0, "the primary with EAL's arguments ends with 0")
    refused(tap, primary(lab, "-c", lab.config_path, "--", "--iova-mode=x"), "FAILURE",
            ["EAL does not start", "lines above"], "what EAL refuses is an error", lab)
    # Its own help has every argument that this EAL takes.
    names = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", run("dpdk-testpmd", "--help").out, re.M))
    unknown = [name for name in names if "has no argument" in primary(
        lab, "-c", lab.config_path, "--check", "--", name).err]
    tap.ok(len(names) > 30 and not unknown, "every argument of EAL is known", unknown or names)


# ---- one primary, of the same build --------------------------------------------------------------

def second_primary(tap, lab):
    lab.write_config(SMALL)
    program = start_primary(lab)
    before = left_behind(lab)
    refused(tap, primary(lab, "-c", lab.config_path), "ALREADY_RUNNING",
            [f"instance {lab.name} is already running", f"(pid {program.pid})", "`instance`"],
            "a second primary is refused, it names the first one's pid")
    refused(tap, primary(lab, "-c", lab.config_path, "--wait"), "ALREADY_RUNNING",
            [f"(pid {program.pid})"], "--wait does not wait for a primary that runs")
    tap.equal(set(left_behind(lab)), set(before), "the first primary keeps its files")
    tap.ok(program.is_running() and lab.stats()["primary"]["state"] == "running",
           "the first one goes on")
    tap.equal(program.stop(), 0, "the first one ends with 0")


def no_primary(tap, lab):
    lab.write_config(SMALL)
    wanted = [f"instance {lab.name} has no running primary", "start capture-primary"]
    refused(tap, secondary(lab, "-c", lab.config_path), "NO_PRIMARY", wanted,
            "a secondary after its primary stopped is refused", lab)
    shutil.rmtree(lab.instance_directory)
    refused(tap, secondary(lab, "-c", lab.config_path), "NO_PRIMARY", wanted,
            "a secondary of an instance that never was is refused", lab)
    tap.ok(not lab.instance_directory.exists(), "it does not make the instance's directory")
    # EAL takes its time: stopped as soon as it has its locks, a primary is not ready.
    program = lab.start("capture-primary", [
        lab.program("capture-primary", "capture-primary"), "-c", lab.config_path])
    wait_for((lab.instance_directory / "primary").exists, "primary's file", 10)
    program.send_signal(signal.SIGSTOP)
    starting = "ready: " not in program.log()
    outcome = secondary(lab, "-c", lab.config_path)
    program.send_signal(signal.SIGCONT)
    if starting:
        refused(tap, outcome, "NO_PRIMARY", ["is starting", "ready"],
                "a secondary before its primary is ready is refused")
    else:
        tap.ok(False, "the primary was caught before it was ready", program.log())
    program.wait_log("ready: ")
    tap.equal(program.stop(), 0, "that primary starts none the less")


def mismatches(tap, lab):
    lab.write_config(SMALL)
    program = start_primary(lab)
    zone = control_zone.ControlZone(program.pid, lab.name)
    runtime = lab.instance_directory / "dpdk" / lab.name
    files = {path.name for path in runtime.iterdir()}
    ring = zone.ring("rtap_p0_q0_r0") - zone.base
    info = lab.instance_directory / "primary"
    text = info.read_text()

    @contextlib.contextmanager
    def patched(offset, data):
        original = control_zone.read(program.pid, zone.base + offset, len(data))
        control_zone.write(program.pid, zone.base + offset, data)
        yield
        control_zone.write(program.pid, zone.base + offset, original)

    @contextlib.contextmanager
    def edited():
        info.write_text(text.replace("dpdk: DPDK ", "dpdk: DPDK 9"))
        yield
        info.write_text(text)

    for change, wanted, what in (
            (patched(control_zone.VERSION_OFFSET, struct.pack("<I", 77)),
             ["layout", "version 77", "one build"], "another layout version"),
            (patched(control_zone.BYTES_OFFSET, struct.pack("<I", 12345)),
             ["layout", "12345 bytes", f"{zone.block_bytes} bytes"], "another size of the block"),
            (patched(control_zone.DPDK_OFFSET, b"DPDK 99.1\0"),
             ["DPDK 99.1", "one build"], "another DPDK in the block"),
            (patched(control_zone.NB_RINGS_OFFSET, struct.pack("<I", 1 << 31)),
             ["shared block is corrupted", "restart the primary"], "a wild number of rings"),
            (patched(control_zone.TIME_OFFSET, struct.pack("<i", 0)),
             ["shared block is corrupted", "restart the primary"],
             "a time somewhere else in the packet"),
            (patched(ring + control_zone.RING_MASK, struct.pack("<I", (1 << 31) - 1)),
             ["rtap_p0_q0_r0", "restart the primary"], "a ring with a wild mask"),
            (patched(ring + control_zone.RING_SIZE, struct.pack("<I", 0)),
             ["rtap_p0_q0_r0", "restart the primary"], "a ring without slots"),
            (edited(), ["DPDK 9", "one build"], "another DPDK in the instance's file")):
        with change:
            refused(tap, secondary(lab, "-c", lab.config_path), "MISMATCH", wanted,
                    f"{what} is refused")
        tap.equal({path.name for path in runtime.iterdir()}, files, f"{what}: nothing is left")
    tap.equal(program.stop(), 0, "the primary ends with 0")
    tap.none(left_behind(lab), "the primary leaves nothing behind")


# ---- after a death -------------------------------------------------------------------------------

def leftovers(tap, lab):
    lab.write_config(SMALL)
    start_primary(lab).kill()
    tap.ok(len(left_behind(lab)) > 5, "a killed primary leaves files")
    tap.equal(lab.stats()["primary"]["state"], "killed", "the stats tool says that it was killed")
    tap.equal(start_primary(lab).stop(), 0, "the next one starts and ends")
    tap.none(left_behind(lab), "and leaves nothing")


def workers_of_a_killed_primary(tap, lab):
    orphan_timeout_s = 4
    lab.write_config({"orphan-timeout-s": orphan_timeout_s, "buffer-memory": "16MiB",
                      "kafka": {"global": {"bootstrap.servers": "127.0.0.1:1"}}})
    program = lab.start_primary()
    secondary = lab.start_secondary(2)
    wait_for(lambda: len(lab.stats()["workers"]) == 2, "two workers", 10)
    lab.traffic(100, 5_000)  # something to stay for
    pids = users_of(lab.instance_directory / "attached.lock")
    program.kill()
    died = time.monotonic()
    outcome = primary(lab, "-c", lab.config_path)
    refused(tap, outcome, "ALREADY_RUNNING", ["orphan-timeout-s", "--wait"],
            "a primary does not start beside transmit workers of a killed one")
    named = re.search(r"\(pids ([\d ]+)\)", outcome.err)
    tap.equal({int(pid) for pid in named[1].split()} if named else None, pids,
              "it names their pids")
    tap.ok(len(pids) == 3 and secondary.pid in pids, "a supervisor and two workers", pids)
    following = start_primary(lab, "--wait")
    waited = time.monotonic() - died
    tap.ok(orphan_timeout_s - 1 < waited < orphan_timeout_s + 5, "with --wait it starts after them",
           waited)
    tap.equal(secondary.wait(5), EXIT["NO_PRIMARY"],
              "the secondary ends with the code of no primary")
    lab.secondaries.remove(secondary)
    tap.equal(following.stop(), 0, "the following primary ends with 0")


# ---- Kafka ---------------------------------------------------------------------------------------

class Outage:
    """A broker that cannot be reached for more than a minute, while other cases run."""

    COUNT = 500

    def __init__(self, lab):
        self.lab = lab
        # Not of those that other tests take: it must be free when the broker comes back.
        lab.start_broker(port=9392)
        lab.create_topic(partitions=8)
        # From now on the broker itself would create a topic that somebody asks for.
        lab.stop_one_broker(1)
        for path in lab.broker_directory.rglob("server.properties"):
            text = path.read_text()
            path.write_text(text.replace("auto.create.topics.enable=false",
                                         "auto.create.topics.enable=true"))
        lab.write_config({"buffer-memory": "16MiB"})
        self.primary = lab.start_primary()
        self.secondary = lab.start_secondary(2)
        self.secondary.wait_log("no broker reachable", SAID_WITHIN_S)
        self.began = time.monotonic()
        self.sent = lab.traffic(self.COUNT, 5_000)

    def said(self):
        return [text for text in lines(self.secondary.log(), "warning")
                if "no broker reachable" in text]

    def verdict(self, tap):
        lab = self.lab
        rest = SAY_AGAIN_S - 5 - (time.monotonic() - self.began)
        tap.note(f"other cases took {time.monotonic() - self.began:.0f} s of the minute")
        time.sleep(max(rest, 0))
        if rest > 0:
            tap.equal(len(self.said()), 1, "no broker: said once in the first minute")
        wait_for(lambda: len(self.said()) == 2, "second line about the broker",
                 5 + SAID_WITHIN_S + max(-rest, 0))
        tap.ok(lab.bootstrap in self.said()[0] and "packets wait" in self.said()[0]
               and "trying" in self.said()[0], "no broker: the line says what happens", self.said())
        tap.equal(lines(self.secondary.log(), "error"), [], "no broker: nothing else is said")
        tap.ok(self.secondary.is_running(), "no broker: the secondary keeps trying")
        tap.equal(sum(q["outstanding"] for q in lab.stats()["queues"]), self.COUNT,
                  "no broker: packets wait in the rings")
        lab.start_one_broker(1)
        lab.wait_delivered(self.COUNT)
        self.secondary.wait_log("is reachable again|partitions", 10)
        same_frames(tap, compare(self.sent.frames(), (r.value for r in lab.read_topic())))


def unknown_topic(tap, lab):
    """The broker would create it; a secondary that serves another topic is at work beside."""
    serving = set(lab.workers())
    lab.write_config({"buffer-memory": "16MiB", "topic": "absent"})
    waiting = lab.start_secondary(1)
    waiting.wait_log("topic absent does not exist", 15)
    said = lines(waiting.log(), "warning")
    tap.ok(len(said) == 1 and lab.bootstrap in said[0] and "--create --topic absent" in said[0],
           "an unknown topic: one line with the remedy", waiting.log())
    time.sleep(4)  # several more attempts
    tap.equal(lines(waiting.log(), "warning"), said, "an unknown topic: said once a minute")
    tap.ok(waiting.is_running(), "an unknown topic: waits for it")
    tap.equal(set(lab.workers()), serving, "an unknown topic: takes no ring from those who serve")
    tap.equal(topics(lab), {"pcap"}, "an unknown topic: is never created")
    lab.create_topic(partitions=8)
    wait_for(lambda: len(lab.workers()) == len(serving) + 1, "third worker", 15)
    tap.ok("topic absent: 8 partitions" in waiting.log(), "it serves as soon as the topic is there",
           waiting.log())
    tap.equal(lab.stop_secondary(waiting), 0, "it ends with 0")

    call("kcat", "-P", "-b", lab.bootstrap, "-t", "control", "-K:", "-l", lab.config_path)
    tap.ok("control" in topics(lab), "the broker would have created it for others", topics(lab))


def topics(lab):
    """Names of the topics, by a client that is not ours and asks for none."""
    text = call("kcat", "-L", "-b", lab.bootstrap)
    return {name for name in re.findall(r'topic "([^"]+)"', text) if not name.startswith("__")}


def the_minute_of_an_outage(tap, outage):
    outage.verdict(tap)
    unknown_topic(tap, outage.lab)
    outage.lab.stop()


def main():
    tap = Tap()
    with Lab("rterrors") as lab, Lab("rtoutage") as other:
        outage = Outage(other)
        for part in (command_lines, bad_configurations, full_disk, check_says_memory,
                     refused_properties, killed_while_it_validates, not_root,
                     too_few_capabilities, too_few_hugepages, hugepages_of_a_cgroup,
                     too_few_files, no_hugetlbfs, no_ports, device_limits, device_drops,
                     eal_arguments, second_primary, no_primary, mismatches, leftovers,
                     workers_of_a_killed_primary):
            tap.run(part, lab)
            lab.end_programs()
        tap.run(the_minute_of_an_outage, outage)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
