# SPDX-License-Identifier: BSD-3-Clause
"""Find TCP ports that are free."""

import subprocess

from lab import LabError


def listening():
    """Ports that some process listens on."""
    text = subprocess.run(["ss", "-ltnH"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {int(line.split()[3].rpartition(":")[2]) for line in text.splitlines()}


def free_port(port):
    """The first port from `port` on that is free."""
    taken = listening()
    while port in taken:
        port += 1
    if port >= 65536:
        raise LabError("no free port")
    return port


def is_listening(port, pid):
    """Whether this process listens on the port."""
    text = subprocess.run(["ss", "-ltnpH", f"sport = :{port}"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    return f"pid={pid}," in text
