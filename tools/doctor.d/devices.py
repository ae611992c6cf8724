# SPDX-License-Identifier: BSD-3-Clause
"""Check NICs: their drivers, the IOMMU that vfio-pci needs, and their NUMA nodes."""

import re

from finding import fail, ok, warn
from host import cpu_text, cpus_of

PCI = "/sys/bus/pci/devices"
NOIOMMU = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
NETWORK = 0x02
ADDRESS = re.compile(r"(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([01]?[0-9a-f])\.([0-7])", re.I)
# mlx and mana work beside their kernel driver (bifurcated): nothing to bind.
BIFURCATED = ("mlx4_core", "mlx5_core", "mana")
UIO = ("uio_pci_generic", "igb_uio")
HARMLESS = ("vfio-pci", "pci-stub", "pcieport", None)  # beside a device of one IOMMU group


def pci_address(device):
    """The address of an entry of `devices` as sysfs writes it; None for a virtual device."""
    match = ADDRESS.fullmatch(device.partition(",")[0])
    if not match:
        return None
    domain, bus, slot, function = match.groups()
    return f"{int(domain or '0', 16):04x}:{int(bus, 16):02x}:{int(slot, 16):02x}.{function}"


def driver_of(host, address):
    return host.link(f"{PCI}/{address}/driver")


def nics(host):
    """Addresses of all PCI network devices."""
    found = [name.rsplit("/", 1)[1] for name in host.glob(f"{PCI}/*")]
    return [address for address in found
            if int(host.text(f"{PCI}/{address}/class") or "0", 16) >> 16 == NETWORK]


def nics_text(host):
    return ", ".join(f"{a} ({driver_of(host, a) or 'no driver'})" for a in nics(host)) or "none"


def is_dpdk(driver):
    return driver == "vfio-pci" or driver in UIO or driver in BIFURCATED


def captured(context):
    """Addresses of the PCI devices that the configuration captures from."""
    named = context.configuration.get("devices", [])
    if named:
        return [address for address in map(pci_address, named) if address]
    return [a for a in nics(context.host) if is_dpdk(driver_of(context.host, a))]


def nb_ports(context):
    """How many ports are captured, as far as the machine tells."""
    found = len(context.configuration.get("devices", [])) or len(captured(context))
    chosen = bin(context.configuration.get("port-mask", 0)).count("1")
    return max(min(found, chosen or found), 1)


def is_virtual_only(context):
    named = context.configuration.get("devices", [])
    return bool(named) and not any(map(pci_address, named))


# ---- drivers -------------------------------------------------------------------------------------

def iommu_groups(host):
    return host.glob("/sys/kernel/iommu_groups/*")


def is_unprotected(host):
    """Whether vfio-pci does without an IOMMU."""
    return host.text(NOIOMMU) == "Y"


def bind(host, address):
    """vfio-pci where that works."""
    driver = "vfio-pci" if iommu_groups(host) or is_unprotected(host) else "uio_pci_generic"
    loaded = host.path(f"/sys/module/{driver.replace('-', '_')}").is_dir()
    load = "" if loaded else f"modprobe {driver} && "
    return f"{load}dpdk-devbind.py --bind={driver} {address}"


def interfaces(host, address):
    """The kernel's names for a NIC; virtio has a device of its own in between."""
    return [name.rsplit("/", 1)[1] for between in ("", "/virtio[0-9]*")
            for name in host.glob(f"{PCI}/{address}{between}/net/*")]


def has_routes(host, address):
    """Whether this machine is reached through it."""
    routes = (host.text("/proc/net/route") or "").splitlines()[1:]
    used = {line.split()[0] for line in routes}
    # The last column; link-local and local addresses (fe80, lo) are no way to this machine.
    used |= {line.split()[-1] for line in (host.text("/proc/net/ipv6_route") or "").splitlines()
             if line[:2] != "fe" and line[:2] != "ff"}
    return not used.isdisjoint(interfaces(host, address))


def kernel_user(host, address):
    """What the kernel does with a device."""
    names = ", ".join(interfaces(host, address))
    return (f" as {names}" if names else "") + (
        ", and routes go through it: is it the right NIC?" if has_routes(host, address) else "")


def look_at_driver(host, address):
    if not host.path(f"{PCI}/{address}").exists():
        return fail(f"{address} is not there; network devices: {nics_text(host)}",
                    "dpdk-devbind.py --status-dev net")
    driver = driver_of(host, address)
    if driver is None:
        return fail(f"{address} has no driver", bind(host, address))
    if driver in BIFURCATED:
        return ok(f"{address} {driver}, which stays")
    if driver in UIO and (host.text(f"{PCI}/{address}/iommu_group/type") or "").startswith("DMA"):
        return fail(f"{address} {driver} bypasses the IOMMU, which blocks its access to memory",
                    bind(host, address))
    if driver in UIO and iommu_groups(host):
        return warn(f"{address} {driver} does not use the IOMMU of this machine",
                    bind(host, address))
    if is_dpdk(driver):
        return ok(f"{address} {driver}")
    return fail(f"{address} belongs to the kernel's {driver}{kernel_user(host, address)}",
                bind(host, address))


def check_drivers(context):
    """drivers of the NICs: vfio-pci, uio_pci_generic, or a bifurcated one"""
    host = context.host
    if is_virtual_only(context):
        return [ok("virtual devices only")]
    addresses = captured(context)
    if not addresses:
        spare = [a for a in nics(host) if not has_routes(host, a)]
        return [fail("no device is bound to a DPDK driver; network devices: "
                     f"{nics_text(host)}", bind(host, spare[0] if len(spare) == 1 else "ADDRESS"))]
    return [look_at_driver(host, address) for address in addresses]


# ---- IOMMU ---------------------------------------------------------------------------------------

def look_at_group(host, address):
    """vfio-pci takes whole groups only."""
    group = f"{PCI}/{address}/iommu_group/devices/*"
    others = [name.rsplit("/", 1)[1] for name in host.glob(group)]
    bad = {a: driver_of(host, a) for a in others
           if a != address and driver_of(host, a) not in HARMLESS}
    if not bad:
        return ok(f"the group of {address} can be given to vfio-pci")
    names = ", ".join(f"{a} ({driver})" for a, driver in bad.items())
    return fail(f"{address} shares its IOMMU group with {names}",
                "dpdk-devbind.py --bind=vfio-pci " + " ".join(bad))


def without_iommu(host, devices):
    """The way without it and its protection: Debian's kernel has no CONFIG_VFIO_NOIOMMU."""
    if host.path(NOIOMMU).exists():
        return f"echo Y > {NOIOMMU}"
    kernel = host.text("/proc/sys/kernel/osrelease")
    if "CONFIG_VFIO_NOIOMMU=y" in (host.text(f"/boot/config-{kernel}") or ""):
        return "modprobe vfio enable_unsafe_noiommu_mode=1"
    return bind(host, " ".join(devices) or "ADDRESS")


def check_iommu(context):
    """the IOMMU, which vfio-pci needs"""
    host, groups = context.host, iommu_groups(context.host)
    vfio = [a for a in captured(context) if driver_of(host, a) == "vfio-pci"]
    if groups:
        return [ok(f"on, {len(groups)} groups"), *(look_at_group(host, a) for a in vfio)]
    if is_unprotected(host):
        return [warn("off; vfio-pci works without its protection",
                     "switch it on in the firmware, intel_iommu=on iommu=pt on the kernel's "
                     "command line")]
    intel = "vendor_id\t: GenuineIntel" in (host.text("/proc/cpuinfo") or "")
    switch = ("switch it on in the firmware, then " + ("intel_iommu=on " if intel else "")
              + "iommu=pt on the kernel's command line; or, without protection, "
              + without_iommu(host, vfio))
    if vfio:
        return [fail(f"off, and {', '.join(vfio)} is bound to vfio-pci", switch)]
    if is_virtual_only(context):
        return [ok("off, and virtual devices need none")]
    return [warn("off: vfio-pci cannot work", switch)]


# ---- NUMA ----------------------------------------------------------------------------------------

def look_at_place(context, address, nodes, lcores):
    node = context.host.number(f"{PCI}/{address}/numa_node")
    if node is None or node not in nodes:
        return warn(f"{address}: the firmware does not tell its NUMA node",
                    f"lspci -vvs {address}; see the manual of the machine")
    far = lcores - nodes[node]
    if not far:
        return ok(f"{address} at node {node}, as receive-lcores {cpu_text(lcores)} are")
    return warn(f"{address} is at node {node}, receive-lcores {cpu_text(far)} are not",
                f'receive-lcores: "{cpu_text(nodes[node])}" in {context.configuration.path}, '
                "without main-lcore and worker-cpus")


def look_at_cpus(configuration, online):
    """The CPUs that the configuration names: what prevents a start."""
    main = configuration.get("main-lcore", 0)
    for key, cpus in (("main-lcore", {main}), ("receive-lcores", configuration.receive_lcores()),
                      ("worker-cpus", configuration.worker_cpus())):
        if cpus - online:
            yield fail(f"{key}: CPUs {cpu_text(cpus - online)} do not exist or are off; there are "
                       f"{cpu_text(online)}", f"fix {key} in {configuration.path}")
    if main in cpus_of(str(configuration.get("receive-lcores", ""))):
        yield fail(f"CPU {main} is main-lcore and one of receive-lcores",
                   f"give each its own in {configuration.path}")


def check_numa(context):
    """NICs against receive-lcores: at one NUMA node"""
    nodes, lcores = context.host.nodes(), context.configuration.receive_lcores()
    bad = list(look_at_cpus(context.configuration, context.host.online_cpus()))
    if bad:
        return bad
    if len(nodes) == 1:
        return [ok("one node")]
    found = [look_at_place(context, a, nodes, lcores) for a in captured(context)
             if context.host.path(f"{PCI}/{a}").exists()]
    return found or [ok(f"{len(nodes)} nodes, no PCI device to place")]
