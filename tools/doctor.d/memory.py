# SPDX-License-Identifier: BSD-3-Clause
"""Check hugepages: reserved, mounted, left by a crash; and the limits of a process."""

import fcntl
import os
import pathlib
import re
import shlex

from cgroups import look_at_cgroups
from devices import captured, driver_of
from finding import fail, ok, only, warn

NODE = "/sys/devices/system/node/node{}/hugepages/hugepages-{}kB"
MACHINE = "/sys/kernel/mm/hugepages/hugepages-{}kB"
UNITS = {"": 1 / 1024, "K": 1, "M": 1024, "G": 1024 * 1024}
CAP_IPC_LOCK = 14


def size_text(kib):
    return f"{kib // 1048576} GiB" if kib % 1048576 == 0 else f"{kib / 1024:g} MiB"


def default_kib(host):
    match = re.search(r"^Hugepagesize: *(\d+) kB", host.text("/proc/meminfo") or "", re.M)
    return int(match[1]) if match else None


def pages_directory(host, node, kib):
    """A kernel without NUMA has the machine's pages only."""
    name = NODE.format(node, kib)
    return name if host.path(name).is_dir() else MACHINE.format(kib)


def page_sizes(host):
    return sorted(int(re.search(r"(\d+)kB$", name)[1])
                  for name in host.glob("/sys/kernel/mm/hugepages/hugepages-*kB"))


def node_line(host, node, kib):
    """What a node has of a size, "" for nothing."""
    directory = pages_directory(host, node, kib)
    total = host.number(f"{directory}/nr_hugepages") or 0
    free = host.number(f"{directory}/free_hugepages") or 0
    return f"node {node}: {total} of {size_text(kib)}, {free} free" if total else ""


def mount_kib(options, default):
    for option in options:
        if match := re.fullmatch(r"pagesize=(\d+)([KMG]?)", option):
            return int(int(match[1]) * UNITS[match[2]])
    return default


def mounts(host):
    """{where: size of its pages in KiB} of each hugetlbfs."""
    kib = default_kib(host)
    return {where: mount_kib(options, kib) for where, options in host.mounts("hugetlbfs")}


def mount_of(host, directory):
    """The hugetlbfs that a directory is in; None when there is none, as for the primary."""
    path = pathlib.PurePath(directory)
    found = [where for where in mounts(host) if path.is_relative_to(where)]
    return max(found, key=len, default=None) if host.path(directory).is_dir() else None


def look_at_node(host, node, kib, needed_mib, left_kib):
    """The pages of one node against what the configuration needs there.

    left_kib: in files of the instance that its next start removes, at whichever node.
    """
    directory = pages_directory(host, node, kib)
    total = host.number(f"{directory}/nr_hugepages") or 0
    free = host.number(f"{directory}/free_hugepages") or 0
    needed = -(-needed_mib * 1024 // kib)
    if free + left_kib // kib >= needed:
        return ok(f"node {node}: {needed} of {size_text(kib)} needed, {free} free of {total}")
    return fail(f"node {node}: {needed} of {size_text(kib)} needed, {free} free of {total}",
                f"echo {total - free + needed} > {directory}/nr_hugepages")


def check_hugepages(context):
    """hugepages that are reserved, free and allowed by the cgroup, against what is needed"""
    host, configuration = context.host, context.configuration
    mount = mount_of(host, configuration.get("hugepage-directory", ""))
    kib = mounts(host).get(mount) or default_kib(host)
    if kib is None:
        return [fail("this kernel has no hugepages", "boot a kernel with CONFIG_HUGETLBFS")]
    lines = [node_line(host, node, size) for node in host.nodes() for size in page_sizes(host)]
    have = ", ".join(line for line in lines if line)
    if not have:
        pages = -(-max(sum(configuration.memory_mib.values()), 512) * 1024 // kib)
        return [fail("none are reserved",
                     f"echo {pages} > {pages_directory(host, 0, kib)}/nr_hugepages")]
    if not configuration.memory_mib:
        return [warn(f"{have}; the need is unknown",
                     only("configuration"))]
    own = [(identity, size) for name, identity, size in hugepage_files(host)
           if is_own(configuration, name)]
    mapped = mapped_files(host)[0]
    if any(identity in mapped for identity, _ in own):
        return [ok(f"{have}; instance {configuration.get('instance')} runs in them")]
    left_kib = sum(size for _, size in own) // 1024
    pages = sum(-(-mib * 1024 // kib) for mib in configuration.memory_mib.values())
    return [*(look_at_node(host, node, kib, mib, left_kib)
              for node, mib in configuration.memory_mib.items()),
            *look_at_cgroups(host, kib, pages * kib, left_kib)]


# ---- mounts --------------------------------------------------------------------------------------

def check_mount(context):
    """where hugetlbfs is mounted, and with which page size"""
    host, kib = context.host, default_kib(context.host)
    mounted = mounts(host)
    named = context.configuration.get("hugepage-directory")
    wanted = named or "/dev/hugepages"
    size = f"{(kib or 2048) // 1024}M"
    where = shlex.quote(wanted)
    remedy = f"mkdir -p {where} && mount -t hugetlbfs -o pagesize={size} nodev {where}"
    if not mounted:
        return [fail("hugetlbfs is not mounted", remedy)]
    have = ", ".join(f"{where} ({size_text(found)})" for where, found in mounted.items())
    if named:
        return [ok(have) if mount_of(host, named) else
                fail(f"hugepage-directory {named} is no hugetlbfs; there is {have}", remedy)]
    if kib not in mounted.values():
        return [fail(f"none is mounted with pages of {size_text(kib)}, the kernel's default; "
                     f"there is {have}", remedy)]
    if list(mounted.values()).count(kib) > 1:
        return [warn(f"several have the same page size, DPDK takes the first: {have}",
                     f"name one under `hugepage-directory` in {context.configuration.path}")]
    return [ok(have)]


# ---- files that a crash left ---------------------------------------------------------------------

def hugepage_files(host):
    """[(name, identity, bytes that it holds)] of all files in hugetlbfs."""
    files = []
    for where, _ in host.mounts("hugetlbfs"):
        for name in host.glob(f"{where}/**/*"):
            try:
                stat = host.path(name).lstat()
            except OSError:  # it is gone by now
                continue
            if host.path(name).is_file():
                device = f"{os.major(stat.st_dev):02x}:{os.minor(stat.st_dev):02x}"
                files.append((name, (device, stat.st_ino), stat.st_blocks * 512))
    return files


def mapped_files(host):
    """(identities of all files that a process maps, processes that cannot be inspected)."""
    files, hidden = set(), []
    for maps in host.glob("/proc/[0-9]*/maps"):
        try:
            text = host.path(maps).read_text(errors="replace")
        except PermissionError:
            pid = maps.split("/")[2]
            hidden.append(f"{host.text(f'/proc/{pid}/comm') or 'process'} ({pid})")
            continue
        except OSError:  # it has ended
            continue
        for line in text.splitlines():
            words = line.split(None, 5)
            if len(words) == 6 and words[4] != "0":
                files.add((words[3], int(words[4])))
    return files, hidden


def is_locked(host, name):
    """Whether a DPDK program uses it that is invisible here, such as one in another container.

    EAL has a lock on each of its files; so has a primary of ringtap on the empty one of its name.
    """
    try:
        fd = os.open(host.path(name), os.O_RDONLY | os.O_NONBLOCK)
    except OSError:  # as an ordinary user, or it is gone
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def is_own(configuration, name):
    """Whether it is a file of this instance: its next start removes those that are left."""
    return os.path.basename(name).startswith(f"{configuration.get('instance')}map_")


def check_stale(context):
    """files in hugetlbfs that a crashed process left: no process maps or locks them"""
    files = hugepage_files(context.host)  # before the maps: what is mapped now is in them
    mapped, hidden = mapped_files(context.host)
    stale = [(name, size) for name, identity, size in files
             if identity not in mapped and not is_locked(context.host, name)]
    if not stale:
        return [ok(f"{len(files)} files, all in use" if files else "no files")]
    if hidden and os.geteuid() != 0:
        return [warn(f"{len(stale)} files may be stale: {len(hidden)} processes cannot be "
                     "inspected", f"sudo {only('stale-hugepages')}")]
    names = ", ".join(f"{name} ({size / 1048576:g} MiB)" for name, size in stale)
    remove = shlex.join(["rm", *(name for name, _ in stale)])
    if hidden:  # even from root, by a security module
        return [warn(f"no process maps {names}, except perhaps {', '.join(hidden)}, which "
                     "cannot be inspected", f"{remove} (if you know that these do not use them)")]
    if any(not is_own(context.configuration, name) for name, _ in stale) \
            and any(found.status == "fail" for found in check_hugepages(context)):
        return [fail(f"no process maps {names}, and too few pages are free", remove)]
    return [warn(f"no process maps {names}", remove)]


# ---- limits --------------------------------------------------------------------------------------

def soft_limit(host, name):
    """A limit of this process, None for unlimited."""
    match = re.search(rf"^{name} +(\S+)", host.text("/proc/self/limits") or "", re.M)
    return None if not match or match[1] == "unlimited" else int(match[1])


def may_lock(host):
    match = re.search(r"^CapEff:\s*([0-9a-f]+)", host.text("/proc/self/status") or "", re.M)
    return bool(match and int(match[1], 16) >> CAP_IPC_LOCK & 1)


def check_limits(context):
    """locked memory and open files that a process started here may have"""
    host, findings = context.host, []
    memlock, nofile = soft_limit(host, "Max locked memory"), soft_limit(host, "Max open files")
    needed = sum(context.configuration.memory_mib.values()) << 20
    how = "ulimit -l unlimited, or LimitMEMLOCK=infinity in a unit"
    if memlock is None or may_lock(host):
        findings.append(ok("memory may be locked without limit"))
    elif memlock < needed and "vfio-pci" in [driver_of(host, a) for a in captured(context)]:
        findings.append(fail(f"{memlock >> 10} KiB may be locked, {needed >> 10} KiB are needed "
                             "(or CAP_IPC_LOCK)", how))
    else:
        findings.append(warn(f"no more than {memlock >> 10} KiB may be locked", how))
    how = "ulimit -n 65536, or LimitNOFILE=65536 in a unit"
    if nofile is None or nofile >= 1024:
        findings.append(ok(f"{nofile or 'any number of'} files may be open"))
    elif nofile >= 256:
        findings.append(warn(f"only {nofile} files may be open: few for many brokers", how))
    else:
        findings.append(fail(f"only {nofile} files may be open", how))
    return findings
