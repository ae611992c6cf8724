# SPDX-License-Identifier: BSD-3-Clause
"""A guest of QEMU with a PCI NIC: Debian's kernel, the host's root below a layer of memory.

    with Guest(lab, "e1000e", iommu=True) as guest:
        guest.run("modprobe vfio-pci")
        primary = guest.start("capture-primary", f"{program} -c {lab.config_path}")
        guest.send(frames)
        guest.monitor("set_link", name="wire", up=False)

Paths mean the same in it as on the host; what it writes below lab.directory is there on the host,
the rest is gone with it. Kafka's port on the host's loopback is on the guest's, too. No KVM is
needed.
"""

import contextlib
import json
import lzma
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import tempfile

from lab import LabError, Program, call, wait_for

HERE = pathlib.Path(__file__).resolve().parent
NIC = "0000:00:05.0"  # the NIC to capture from
KAFKA_NIC = "0000:00:06.0"
BOOT_S = 60
OTHER_NODE_MIB = 512
# What the initrd needs to reach the host's root.
BOOT_MODULES = ("virtio_pci", "9p", "9pnet_virtio", "overlay")


def fetch_kernel(directory):
    """Debian's kernel and modules into `directory`, once; not installed."""
    done = directory / "version"
    if done.exists():
        return
    call("apt-get", "update", "-qq")
    depends = call("apt-cache", "depends", "linux-image-amd64")
    version = re.search(r"linux-image-(\S+-amd64)", depends)[1]
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    subprocess.run(["apt-get", "download", "-qq", f"linux-image-{version}"], cwd=directory,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    (package,) = directory.glob("*.deb")
    call("dpkg", "-x", package, directory)
    package.unlink()
    call("depmod", "-b", directory, version)
    # Uncompressed it boots in half of the time.
    image = (directory / "boot" / f"vmlinuz-{version}").read_bytes()
    start = image.index(b"\xfd7zXZ\0")
    (directory / "vmlinux").write_bytes(lzma.LZMADecompressor().decompress(image[start:]))
    make_initrd(directory, version)
    done.write_text(version)


def make_initrd(kernel, version):
    paths = []
    for module in BOOT_MODULES:
        text = call("modprobe", "-d", kernel, "-S", version, "--show-depends", module)
        paths += [path for path in re.findall(r"^insmod (\S+)", text, re.M) if path not in paths]
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name in ("dev", "modules"):
            (root / name).mkdir()
        for number, path in enumerate(paths):
            shutil.copy(path, root / "modules" / f"{number:02}.ko")
        shutil.copy("/bin/busybox", root / "busybox")
        shutil.copy(HERE / "guest-boot.sh", root / "init")
        (root / "init").chmod(0o755)
        names = "\n".join(str(path.relative_to(root)) for path in root.rglob("*"))
        with open(kernel / "initrd", "wb") as out:
            subprocess.run(["busybox", "cpio", "-o", "-H", "newc"], cwd=root, input=names.encode(),
                           stdout=out, stderr=subprocess.DEVNULL, check=True)


class GuestProgram(Program):
    """A program in the background of the guest."""

    def __init__(self, guest, name, command):
        self.name, self.guest = name, guest
        out, err, pid, self.rc_path = (guest.logs / f"{name}.{end}"
                                       for end in ("out", "err", "pid", "rc"))
        self.out_path, self.err_path = out, err
        for path in (pid, self.rc_path):
            path.unlink(missing_ok=True)
        command = shlex.quote(f"echo $$ >{pid}; exec {command}")
        guest.run(f"(sh -c {command} >{out} 2>{err} </dev/null; echo $? >{self.rc_path}) &")
        self.pid = int(wait_for(lambda: pid.exists() and pid.read_text(), f"start of {name}", 20))

    @property
    def returncode(self):
        return int(self.rc_path.read_text())

    def is_running(self):
        return not (self.rc_path.exists() and self.rc_path.read_text())

    def wait(self, timeout):
        wait_for(lambda: not self.is_running(), f"end of {self.name}", timeout)
        return self.returncode

    def send_signal(self, signo):
        self.guest.run(f"kill -{int(signo)} {self.pid}")


class Guest:
    """A guest; see the top of this file.

    Its CPUs are on two NUMA nodes; NIC and hugepages are on the first one.
    nic: device of QEMU, with options; it is at NIC. iommu: with an IOMMU of Intel's. wire: what the
    NIC is at, a -netdev of QEMU without its id; default: send(). hugepages: for the kernel's
    command line.
    """

    def __init__(self, lab, nic, iommu=False, wire=None, pass_fds=(), memory_mib=1024,
                 hugepages="hugepages=0:160"):
        kernel = lab.build / "nic" / "kernel"
        self.share, self.logs = lab.directory, lab.logs
        self._sockets = tempfile.TemporaryDirectory()  # their paths must be short
        here = pathlib.Path(self._sockets.name)
        fetch_kernel(kernel)
        port = lab.bootstrap.rpartition(":")[2]
        environment = {"share": self.share, "next": HERE / "guest-start.sh", "kernel": kernel,
                       "kafka_nic": KAFKA_NIC, "kafka_port": port}
        append = "console=ttyS0 quiet panic=-1 nokaslr mitigations=off " + hugepages
        append += " intel_iommu=on" * iommu
        self.qemu = lab.start("qemu", [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot",
            "-machine", "q35,accel=tcg" + ",kernel-irqchip=split" * iommu, "-cpu", "max",
            "-smp", "2,sockets=2", "-m", memory_mib,
            *(word for node, size in enumerate((memory_mib - OTHER_NODE_MIB, OTHER_NODE_MIB))
              for word in ("-object", f"memory-backend-ram,id=ram{node},size={size}M",
                           "-numa", f"node,nodeid={node},memdev=ram{node},cpus={node}")),
            *(["-device", "intel-iommu,intremap=on,caching-mode=on"] if iommu else []),
            "-kernel", kernel / "vmlinux", "-initrd", kernel / "initrd",
            "-append", " ".join([append, *(f"{k}={v}" for k, v in environment.items())]),
            "-serial", f"file:{self.logs / 'console.log'}",
            "-serial", f"unix:{here}/shell,server=on,wait=off",
            "-qmp", f"unix:{here}/monitor,server=on,wait=off",
            "-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=root,mount_tag=root",
            "-fsdev", f"local,id=share,path={self.share},security_model=none",
            "-device", "virtio-9p-pci,fsdev=share,mount_tag=share",
            "-netdev", "user,id=kafka", "-device", "virtio-net-pci,netdev=kafka,addr=6",
            "-netdev", f"{wire or self._dgram(here)},id=wire",
            "-device", f"{nic},netdev=wire,addr=5",
        ], pass_fds=pass_fds)
        self.shell = self._connect(here / "shell")
        self.qmp = self._connect(here / "monitor").makefile("rwb", 0)
        self.qmp.readline()
        self.monitor("qmp_capabilities")
        self._read_until(rb"ready\n", BOOT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError, LabError):
            self.monitor("quit")
        self.qemu.kill()
        self._sockets.cleanup()

    def _dgram(self, here):
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self._nic = str(here / "nic")
        return (f"dgram,local.type=unix,local.path={self._nic},"
                f"remote.type=unix,remote.path={here}/nobody")

    def _connect(self, path):
        connection = socket.socket(socket.AF_UNIX)

        def connected():
            if not self.qemu.is_running():
                raise LabError(f"qemu: {self.qemu.log()}")
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                connection.connect(str(path))
                return True
        wait_for(connected, f"socket {path} of qemu", 20)
        return connection

    def _read_until(self, pattern, timeout):
        text = b""
        self.shell.settimeout(timeout)
        while not (match := re.search(pattern, text)):
            try:
                got = self.shell.recv(4096)
            except TimeoutError:
                raise LabError(f"the guest does not say {pattern} within {timeout} s") from None
            if not got:
                raise LabError("the guest has ended")
            text += got
        return match

    def run(self, command, timeout=60, expect=(0,)):
        """Runs a line of the shell; returns what it wrote, errors too."""
        out = self.logs / "command.out"
        self.shell.sendall(f"{{ {command}\n}} >{out} 2>&1 </dev/null; echo exit $?\n".encode())
        code = int(self._read_until(rb"exit (\d+)\n", timeout)[1])
        text = out.read_text(errors="replace")
        if code not in expect:
            raise LabError(f"guest: {command}: exit {code}: {text.strip()}")
        return text

    def start(self, name, command):
        return GuestProgram(self, name, command)

    def monitor(self, command, **arguments):
        """Runs a command of QEMU's monitor, QMP."""
        self.qmp.write(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = json.loads(self.qmp.readline() or b'{"error": "qemu has ended"}')
            if "error" in answer:
                raise LabError(f"qemu: {command}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def send(self, frames):
        """Frames to the NIC. QEMU takes them as the NIC has room: none is lost on the way."""
        for frame in frames:
            self._wire.sendto(frame, self._nic)
