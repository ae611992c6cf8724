#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/doctor on machines made of files, each status of each check; and on this one. TAP."""

import os
import pathlib
import stat
import subprocess
import sys
import types
import unittest.mock

from doctor_run import DOCTOR, SOURCE, doctor, nowhere_to_write, says
from machine import CPU, MAIN, NODE, PCI, SPARE, Machine
from tap import Tap

NAMES = ["configuration", "hugepages", "hugepage-mount", "stale-hugepages", "limits", "iommu",
         "drivers", "numa", "isolation", "governor", "time", "brokers", "topic", "acl",
         "quota", "workers"]
USER = "nobody"  # of the workers
NOIOMMU = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode"


def nothing(_):
    """Changes nothing in a machine."""


def in_cgroup(machine, **values):
    """In the cgroup /pod/container, with files hugetlb.2MB.* of /pod."""
    machine.cgroup("0::/pod/container", "/sys/fs/cgroup cgroup2 rw", {
        f"pod/{name.replace('hugetlb_', 'hugetlb.2MB.').replace('_', '.')}": value
        for name, value in values.items()})


# (check, status, what is changed in a good machine, what the line has)
CASES = (
    ("configuration", "ok", nothing, "is valid, 256 MiB of hugepages needed"),
    ("configuration", "fail", lambda m: m.remove("usr/bin/kafka-secondary"),
     "there is no kafka-secondary", "ninja -C build"),
    ("configuration", "fail", lambda m: m.remove("usr/bin/capture-primary"),
     "there is no capture-primary", "ninja -C build"),
    ("configuration", "warn", lambda m: m.write(
        "ringtap.yaml", "kafka: {global: {sasl.password: p4ss}}\n").chmod(0o644),
     "holds a secret and is world-readable", "chmod o="),
    ("configuration", "ok", lambda m: m.write(
        "ringtap.yaml", "kafka: {global: {sasl.password: p4ss}}\n").chmod(0o640), "is valid"),
    ("configuration", "ok", lambda m: m.write(
        "ringtap.yaml", "kafka: {global: {sasl.password: {env: P4SS}}}\n").chmod(0o644),
     "is valid"),
    ("configuration", "fail", lambda m: m.refused("ringtap.yaml:1:1: unknown key"),
     "ringtap.yaml:1:1: unknown key", "capture-primary --keys"),
    ("configuration", "fail",
     lambda m: m.program("kafka-secondary", "echo 'kafka.global.acks: refused' >&2; exit 3"),
     "kafka.global.acks: refused", "edit"),

    ("configuration", "warn", lambda m: m.refers("sasl.password", "{file: FILE}", 0o604),
     "secret is world-readable -> chmod o-r /"),
    ("configuration", "ok", lambda m: (m.checked(user=USER),
                                       m.refers("sasl.password", "{file: FILE}", 0o600)),
     "is valid"),  # read as root
    ("configuration", "warn", lambda m: m.refers("ssl.key.location", "FILE", 0o644),
     "is world-readable", "-> chown root /", "secret && chmod 400 /"),
    ("configuration", "ok", lambda m: m.refers("ssl.ca.location", "FILE", 0o644), "is valid"),
    ("configuration", "ok", lambda m: m.refers("ssl.key.location", "FILE", 0o600), "is valid"),
    ("configuration", "fail", lambda m: (m.checked(user=USER), m.root.chmod(0o755),
                                         m.refers("ssl.key.location", "FILE", 0o600)),
     "cannot read /", f"(ssl.key.location) -> chown {USER} /", "secret && chmod 400 /"),
    ("configuration", "fail", lambda m: (m.checked(user=USER), m.root.chmod(0o755),
                                         m.refers("ssl.ca.location", "FILE", 0o600)),
     "(ssl.ca.location) -> chmod o+r /"),
    ("configuration", "fail", lambda m: (m.checked(user=USER),  # its directory is root's
                                         m.refers("sasl.kerberos.keytab", "FILE", 0o644)),
     "(sasl.kerberos.keytab) -> move it to a directory that user"),

    ("configuration", "fail",
     lambda m: m.refers("sasl.kerberos.keytab", "/nonexistent/keytab", 0o600),
     "sasl.kerberos.keytab: there is no /nonexistent/keytab", "put it there, or edit /"),
    ("configuration", "fail", lambda m: m.refers("ssl.ca.location", "FILE/ca.pem", 0o600),
     "ssl.ca.location: there is no /", "secret/ca.pem"),
    ("configuration", "ok", lambda m: m.refers("ssl.ca.location", "probe", 0o600), "is valid"),
    ("configuration", "ok", lambda m: m.refers("ssl.ca.location", "/tmp", 0o600), "is valid"),
    ("configuration", "fail", lambda m: m.checked(statistics="/nonexistent/a b/s.json"),
     "kafka.statistics-file: there is no /nonexistent/a b -> mkdir -p '/nonexistent/a b'"),
    ("configuration", "ok", lambda m: m.checked(statistics="/tmp/s.json"), "is valid"),
    # a name that a shell would split
    ("configuration", "warn", lambda m: m.refers("sasl.password", "{file: FILE}", 0o604, "a key"),
     "is world-readable", "-> chmod o-r '/", "/a key'"),
    ("configuration", "warn", lambda m: m.refers("ssl.key.location", "FILE", 0o644, "a key"),
     "is world-readable", "-> chown root '/", "/a key' && chmod 400 '/"),
    ("configuration", "fail", lambda m: (m.checked(user=USER), m.root.chmod(0o755),
                                         m.refers("ssl.ca.location", "FILE", 0o600, "a key")),
     "-> chmod o+r '/", "/a key'"),

    ("hugepages", "ok", nothing, "node 0: 128 of 2 MiB needed, 256 free of 256"),
    ("hugepages", "ok", lambda m: (m.pages(0, 2048, 256, 1),
                                   m.hugepage_file("ringtapmap_0", mapped_by=77)),
     "node 0: 256 of 2 MiB, 1 free, node 1: 256 of 2 MiB, 256 free; instance ringtap runs in them"),
    ("hugepages", "warn", lambda m: m.refused("no"), "the need is unknown",
     "--only configuration"),
    ("hugepages", "fail", lambda m: m.pages(0, 2048, 256, 100),
     "node 0: 128 of 2 MiB needed, 100 free of 256", f"echo 284 > /{NODE}/node0/"),
    ("hugepages", "fail", lambda m: (m.pages(0, 2048, 256, 100), m.hugepage_file("ringtapmap_0")),
     "node 0: 128 of 2 MiB needed"),
    ("hugepages", "ok", lambda m: (m.pages(0, 2048, 256, 127), m.hugepage_file("ringtapmap_0")),
     "node 0: 128 of 2 MiB needed, 127 free"),  # the next start removes its own file
    ("hugepages", "fail", lambda m: (m.pages(0, 2048, 256, 127), m.hugepage_file("rtemap_0")),
     "node 0: 128 of 2 MiB needed, 127 free"),
    ("hugepages", "fail", lambda m: (m.pages(0, 2048, 0), m.pages(1, 2048, 0)),
     "none are reserved", f"echo 256 > /{NODE}/node0/hugepages/hugepages-2048kB/nr_hugepages"),
    ("hugepages", "fail", lambda m: m.write("proc/meminfo", "MemTotal: 1 kB\n"),
     "this kernel has no hugepages", "CONFIG_HUGETLBFS"),
    ("hugepages", "ok", lambda m: (m.write("proc/meminfo", "Hugepagesize: 1048576 kB\n"),
                                   m.pages(0, 1048576, 4)),
     "node 0: 1 of 1 GiB needed, 4 free of 4"),
    *(("hugepages", "ok", lambda m, directory=directory: (m.mounts_1g(directory),
                                                          m.pages(0, 1048576, 4)),
       "node 0: 1 of 1 GiB needed, 4 free of 4")
      for directory in ("/mnt/huge_1GB", "/mnt/huge_1GB/", "/mnt/huge_1GB/below")),

    ("hugepages", "ok", lambda m: in_cgroup(m, hugetlb_max=256 << 20), "128 of 2 MiB needed"),
    ("hugepages", "ok", lambda m: in_cgroup(m, hugetlb_max="max"), "128 of 2 MiB needed"),
    ("hugepages", "fail", lambda m: in_cgroup(m, hugetlb_max=254 << 20),
     "the cgroup leaves 254 MiB of 256 MiB needed: /sys/fs/cgroup/pod/hugetlb.2MB.max is 266338304",
     "echo max > /sys/fs/cgroup/pod/hugetlb.2MB.max", "limits: hugepages-2Mi: 256Mi"),
    ("hugepages", "fail", lambda m: in_cgroup(m, hugetlb_max=300 << 20, hugetlb_current=48 << 20),
     "the cgroup leaves 252 MiB of 256 MiB needed"),
    ("hugepages", "ok", lambda m: (in_cgroup(m, hugetlb_max=256 << 20, hugetlb_current=2 << 20),
                                   m.hugepage_file("ringtapmap_0")),
     "128 of 2 MiB needed"),  # the next start removes its own file
    ("hugepages", "fail", lambda m: in_cgroup(m, hugetlb_max="max", hugetlb_rsvd_max=64 << 20),
     "64 MiB of 256 MiB needed: /sys/fs/cgroup/pod/hugetlb.2MB.rsvd.max is"),
    ("hugepages", "fail", lambda m: m.cgroup(
        "4:memory,hugetlb:/docker/7", "/sys/fs/cgroup/hugetlb cgroup rw,hugetlb",
        {"hugetlb/docker/hugetlb.2MB.limit_in_bytes": 64 << 20}),
     "64 MiB of 256 MiB needed: /sys/fs/cgroup/hugetlb/docker/hugetlb.2MB.limit_in_bytes is"),
    ("hugepages", "fail", lambda m: m.cgroup(  # a container sees its own directory as the mount
        "4:hugetlb:/docker/7", "/sys/fs/cgroup/hugetlb cgroup rw,hugetlb",
        {"hugetlb/hugetlb.2MB.rsvd.limit_in_bytes": 64 << 20}),
     "64 MiB of 256 MiB needed: /sys/fs/cgroup/hugetlb/hugetlb.2MB.rsvd.limit_in_bytes is"),

    ("hugepage-mount", "ok", nothing, "/dev/hugepages (2 MiB)"),
    ("hugepage-mount", "warn", lambda m: m.write(
        "proc/mounts", "nodev /dev/hugepages hugetlbfs rw,pagesize=2M 0 0\n"
        "nodev /mnt/huge hugetlbfs rw 0 0\n"), "several have the same page size",
     "hugepage-directory"),
    ("hugepage-mount", "fail", lambda m: m.write("proc/mounts", "proc /proc proc rw 0 0\n"),
     "hugetlbfs is not mounted", "mount -t hugetlbfs -o pagesize=2M nodev /dev/hugepages"),
    ("hugepage-mount", "fail", lambda m: m.write(
        "proc/mounts", "nodev /mnt/huge_1GB hugetlbfs rw,pagesize=1024M 0 0\n"),
     "none is mounted with pages of 2 MiB", "mount -t hugetlbfs"),
    *(("hugepage-mount", "ok", lambda m, directory=directory: m.mounts_1g(directory),
       "/mnt/huge_1GB (1 GiB)")
      for directory in ("/mnt/huge_1GB", "/mnt/huge_1GB/", "/mnt/huge_1GB/below")),
    ("hugepage-mount", "fail", lambda m: m.mounts_1g("/mnt/huge_1GB/absent"),
     "hugepage-directory /mnt/huge_1GB/absent is no hugetlbfs", "mkdir -p /mnt/huge_1GB/absent"),
    ("hugepage-mount", "fail", lambda m: (m.write("dev/hugepages2/x"),
                                          m.checked(directory="/dev/hugepages2")),
     "hugepage-directory /dev/hugepages2 is no hugetlbfs", "mkdir -p /dev/hugepages2"),
    ("hugepage-mount", "fail", lambda m: m.checked(directory="/mnt/other"),
     "hugepage-directory /mnt/other is no hugetlbfs", "mkdir -p /mnt/other"),

    ("hugepage-mount", "fail", lambda m: m.checked(directory="/mnt/a b"),
     "hugepage-directory /mnt/a b is no", "mkdir -p '/mnt/a b' &&", "nodev '/mnt/a b'"),

    ("stale-hugepages", "ok", nothing, "no files"),
    ("stale-hugepages", "ok", lambda m: m.hugepage_file("ringtapmap_0", mapped_by=77),
     "1 files, all in use"),
    ("stale-hugepages", "ok", lambda m: m.hugepage_file("ringtapmap_0", locked=True),
     "1 files, all in use"),  # by a process that is not seen here
    ("stale-hugepages", "warn", lambda m: (m.hugepage_file("ringtapmap_0", mapped_by=77),
                                           m.hugepage_file("rtemap_3")),
     "no process maps /dev/hugepages/rtemap_3 (2 MiB) -> rm /dev/hugepages/rtemap_3"),
    ("stale-hugepages", "fail", lambda m: (m.pages(0, 2048, 256, 127),
                                           m.hugepage_file("rtemap_3")),
     "no process maps /dev/hugepages/rtemap_3 (2 MiB), and too few pages are free -> rm "),
    ("stale-hugepages", "warn", lambda m: (m.pages(0, 2048, 256, 100),
                                           m.hugepage_file("ringtapmap_0")),
     "no process maps /dev/hugepages/ringtapmap_0 (2 MiB) -> rm "),

    ("stale-hugepages", "warn", lambda m: m.hugepage_file("a b"), "-> rm '/dev/hugepages/a b'"),

    ("limits", "ok", nothing, "65536 files may be open"),
    ("limits", "ok", lambda m: (m.limits(65536, 1024), m.write(
        "proc/self/status", "CapEff:\t0000000000004000\n")), "locked without limit"),
    ("limits", "warn", lambda m: m.limits(1 << 30, 65536), "no more than 1048576 KiB",
     "ulimit -l unlimited"),
    ("limits", "warn", lambda m: (m.limits(65536, 65536), m.checked(device="net_tap0")),
     "no more than 64 KiB may be locked", "ulimit -l unlimited"),  # vfio-pci alone locks
    ("limits", "warn", lambda m: m.limits("unlimited", 1023), "only 1023 files", "ulimit -n"),
    ("limits", "fail", lambda m: m.limits(65536, 65536), "64 KiB may be locked, 262144 KiB",
     "LimitMEMLOCK=infinity"),
    ("limits", "fail", lambda m: m.limits("unlimited", 255), "only 255 files", "LimitNOFILE"),
    ("limits", "fail", lambda m: m.limits(1 << 30, 255),
     "only 255 files may be open; no more than 1048576 KiB may be locked -> ulimit -n 65536"),

    ("iommu", "ok", nothing, "on, 2 groups"),
    ("iommu", "ok", lambda m: (m.no_iommu(), m.checked(device="net_tap0")), "virtual devices"),
    ("iommu", "warn", lambda m: (m.no_iommu(), m.driver(MAIN, "uio_pci_generic")),
     "off: vfio-pci cannot work", "intel_iommu=on", "--bind=uio_pci_generic ADDRESS"),
    ("iommu", "warn", lambda m: (m.no_iommu(), m.write(NOIOMMU, "Y")),
     "works without its protection", "iommu=pt"),
    ("iommu", "fail", lambda m: m.no_iommu(), f"off, and {MAIN} is bound to vfio-pci",
     f"modprobe uio_pci_generic && dpdk-devbind.py --bind=uio_pci_generic {MAIN}"),
    ("iommu", "fail", lambda m: (m.no_iommu(), m.write(NOIOMMU, "N")), f"off, and {MAIN} is",
     f"echo Y > /{NOIOMMU}"),
    ("iommu", "fail", lambda m: (m.no_iommu(), m.write("proc/sys/kernel/osrelease", "6.1.0"),
                                 m.write("boot/config-6.1.0", "CONFIG_VFIO_NOIOMMU=y\n")),
     f"off, and {MAIN} is", "modprobe vfio enable_unsafe_noiommu_mode=1"),
    ("iommu", "fail", lambda m: m.group(7, MAIN, SPARE),
     f"{MAIN} shares its IOMMU group with {SPARE} (ixgbe)", f"--bind=vfio-pci {SPARE}"),

    ("drivers", "ok", nothing, f"{MAIN} vfio-pci"),
    ("drivers", "ok", lambda m: m.driver(MAIN, "mlx5_core"), f"{MAIN} mlx5_core, which stays"),
    ("drivers", "ok", lambda m: m.checked(device="net_tap0,iface=x"), "virtual devices only"),
    ("drivers", "ok", lambda m: (m.no_iommu(), m.driver(MAIN, "uio_pci_generic")),
     f"{MAIN} uio_pci_generic"),
    ("drivers", "ok", lambda m: m.checked(device="3:0.0,arg=1"), f"{MAIN} vfio-pci"),
    ("drivers", "fail", lambda m: (m.driver(MAIN, "uio_pci_generic"),
                                   m.write("sys/kernel/iommu_groups/7/type", "DMA-FQ")),
     "bypasses the IOMMU, which blocks its access", f"--bind=vfio-pci {MAIN}"),
    ("drivers", "fail", lambda m: (m.no_iommu(), m.checked(device=SPARE)),
     f"{SPARE} belongs to the kernel's", f"--bind=uio_pci_generic {SPARE}"),
    ("drivers", "fail", lambda m: (m.no_iommu(), m.checked(device=SPARE), m.write(NOIOMMU, "Y")),
     f"{SPARE} belongs to the kernel's", f"--bind=vfio-pci {SPARE}"),
    ("drivers", "warn", lambda m: (m.driver(MAIN, "uio_pci_generic"),
                                   m.write("sys/kernel/iommu_groups/7/type", "identity")),
     "uio_pci_generic does not use the IOMMU", f"--bind=vfio-pci {MAIN}"),
    ("drivers", "fail", lambda m: m.checked(device=SPARE),
     f"{SPARE} belongs to the kernel's ixgbe as eno2",
     f"-> dpdk-devbind.py --bind=vfio-pci {SPARE}"),
    ("drivers", "fail", lambda m: (m.checked(device=SPARE), m.remove("sys/module/vfio_pci"),
                                   m.write("proc/net/route", "Iface\neno2\t0\n")),
     "routes go through it", f"modprobe vfio-pci && dpdk-devbind.py --bind=vfio-pci {SPARE}"),
    ("drivers", "fail", lambda m: m.remove(f"{PCI}/{MAIN}/driver"), f"{MAIN} has no driver",
     f"--bind=vfio-pci {MAIN}"),
    ("drivers", "fail", lambda m: m.checked(device="0000:99:00.0"), "0000:99:00.0 is not there",
     f"{SPARE} (ixgbe)"),

    ("numa", "ok", nothing, f"{MAIN} at node 0, as receive-lcores 2-3 are"),
    ("numa", "ok", lambda m: m.remove(f"{NODE}/node1"), "one node"),
    ("numa", "ok", lambda m: m.checked(device="net_tap0"), "2 nodes, no PCI device"),
    ("numa", "warn", lambda m: m.checked(device=SPARE),
     f"{SPARE} is at node 1, receive-lcores 2-3 are not", 'receive-lcores: "4-7"'),
    ("numa", "warn", lambda m: m.write(f"{PCI}/{MAIN}/numa_node", -1),
     "the firmware does not tell its NUMA node", "lspci"),
    ("numa", "fail", lambda m: m.write(f"{CPU}/online", "0-2"),
     "receive-lcores: CPUs 3 do not exist or are off; there are 0-2", "fix receive-lcores in /"),
    ("numa", "fail", lambda m: m.write(f"{CPU}/online", "1-7"),
     "main-lcore: CPUs 0 do not exist or are off; there are 1-7", "fix main-lcore in /"),
    ("numa", "fail", lambda m: m.checked(workers="7-8"),
     "worker-cpus: CPUs 8 do not exist or are off; there are 0-7", "fix worker-cpus in /"),
    ("numa", "fail", lambda m: m.checked(lcores="0,2"),
     "CPU 0 is main-lcore and one of receive-lcores", "give each its own in /"),

    ("isolation", "ok", nothing, "receive-lcores 2-3 are isolated"),
    ("isolation", "warn", lambda m: m.write(f"{CPU}/isolated", "2"),
     "receive-lcores 3 are not isolated", "isolcpus=2-3"),
    ("isolation", "warn", lambda m: m.checked(workers="3-5"),
     "CPUs 3 are receive-lcores and worker-cpus", "give each its own"),

    ("governor", "ok", nothing, "CPUs 2-3 run performance"),
    ("governor", "ok", lambda m: [m.remove(f"{CPU}/cpu{cpu}/cpufreq") for cpu in range(8)],
     "a virtual machine"),
    ("governor", "ok", lambda m: m.write(f"{CPU}/cpu5/cpufreq/scaling_governor", "powersave"),
     "CPUs 2-3 run performance"),
    ("governor", "warn", lambda m: m.write(f"{CPU}/cpu3/cpufreq/scaling_governor", "powersave"),
     "CPUs 3 run powersave", "cpupower -c 3 frequency-set -g performance"),
    ("governor", "warn", lambda m: (m.checked(workers="5"), m.write(
        f"{CPU}/cpu5/cpufreq/scaling_governor", "ondemand")), "CPUs 5 run ondemand", "cpupower"),

    ("time", "ok", nothing, "synchronised, at most 1.5 ms off"),
    ("time", "ok", lambda m: (m.write("adjtimex", "64 16000000"), m.program(
        "chronyc", "echo 'System time     : 0.000020 seconds fast of NTP time'\n"
        "echo 'Leap status     : Normal'")), "chrony follows its source, 0.02 ms off"),
    ("time", "warn", lambda m: m.write("adjtimex", "0 250000"), "up to 250 ms off", "chronyc"),
    ("time", "fail", lambda m: (m.write("adjtimex", "64 16000000"), m.program(
        "chronyc", "echo 'System time     : 0.200000 seconds slow of NTP time'\n"
        "echo 'Leap status     : Normal'")), "chrony is still 200 ms off", "chronyc makestep"),
    ("time", "fail", lambda m: m.write("adjtimex", "64 16000000"), "nothing sets the clock",
     "apt-get install chrony"),
    ("time", "fail", lambda m: (m.write("adjtimex", "64 16000000"), m.program(
        "timedatectl", "echo NTP=yes")), "not synchronised yet", "timesync-status"),
    ("time", "fail", lambda m: (m.write("adjtimex", "64 16000000"), m.program(
        "chronyc", "echo 'System time     : 0.000020 seconds fast of NTP time'\n"
        "echo 'Leap status     : Not synchronised'")), "nothing sets the clock"),

    ("brokers", "fail", nothing, "127.0.0.1:1: connection refused", "fix bootstrap.servers"),
    ("brokers", "warn", lambda m: m.refused("no"), "needs a valid configuration",
     "--only configuration"),
    ("brokers", "fail", lambda m: m.checked(servers=" , "), "bootstrap.servers is empty",
     "bootstrap.servers: HOST:9092"),
    ("brokers", "fail", lambda m: m.speaks_tls(ca="/nonexistent/ca.pem"),
     "ssl.ca.location /nonexistent/ca.pem: No such file", "fix ssl.*"),
    ("brokers", "fail", lambda m: m.speaks_tls(certificate="/nonexistent/cert.pem", key="/x"),
     "ssl.certificate.location /nonexistent/cert.pem: No such file"),
    ("brokers", "fail", lambda m: m.speaks_tls(certificate=m.config, key="/x"),
     "ssl.certificate.location /", "ringtap.yaml: [X509"),
    ("topic", "warn", nothing, "the brokers cannot be asked", "--only brokers"),
    ("acl", "warn", nothing, "the brokers cannot be asked", "--only brokers"),
    ("workers", "ok", lambda m: m.workers("nothing", "nothing"), "2 transmit workers", "nothing"),
    ("workers", "fail", lambda m: m.workers("nothing", "replicas"),
     "1 of 2 transmit workers wait: replicas", "stats-tool -i ringtap"),
    ("workers", "ok", lambda m: m.program("stats-tool", "echo 'stats-tool: none' >&2; exit 8"),
     "none"),
    ("workers", "warn", nothing, "there is no stats-tool", "install"),
    ("quota", "warn", nothing, "the brokers cannot be asked", "--only brokers"),
)


def each_status(tap):
    for name, status, change, *words in CASES:
        with Machine() as machine:
            change(machine)
            code, checks = doctor("--root", machine.root, "-c", machine.config, "--only", name)
            says(tap, checks[name], status, *words)
            if code != int(status == "fail") or list(checks) != [name]:
                tap.ok(False, f"{name}: exit code and name", f"exit {code}: {checks}")


def no_device_named(tap):
    """Then every device that is bound to a DPDK driver is taken."""
    with Machine() as machine:
        text = (machine.root / "usr/bin/capture-primary").read_text()
        machine.write("usr/bin/capture-primary",
                      text.replace(f'devices: ["{MAIN}"]', "devices: []"))
        checks = doctor("--root", machine.root, "-c", machine.config, "--only", "drivers")[1]
        says(tap, checks["drivers"], "ok", f"{MAIN} vfio-pci")
        machine.driver(MAIN, "igb")
        checks = doctor("--root", machine.root, "-c", machine.config, "--only", "drivers")[1]
        says(tap, checks["drivers"], "fail", "no device is bound to a DPDK driver",
             f"network devices: {MAIN} (igb), {SPARE} (ixgbe)", "--bind=vfio-pci ADDRESS")


def processes_that_cannot_be_seen(tap):
    """An ordinary user does not see what others map, and root not all: so it is said."""
    import finding
    import host
    import memory

    with Machine() as machine:
        machine.hugepage_file("rtemap_0", mapped_by=77)
        context = types.SimpleNamespace(host=host.Host(machine.root))
        plain = pathlib.Path.read_text

        def closed(path, **how):
            if path.name == "maps":
                raise PermissionError(path)
            return plain(path, **how)
        machine.write("proc/77/comm", "qemu\n")
        for uid, *words in (
                (1000, "1 files may be stale: 1 processes cannot be inspected",
                 "sudo ", "--only stale-hugepages"),
                (0, "no process maps /dev/hugepages/rtemap_0 (2 MiB), except perhaps qemu (77)",
                 "(if you know")):
            with unittest.mock.patch.object(pathlib.Path, "read_text", closed), \
                    unittest.mock.patch.object(os, "geteuid", lambda uid=uid: uid):
                found = finding.summary(memory.check_stale(context))
            says(tap, {"name": "stale-hugepages", **found._asdict()}, "warn", *words)


def files_that_need_root(tap):
    import configuration

    for uid, remedy in ((1000, f"sudo {sys.argv[0]}"), (0, "edit x")):
        with unittest.mock.patch.object(os, "geteuid", lambda uid=uid: uid):
            found = configuration.refusal(
                "a line\n2026-11-25T21:11:11.554Z kafka-secondary[15] error main: x.yaml: "
                "Permission denied\n", "edit x")
        tap.equal((found.detail, found.remedy), ("x.yaml: Permission denied", remedy),
                  f"what user {uid} may not read: {remedy}")


def tree_of(root):
    """Everything about the files below a root that a look must not change."""
    return sorted((str(path), path.lstat().st_mode, path.lstat().st_mtime_ns,
                   path.read_bytes() if path.is_file() and not path.is_symlink() else None)
                  for path in pathlib.Path(root).rglob("*"))


def changes_nothing(tap):
    with Machine() as machine:
        machine.no_iommu()
        machine.hugepage_file("rtemap_0")
        before = tree_of(machine.root)
        code, checks = doctor("--root", machine.root, "-c", machine.config)
        tap.equal(tree_of(machine.root), before, "a look at everything changes no file")
        tap.equal(list(checks), NAMES, "every check is made, in the order of --list")
        tap.equal(code, 1, "one that fails: exit 1")


def run(*words, **how):
    return subprocess.run([DOCTOR, *map(str, words)], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=120, check=False, **how)


def quoted_names(tap):
    """Of a configuration, and of the doctor itself: they stand in several remedies."""
    with Machine() as machine:
        path = machine.write("a b.yaml", "kafka: {global: {sasl.password: p4ss}}\n")
        path.chmod(0o644)
        machine.link("the doctor", DOCTOR)
        done = run("-c", path, "--root", machine.root, "--only", "configuration")
        tap.ok(done.stdout.endswith(f" -> chmod o= '{path}'\n"), "chmod of a quoted name",
               done.stdout)
        machine.program("kafka-secondary", "echo refused >&2; exit 3")
        done = run("-c", path, "--root", machine.root, "--only", "configuration")
        tap.ok(f"edit '{path}'" in done.stdout, "edit a quoted name", done.stdout)
        machine.refused("no")
        done = subprocess.run([machine.root / "the doctor", "-c", path, "--root", machine.root],
                              stdin=subprocess.DEVNULL, text=True, capture_output=True,
                              timeout=120, check=False)
        tap.ok(f"edit '{path}'; capture-primary" in done.stdout
               and f"'{machine.root}/the doctor' --only configuration" in done.stdout,
               "it names itself quoted", done.stdout)


def usage(tap):
    done = run("--list")
    tap.equal(([line.split()[0] for line in done.stdout.splitlines()], done.returncode),
              (NAMES, 0), "--list names the checks")
    done = run("--help")
    tap.ok(done.returncode == 0 and done.stdout.startswith("Usage:"), "--help", done.stdout)
    for words, line in ((("--only", "nic"), "no check 'nic'; there are configuration, "),
                        (("--only",), "option --only requires argument"),
                        (("-x",), "option -x not recognized"),
                        (("FILE",), "unknown argument 'FILE'")):
        done = run(*words)
        tap.ok(done.returncode == 2 and line in done.stderr and not done.stdout
               and done.stderr.count("\n") == 1, f"{' '.join(words)}: usage, exit 2", done.stderr)
    for words in (["--help"], ["--list"], ["--only", "time"], ["--json", "--only", "time"]):
        nowhere_to_write(tap, DOCTOR, *words)


def ways_to_name_the_file(tap):
    with Machine() as machine:
        for words in (("-c", machine.config), (f"-c{machine.config}",),
                      ("--config", machine.config), (f"--config={machine.config}",)):
            checks = doctor("--root", machine.root, *words, "--only=configuration")[1]
            says(tap, checks["configuration"], "ok", f"{machine.config} is valid")


def addresses(tap):
    """As librdkafka takes them apart."""
    import security

    for text, *wanted in (
            ("a:1, b ,c:3", ("a", 1), ("b", 9092), ("c", 3)),
            ("SASL_SSL://a.b:1,PLAINTEXT://c", ("a.b", 1), ("c", 9092)),
            ("[::1]:9093,[fe80::1%eth0]", ("::1", 9093), ("fe80::1%eth0", 9092)),
            ("::1,ssl://[2001:db8::7]:1", ("::1", 9092), ("2001:db8::7", 1)), (" , ",)):
        tap.equal(security.addresses(text), wanted, f"addresses of {text!r}")


def why_it_failed(tap):
    """Errors of a connection in words for a user; which of them depends on who is faster."""
    import ssl

    import wire

    refused = "the broker refuses our certificate"
    alert = ssl.SSLError(1, "[SSL: X] sslv3 alert bad certificate")
    alert.reason = "SSLV3_ALERT_BAD_CERTIFICATE"
    for step, error, wanted in (
            ("login", alert, f"{refused}: bad certificate"), ("login", EOFError(), refused),
            ("login", ConnectionResetError(104, "Connection reset by peer"),
             f"{refused}: connection reset by peer"),
            ("connection", ConnectionRefusedError(111, "Connection refused"), "connection refused"),
            ("answer", EOFError(), "the broker ended the connection, as with a wrong "
             "security.protocol")):
        tap.equal(wire.reason(step, error), wanted, f"{error!r} of {step}: {wanted}")


def as_text(tap):
    with Machine() as machine:
        machine.hugepage_file("rtemap_0")
        done = run("--root", machine.root, "-c", machine.config, "--only", "stale-hugepages",
                   "--only", "governor")
        tap.equal((done.stdout, done.stderr, done.returncode), (
            "warn stale-hugepages: no process maps /dev/hugepages/rtemap_0 (2 MiB) -> "
            "rm /dev/hugepages/rtemap_0\nok   governor: CPUs 2-3 run performance\n", "", 0),
            "text: a line each; a warning exits with 0")


def this_machine(tap):
    """The real thing, with the real programs and the configuration that is shipped."""
    code, checks = doctor()
    tap.equal(list(checks), NAMES, "this machine: every check is made")
    with Machine() as machine:
        path = machine.write("real.yaml", "kafka: {global: {batch.size: 100k}}\n")
        says(tap, doctor("-c", path, "--only", "configuration")[1]["configuration"], "fail",
             "kafka.global.batch.size: librdkafka reads this as 100", f"edit {path}")
    broken = [check for check in checks.values() if "failed unexpectedly" in check["detail"]]
    tap.none(broken, "this machine: no check breaks")
    says(tap, checks["configuration"], "ok", "config/ringtap.yaml is valid")
    says(tap, checks["hugepage-mount"], "ok", "/dev/hugepages")
    tap.ok(stat.S_ISREG(os.stat(SOURCE / "config/ringtap.yaml").st_mode) and code in (0, 1),
           "this machine: exit 0 or 1", code)


def main():
    tap = Tap()
    for part in (each_status, no_device_named, processes_that_cannot_be_seen,
                 files_that_need_root, changes_nothing, quoted_names, usage,
                 ways_to_name_the_file, addresses, why_it_failed, as_text, this_machine):
        tap.run(part)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
