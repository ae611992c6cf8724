# SPDX-License-Identifier: BSD-3-Clause
"""Check what the cgroups of this process leave it of hugepages."""

import pathlib

from finding import fail

# Limit and use of the pages that are touched, and of those that are reserved before that.
V2 = (("max", "current"), ("rsvd.max", "rsvd.current"))
V1 = (("limit_in_bytes", "usage_in_bytes"), ("rsvd.limit_in_bytes", "rsvd.usage_in_bytes"))


def page_name(kib, units=("KB", "MB", "GB")):
    """A size of pages as the kernel names its files."""
    power = 0
    while kib >= 1024 and power < 2:
        kib, power = kib // 1024, power + 1
    return f"{kib}{units[power]}"


def own_cgroups(host):
    """(directory, names of its files) of each cgroup that limits us, from ours to the root's."""
    for line in (host.text("/proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "hugetlb" not in controllers.split(","):
            continue
        for where, options in host.mounts("cgroup" if controllers else "cgroup2"):
            if controllers and "hugetlb" not in options:
                continue
            # In a container `path` may be that of the host; then only the mount is there.
            below = pathlib.PurePath(path.strip("/"))
            for part in (below, *below.parents):
                yield pathlib.PurePath(where, part), V1 if controllers else V2


def look_at_cgroups(host, kib, needed_kib, left_kib):
    """A Finding for each limit that is too low.

    left_kib: in files of the instance that its next start removes.
    """
    for directory, names in own_cgroups(host):
        for limit_name, used_name in names:
            prefix = f"{directory}/hugetlb.{page_name(kib)}"
            file = f"{prefix}.{limit_name}"
            limit = host.number(file)
            if limit is None:  # "max", or the kernel has no such file
                continue
            free_kib = min(limit, limit - (host.number(f"{prefix}.{used_name}") or 0)
                           + left_kib * 1024) // 1024
            if free_kib < needed_kib:
                kubernetes = f"hugepages-{page_name(kib, ('Ki', 'Mi', 'Gi'))}"
                yield fail(f"the cgroup leaves {free_kib // 1024} MiB of {needed_kib // 1024} MiB "
                           f"needed: {file} is {limit}", f"echo max > {file} (in Kubernetes: "
                           f"limits: {kubernetes}: {needed_kib // 1024}Mi)")
