# SPDX-License-Identifier: BSD-3-Clause
"""A machine made of files, for tools/doctor --root: two nodes, two NICs, all as it should be."""

import fcntl
import json
import os
import pathlib
import shutil
import tempfile

MAIN, SPARE = "0000:03:00.0", "0000:81:00.0"  # NICs: one at each node
SIZES = {2048: "hugepages-2048kB", 1048576: "hugepages-1048576kB"}
CPU = "sys/devices/system/cpu"
NODE = "sys/devices/system/node"
PCI = "sys/bus/pci/devices"
BUILD = pathlib.Path(os.environ.get("RINGTAP_BUILD")
                     or pathlib.Path(__file__).resolve().parents[2] / "build")
SECONDARY = BUILD / "kafka-secondary" / "kafka-secondary"

CHECKED = """\
instance: "ringtap"
devices: ["{device}"]
receive-lcores: "{lcores}"
main-lcore: 0
mtu: 9000
topic: "{topic}"
hugepage-directory: "{directory}"
worker-cpus: "{workers}"
run-as: "{user}"
kafka:
  statistics-file: "{statistics}"
  global:
    bootstrap.servers: "{servers}"
  topic: {{}}
# memory
#   node 0: mempool 1 buffers, 1 MiB
#           hugepages {mib} MiB
#   hugepages in all: {mib} MiB
"""


class Machine:
    """Files below a temporary root. A test changes what it is about; close() removes all."""

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="ringtap-machine."))
        self.config = self.root / "ringtap.yaml"
        self.locked = []  # open files
        self.write("ringtap.yaml", "topic: pcap\n")
        self._make_cpus()
        self._make_memory()
        self._make_nics()
        self._make_process()
        self.write("adjtimex", "0 1500")
        self.secondary("exit 0")
        self.checked()

    def close(self):
        for file in self.locked:
            file.close()
        shutil.rmtree(self.root)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- parts --

    def secondary(self, checks):
        """A kafka-secondary whose --check is `checks`; it lists properties as the real one does."""
        self.program("kafka-secondary",
                     f'[ "$1" != --properties ] || exec {SECONDARY} "$@"\n{checks}')

    def workers(self, *reasons):
        """A stats-tool that shows transmit workers which wait for these reasons, and one gone."""
        workers = [{"state": "serving", "waiting_for": reason} for reason in reasons]
        workers.append({"state": "gone", "waiting_for": "nothing"})
        self.program("stats-tool", f"echo '{json.dumps({'workers': workers})}'")

    def write(self, name, text=""):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(text))
        return path

    def remove(self, name):
        path = self.root / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def link(self, name, target):
        """A symbolic link, in place of what was there."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    def program(self, name, script):
        self.write(f"usr/bin/{name}", f"#!/bin/sh\n{script}\n").chmod(0o755)

    def checked(self, device=MAIN, mib=256, directory="", workers="", user="",
                servers="127.0.0.1:1", lcores="2-3", statistics="", topic="pcap"):
        """What capture-primary --check says."""
        text = CHECKED.format(device=device, mib=mib, directory=directory, workers=workers,
                              user=user, servers=servers, lcores=lcores,
                              statistics=statistics, topic=topic)
        self.program("capture-primary", f"cat <<'END'\n{text}END")

    def refers(self, prop, value, mode, name="secret"):
        """A property of Kafka that names a FILE."""
        path = self.write(name, "x\n")
        path.chmod(mode)
        value = value.replace("FILE", str(path))
        self.write("ringtap.yaml", f"kafka: {{global: {{{prop}: {value}}}}}\n")

    def speaks_tls(self, **files):
        """Properties ssl.NAME.location of Kafka."""
        lines = "".join(f", ssl.{name}.location: {path}" for name, path in files.items())
        self.write("ringtap.yaml", f"kafka: {{global: {{security.protocol: ssl{lines}}}}}\n")

    def refused(self, line):
        self.program("capture-primary", f"echo '{line}' >&2; exit 3")

    def _make_cpus(self):
        self.write(f"{CPU}/online", "0-7")
        self.write(f"{CPU}/isolated", "2-3")
        for cpu in range(8):
            self.write(f"{CPU}/cpu{cpu}/cpufreq/scaling_governor", "performance")
        self.write("proc/cpuinfo", "vendor_id\t: GenuineIntel\n")

    def _make_memory(self):
        self.write("proc/meminfo", "MemTotal: 1 kB\nHugepagesize:       2048 kB\n")
        self.write("proc/mounts", "nodev /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\n")
        self.write("dev/hugepages/.keep")
        self.remove("dev/hugepages/.keep")
        for node, cpus in ((0, "0-3"), (1, "4-7")):
            self.write(f"{NODE}/node{node}/cpulist", cpus)
            self.pages(node, 2048, 256)
            self.pages(node, 1048576, 0)
        for name in SIZES.values():
            self.write(f"sys/kernel/mm/hugepages/{name}/nr_hugepages", 512)

    def mounts_1g(self, directory="/mnt/huge_1GB"):
        """Pages that are not of the default size, named in the configuration."""
        self.write("proc/mounts", "nodev /mnt hugetlbfs rw,pagesize=2M 0 0\n"
                   "nodev /mnt/huge_1GB hugetlbfs rw,pagesize=1024M 0 0\n")
        (self.root / "mnt/huge_1GB/below").mkdir(parents=True)
        self.checked(directory=directory)

    def cgroup(self, line, mount, files):
        """The cgroup of the process: its line in /proc, its mount, and files by name."""
        self.write("proc/self/cgroup", f"1:cpu:/elsewhere\n{line}\n")
        with open(self.root / "proc/mounts", "a", encoding="utf-8") as mounts:
            mounts.write(f"cgroup {mount} 0 0\n")
        for name, value in files.items():
            self.write(f"sys/fs/cgroup/{name}", value)

    def pages(self, node, kib, total, free=None):
        directory = f"{NODE}/node{node}/hugepages/{SIZES[kib]}"
        self.write(f"{directory}/nr_hugepages", total)
        self.write(f"{directory}/free_hugepages", total if free is None else free)

    def _make_nics(self):
        self.nic(MAIN, "vfio-pci", 0, group=7)
        self.nic(SPARE, "ixgbe", 1, group=8, interface="eno2")
        self.write("sys/module/vfio_pci/refcnt", 1)
        self.write("proc/net/route", "Iface\tDestination\neno1\t00000000\n")

    def nic(self, address, driver, node, group=None, interface=None):
        self.write(f"{PCI}/{address}/class", "0x020000")
        self.write(f"{PCI}/{address}/numa_node", node)
        self.driver(address, driver)
        if interface:
            self.write(f"{PCI}/{address}/net/{interface}/mtu", 1500)
        if group is not None:
            self.group(group, address)

    def driver(self, address, name):
        self.link(f"{PCI}/{address}/driver", f"../../../../bus/pci/drivers/{name}")

    def group(self, number, *addresses):
        """An IOMMU group and its devices."""
        for address in addresses:
            self.link(f"sys/kernel/iommu_groups/{number}/devices/{address}",
                      self.root / PCI / address)
            self.link(f"{PCI}/{address}/iommu_group",
                      self.root / f"sys/kernel/iommu_groups/{number}")

    def no_iommu(self):
        self.remove("sys/kernel/iommu_groups")

    def _make_process(self):
        self.limits("unlimited", 65536)
        self.write("proc/self/status", "Name: x\nCapEff:\t0000000000000000\n")

    def limits(self, memlock, nofile):
        self.write("proc/self/limits",
                   f"Limit                     Soft Limit           Hard Limit           Units\n"
                   f"Max open files            {nofile:<20} 1048576              files\n"
                   f"Max locked memory         {memlock:<20} unlimited            bytes\n")

    def hugepage_file(self, name, mapped_by=None, locked=False):
        """A file of 2 MiB in hugetlbfs; a process maps it or none does, or has EAL's lock on it."""
        path = self.root / "dev/hugepages" / name
        path.write_bytes(b"\1" * (2 << 20))
        stat = path.stat()
        if mapped_by:
            where = f"{os.major(stat.st_dev):02x}:{os.minor(stat.st_dev):02x}"
            self.write(f"proc/{mapped_by}/maps", "100000000-100200000 rw-s 00000000 "
                       f"{where} {stat.st_ino}      /dev/hugepages/{name}\n")
        if locked:
            self.locked.append(open(path, "rb"))
            fcntl.flock(self.locked[-1], fcntl.LOCK_SH)
