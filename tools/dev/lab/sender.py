# SPDX-License-Identifier: BSD-3-Clause
"""Send frames: a running traffic-gen, and the frames that it sent."""

import re
import signal
import subprocess

from .frames import read_pcap
from .process import LabError, Program


class Sender(Program):
    """A running traffic-gen."""

    def __init__(self, name, command, logs, record, remake):
        super().__init__(name, command, logs)
        self.record = record  # path of the pcap file of what it sent, None: not recorded
        self.remake = remake  # command that writes the same frames to standard output

    def finish(self, timeout=120, codes=(0,)):
        """Waits for its end; returns itself, with count and bytes."""
        rc = self.wait(timeout)
        match = re.search(r"^(\d+) frames sent, (\d+) bytes$", self.output(), re.M)
        if rc not in codes or not match:
            raise LabError(f"{self.name}: exit {rc}: {self.log().strip()}")
        self.count, self.bytes = int(match[1]), int(match[2])
        return self

    def stop_sending(self):
        """Ends it before it has sent all; returns itself, with count and bytes."""
        self.send_signal(signal.SIGTERM)
        return self.finish(30)

    def frames(self):
        """Yields every frame that it sent."""
        if self.record:
            yield from (frame for _, frame in read_pcap(self.record))
        elif self.count:
            with subprocess.Popen([*self.remake, "--count", str(self.count)],
                                  stdout=subprocess.PIPE) as made:
                yield from (frame for _, frame in read_pcap(f"/dev/fd/{made.stdout.fileno()}"))
