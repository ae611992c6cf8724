# SPDX-License-Identifier: BSD-3-Clause
"""Check CPUs: frequency and isolation; and the clock that stamps the packets."""

import re

from finding import fail, ok, warn
from host import cpu_text, cpus_of

CPU = "/sys/devices/system/cpu"
STA_UNSYNC = 0x40
TOLERABLE_US = 100_000


def check_governor(context):
    """frequency governor of the CPUs that receive and send"""
    cpus = context.configuration.receive_lcores() | context.configuration.worker_cpus()
    governors = {cpu: context.host.text(f"{CPU}/cpu{cpu}/cpufreq/scaling_governor")
                 for cpu in sorted(cpus)}
    slow = {cpu: governor for cpu, governor in governors.items()
            if governor not in (None, "performance")}
    if slow:
        return [warn(f"CPUs {cpu_text(slow)} run {', '.join(sorted(set(slow.values())))}",
                     f"cpupower -c {cpu_text(slow)} frequency-set -g performance")]
    if not any(governors.values()):
        return [ok("no frequency governor (a virtual machine)")]
    return [ok(f"CPUs {cpu_text(cpus)} run performance")]


def check_isolation(context):
    """CPUs of the receive workers: kept free of everything else"""
    host, configuration = context.host, context.configuration
    lcores = configuration.receive_lcores()
    workers = configuration.worker_cpus()
    isolated = cpus_of(host.text(f"{CPU}/isolated") or "")
    findings = []
    if lcores & workers:
        findings.append(warn(f"CPUs {cpu_text(lcores & workers)} are receive-lcores and "
                             "worker-cpus", f"give each its own in {configuration.path}"))
    if lcores - isolated:
        wanted = cpu_text(lcores)
        findings.append(warn(f"receive-lcores {cpu_text(lcores - isolated)} are not isolated",
                             f"isolcpus={wanted} nohz_full={wanted} rcu_nocbs={wanted} on the "
                             "kernel's command line"))
    return findings or [ok(f"receive-lcores {cpu_text(lcores)} are isolated")]


def chrony_offset(host):
    """Seconds that chrony says the clock is off; None when it does not follow a source."""
    done = host.run("chronyc", "-n", "tracking")
    if done is None or done[0] != 0 or not re.search(r"^Leap status *: Normal", done[1], re.M):
        return None
    match = re.search(r"^System time *: ([0-9.]+) seconds", done[1], re.M)
    return float(match[1]) if match else None


def check_time(context):
    """time synchronisation: the key of a packet is its time"""
    host = context.host
    clock = host.kernel_clock()
    status, error_us = clock if clock else (STA_UNSYNC, 0)
    if not status & STA_UNSYNC and error_us <= TOLERABLE_US:
        return [ok(f"synchronised, at most {error_us / 1000:g} ms off")]
    if not status & STA_UNSYNC:
        return [warn(f"synchronised, but up to {error_us / 1000:g} ms off", "chronyc sources -v")]
    offset = chrony_offset(host)
    if offset is not None and offset * 1e6 > TOLERABLE_US:
        return [fail(f"chrony is still {offset * 1000:g} ms off", "chronyc makestep")]
    if offset is not None:
        return [ok(f"chrony follows its source, {offset * 1000:g} ms off")]
    done = host.run("timedatectl", "show")
    if done is not None and re.search(r"^NTP=yes", done[1], re.M):
        return [fail("a time service runs and is not synchronised yet",
                     "timedatectl timesync-status")]
    return [fail("nothing sets the clock", "apt-get install chrony")]
